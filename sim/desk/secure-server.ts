import net from "node:net";
import tls from "node:tls";
import { networkOf } from "../../src/broker/access/network";

/** TLS handshakes under way at once, and those of one address, or one network of IPv6, among them. One more, and the oldest is cut off. */
export const HANDSHAKES = 128;
export const HANDSHAKES_OF_ONE = 64;

/** A certificate and its private key, in PEM, and the port to use them on. */
export interface Secure {
	readonly port: number;
	readonly certificate: Uint8Array;
	readonly key: Uint8Array;
}

/** A TLS server that whoever begins handshakes and never ends them can neither fill nor keep from others. */
export class SecureServer {
	/** The server whose connections are raw; it is to be told where to listen. */
	readonly server: net.Server;
	readonly #secure: tls.Server;
	/** Connections whose handshake is under way by the address and port of the peer, the oldest first. */
	readonly #unfinished = new Map<string, net.Socket>();

	/**
	 * @param handshakeTimeout how long a handshake may take, ms @param take given each connection whose handshake is over
	 * @throws {Error} for people, when certificate and key cannot be used
	 */
	constructor({ certificate, key }: Secure, handshakeTimeout: number, take: (socket: net.Socket) => void) {
		try {
			this.#secure = tls.createServer({ cert: Buffer.from(certificate), key: Buffer.from(key), handshakeTimeout }, (socket) => {
				this.#unfinished.delete(peerOf(socket));
				socket.allowHalfOpen = true;
				take(socket);
			});
		} catch (error) {
			throw new Error(`listen.tls: certificate and key cannot be used: ${error instanceof Error ? error.message : error}`);
		}
		// Whoever speaks no TLS is cut off by Node.
		this.#secure.on("tlsClientError", (_error, socket) => socket.destroy());
		// Whoever goes before the handshake is over is gone at once.
		this.server = net.createServer({ noDelay: true }, (socket) => this.#begin(socket));
	}

	/** Handshakes under way. */
	get unfinished(): number {
		return this.#unfinished.size;
	}

	close(): void {
		this.server.close();
		for (const socket of this.#unfinished.values()) socket.destroy();
	}

	#begin(socket: net.Socket): void {
		const unfinished = this.#unfinished;
		const peer = peerOf(socket);
		const network = networkOf(socket.remoteAddress ?? "");
		let oldest: string | undefined;
		let count = 0;
		for (const [name, other] of unfinished) {
			if (networkOf(other.remoteAddress ?? "") !== network) continue;
			oldest ??= name;
			count++;
		}
		if (count < HANDSHAKES_OF_ONE) oldest = unfinished.size < HANDSHAKES ? undefined : unfinished.keys().next().value;
		if (oldest !== undefined) {
			unfinished.get(oldest)?.destroy();
			unfinished.delete(oldest);
		}
		unfinished.set(peer, socket);
		socket.on("close", () => {
			if (unfinished.get(peer) === socket) unfinished.delete(peer);
		});
		this.#secure.emit("connection", socket);
	}
}

function peerOf(socket: net.Socket): string {
	return `${socket.remoteAddress} ${socket.remotePort}`;
}
