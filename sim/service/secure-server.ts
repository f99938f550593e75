import net from "node:net";
import tls from "node:tls";
import { networkOf } from "../../src/broker/access/ip-network";

/**
 * TLS handshakes under way at once, and those of one address, or one network of IPv6, among them. One more,
 * and the oldest is cut off.
 */
export const MAX_HANDSHAKES = 128;
export const MAX_HANDSHAKES_PER_NETWORK = 64;

/** A certificate and its private key, in PEM, and the port to use them on. */
export interface SecureListenOptions {
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
	readonly #pendingHandshakes = new Map<string, net.Socket>();

	/**
	 * @param handshakeTimeoutMs how long a handshake may take, ms
	 * @param onSecureConnection given each connection whose handshake is over
	 * @throws {Error} for people, when certificate and key cannot be used
	 */
	constructor(
		{ certificate, key }: SecureListenOptions,
		handshakeTimeoutMs: number,
		onSecureConnection: (socket: net.Socket) => void,
	) {
		try {
			this.#secure = tls.createServer(
				{ cert: Buffer.from(certificate), key: Buffer.from(key), handshakeTimeout: handshakeTimeoutMs },
				(socket) => {
					this.#pendingHandshakes.delete(peerKey(socket));
					socket.allowHalfOpen = true;
					onSecureConnection(socket);
				},
			);
		} catch (error) {
			throw new Error(
				`listen.tls: certificate and key cannot be used: ${error instanceof Error ? error.message : error}`,
			);
		}
		// Whoever speaks no TLS is cut off by Node.
		this.#secure.on("tlsClientError", (_error, socket) => socket.destroy());
		// Whoever goes before the handshake is over is gone at once.
		this.server = net.createServer({ noDelay: true }, (socket) => this.#startHandshake(socket));
	}

	/** Handshakes under way. */
	get pendingHandshakes(): number {
		return this.#pendingHandshakes.size;
	}

	close(): void {
		this.server.close();
		for (const socket of this.#pendingHandshakes.values()) socket.destroy();
	}

	#startHandshake(socket: net.Socket): void {
		const pending = this.#pendingHandshakes;
		const peer = peerKey(socket);
		const network = networkOf(socket.remoteAddress ?? "");
		let oldest: string | undefined;
		let count = 0;
		for (const [name, other] of pending) {
			if (networkOf(other.remoteAddress ?? "") !== network) continue;
			oldest ??= name;
			count++;
		}
		if (count < MAX_HANDSHAKES_PER_NETWORK)
			oldest = pending.size < MAX_HANDSHAKES ? undefined : pending.keys().next().value;
		if (oldest !== undefined) {
			pending.get(oldest)?.destroy();
			pending.delete(oldest);
		}
		pending.set(peer, socket);
		socket.on("close", () => {
			if (pending.get(peer) === socket) pending.delete(peer);
		});
		this.#secure.emit("connection", socket);
	}
}

function peerKey(socket: net.Socket): string {
	return `${socket.remoteAddress} ${socket.remotePort}`;
}
