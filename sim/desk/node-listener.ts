import net from "node:net";
import type { Listener, ListenerConstructor, ListenerOptions, TCP } from "../../src/device";
import { NodeTCP } from "./node-tcp";
import { type Secure, SecureServer } from "./secure-server";

/** Connections that wait to be accepted; more are cut off. */
const BACKLOG = 128;

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
		readonly #secure: SecureServer | undefined;
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
				this.#secure = new SecureServer(host.secure, host.handshakeTimeout, (socket) => this.#take(socket));
				this.#pending = 2;
				this.#listen(this.#secure.server, securePort);
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
				if (this.#pending === 0) host.listening(this.#number, this.port, this.#secure && portOf(this.#secure.server));
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

function portOf(server: net.Server): number | undefined {
	const address = server.address();
	return address !== null && typeof address === "object" ? address.port : undefined;
}
