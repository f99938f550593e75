import net from "node:net";
import tls from "node:tls";
import type { Listener, ListenerConstructor, ListenerOptions, TCP } from "../../src/device";
import { NodeTCP } from "./node-tcp";

/** Connections that wait to be accepted; more are cut off. */
const BACKLOG = 128;

/** A certificate and its private key, in PEM, and the port to use them on. */
export interface Secure {
	readonly port: number;
	readonly certificate: Uint8Array;
	readonly key: Uint8Array;
}

export interface ListenerHostOptions {
	/** Address to bind to; undefined: all. */
	readonly address: string | undefined;
	/** Another port, with TLS, whose connections arrive at the first listener. */
	readonly secure?: Secure;
	/** How long a TLS handshake may take, ms. */
	readonly handshakeTimeout: number;
	/** A listener's ports accept connections. @param number of the listener, from 0 in the order of making */
	listening(number: number, port: number, securePort: number | undefined): void;
	/** A port could not be opened, or broke. */
	failed(error: Error, port: number): void;
}

/** ECMA-419's TCP listener on Node. */
export function nodeListener(host: ListenerHostOptions): ListenerConstructor {
	let made = 0;
	return class NodeListener implements Listener {
		readonly #plain: net.Server;
		readonly #secure: net.Server | undefined;
		readonly #waiting: NodeTCP[] = [];
		readonly #onReadable: ListenerOptions["onReadable"];
		readonly #number = made++;
		#pending: number;

		constructor({ port, onReadable }: ListenerOptions) {
			this.#onReadable = onReadable;
			this.#plain = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
			this.#pending = 1;
			if (host.secure !== undefined && this.#number === 0) {
				const { port: securePort } = host.secure;
				this.#secure = secureServer(host.secure, host.handshakeTimeout, (socket) => this.#take(socket));
				// Whoever speaks no TLS is cut off by Node.
				this.#secure.on("tlsClientError", (_error, socket) => socket.destroy());
				this.#pending = 2;
				this.#listen(this.#secure, securePort);
			}
			this.#listen(this.#plain, port);
		}

		get port(): number {
			return portOf(this.#plain) ?? 0;
		}

		read(): TCP | undefined {
			return this.#waiting.shift();
		}

		close(): void {
			this.#plain.close();
			this.#secure?.close();
			for (const tcp of this.#waiting.splice(0)) tcp.close();
		}

		#listen(server: net.Server, port: number): void {
			server.on("error", (error) => host.failed(error, port));
			server.listen({ port, ...(host.address === undefined ? {} : { host: host.address }) }, () => {
				this.#pending--;
				if (this.#pending === 0) host.listening(this.#number, this.port, this.#secure && portOf(this.#secure));
			});
		}

		#take(socket: net.Socket): void {
			if (this.#waiting.length >= BACKLOG) {
				socket.on("error", () => {}).destroy();
				return;
			}
			this.#waiting.push(new NodeTCP({ accepted: socket }));
			this.#onReadable?.(this.#waiting.length);
		}
	};
}

/** Throws an Error for people when certificate and key cannot be used. */
function secureServer({ certificate, key }: Secure, handshakeTimeout: number, take: (socket: net.Socket) => void): net.Server {
	try {
		return tls.createServer({ allowHalfOpen: true, noDelay: true, cert: Buffer.from(certificate), key: Buffer.from(key), handshakeTimeout }, take);
	} catch (error) {
		throw new Error(`listen.tls: certificate and key cannot be used: ${error instanceof Error ? error.message : error}`);
	}
}

function portOf(server: net.Server): number | undefined {
	const address = server.address();
	return address !== null && typeof address === "object" ? address.port : undefined;
}
