import net from "node:net";
import tls from "node:tls";
import { networkOf } from "../../src/text/ip-network";

/**
 * Limits of concurrent TLS handshakes: in total, and from one IPv4 address or one IPv6 network. One more
 * closes the oldest.
 */
export const MAX_HANDSHAKES = 128;
export const MAX_HANDSHAKES_PER_NETWORK = 64;

/** A certificate and its private key, in PEM, and the TLS port. */
export interface SecureListenOptions {
	readonly port: number;
	readonly certificate: Uint8Array;
	readonly key: Uint8Array;
}

/** A TLS server whose capacity clients cannot exhaust with unfinished handshakes. */
export class SecureServer {
	/** The server of the raw connections; the caller calls its listen(). */
	readonly server: net.Server;
	readonly #secure: tls.Server;
	/** Connections with a pending handshake by address and port of the peer, the oldest first. */
	readonly #pendingHandshakes = new Map<string, net.Socket>();

	/**
	 * @param handshakeTimeoutMs timeout of a handshake, ms
	 * @param onSecureConnection called with each connection whose handshake is complete
	 * @throws {Error} with a message for users, if certificate and key cannot be used
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
		// Also closes connections that do not use TLS.
		this.#secure.on("tlsClientError", (_error, socket) => socket.destroy());
		// Without allowHalfOpen: a peer that ends before the handshake is complete is closed at once.
		this.server = net.createServer({ noDelay: true }, (socket) => this.#startHandshake(socket));
	}

	/** Number of pending handshakes. */
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
