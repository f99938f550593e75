import net from "node:net";
import type { Listener, ListenerConstructor, ListenerOptions, TCP } from "../../src/device";
import { StreamTap } from "../capture/stream-tap";
import type { NetworkTap } from "../capture/tap";
import { PortServer } from "../network/port-server";
import { NodeTCP } from "./node-tcp";
import { type SecureListenOptions, SecureServer } from "./secure-server";

/** Connections pending to be accepted; further ones are closed. */
const MAX_BACKLOG = 128;

export interface ListenerHostOptions {
	/** Addresses to bind to; undefined: all. */
	readonly addresses: readonly string[] | undefined;
	/** A second port, with TLS, whose connections arrive at the first listener. */
	readonly secure?: SecureListenOptions;
	/** Receives what is sent and received, decrypted. */
	readonly tap?: NetworkTap | undefined;
	/** Timeout of a TLS handshake, ms. */
	readonly handshakeTimeoutMs: number;
	/**
	 * A listener's ports accept connections.
	 * @param number of the listener, from 0 in the order of creation
	 * @param addresses those in use; undefined: all
	 */
	listening(
		number: number,
		port: number,
		securePort: number | undefined,
		addresses: readonly string[] | undefined,
	): void;
	/** A port could not be opened, or failed. */
	failed(error: Error, port: number): void;
}

/** ECMA-419's TCP listener on Node. */
export function nodeListener(host: ListenerHostOptions): ListenerConstructor {
	let listenerCount = 0;
	return class NodeListener implements Listener {
		readonly #plain: PortServer;
		readonly #secure: SecureServer | undefined;
		readonly #securePort: PortServer | undefined;
		readonly #waiting: NodeTCP[] = [];
		readonly #onReadable: ListenerOptions["onReadable"];
		readonly #number = listenerCount++;
		#portsToOpen: number;

		constructor({ port, onReadable }: ListenerOptions) {
			this.#onReadable = onReadable;
			const options = { allowHalfOpen: true, noDelay: true };
			const server = net.createServer(options, (socket) => this.#enqueue(socket));
			this.#portsToOpen = 1;
			if (host.secure !== undefined && this.#number === 0) {
				const { port: securePort } = host.secure;
				this.#secure = new SecureServer(host.secure, host.handshakeTimeoutMs, (socket) =>
					this.#enqueue(socket),
				);
				this.#portsToOpen = 2;
				this.#securePort = this.#listen(this.#secure.server, { noDelay: true }, securePort);
			}
			this.#plain = this.#listen(server, options, port);
		}

		get port(): number {
			return this.#plain.port ?? 0;
		}

		read(): TCP | undefined {
			return this.#waiting.shift();
		}

		close(): void {
			this.#plain.close();
			this.#securePort?.close();
			this.#secure?.close();
			for (const tcp of this.#waiting.splice(0)) tcp.close();
		}

		#listen(server: net.Server, options: net.ServerOpts, port: number): PortServer {
			return new PortServer(server, options, {
				port,
				addresses: host.addresses,
				failed: (error) => host.failed(error, port),
				listening: (_port, addresses) => {
					this.#portsToOpen--;
					if (this.#portsToOpen === 0)
						host.listening(this.#number, this.port, this.#securePort?.port, addresses);
				},
			});
		}

		#enqueue(socket: net.Socket): void {
			if (this.#waiting.length >= MAX_BACKLOG) {
				socket.on("error", () => {}).destroy();
				return;
			}
			this.#waiting.push(new NodeTCP({ accepted: socket, tap: StreamTap.open(host.tap, socket, "server") }));
			this.#onReadable?.(this.#waiting.length);
		}
	};
}
