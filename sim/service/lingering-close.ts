import type { Socket } from "node:net";
import { replaceOwner, type SocketOwner } from "./owned-socket";

/** Time for which a closed socket may send what is buffered and wait for the peer's end, ms. */
const LINGER_MS = 2000;
/** Bytes that it discards meanwhile. */
const LINGER_BYTES = 262_144;
/** Sockets that may linger at once; one more destroys the oldest. */
const MAX_LINGERING = 128;

const lingering = new Set<LingeringSocket>();

/**
 * Closes a socket: sends what is buffered, then FIN, and discards what the peer still sends until it closes
 * too. A system socket that is closed with unread input sends RST, and the peer may lose what it has not
 * read.
 */
export function linger(socket: Socket): void {
	if (socket.destroyed) return;
	const oldest = lingering.values().next().value;
	if (oldest !== undefined && lingering.size >= MAX_LINGERING) oldest.end();
	new LingeringSocket(socket);
}

class LingeringSocket implements SocketOwner {
	readonly #socket: Socket;
	readonly #timeout: NodeJS.Timeout;
	#left = LINGER_BYTES;

	constructor(socket: Socket) {
		this.#socket = socket;
		// A peer that neither reads nor closes must not keep the socket open.
		this.#timeout = setTimeout(() => this.end(), LINGER_MS);
		this.#timeout.unref();
		lingering.add(this);
		socket.once("close", () => this.#forget());
		replaceOwner(socket, this);
		socket.end();
	}

	end(): void {
		this.#forget();
		this.#socket.destroy();
	}

	canReceive(): boolean {
		return true;
	}

	onReceived(chunk: Uint8Array): void {
		this.#left -= chunk.length;
		if (this.#left < 0) this.end();
	}

	onDrained(): void {}

	/** The peer has closed: the socket destroys itself once everything is sent. */
	onClosed(): void {}

	#forget(): void {
		clearTimeout(this.#timeout);
		lingering.delete(this);
	}
}
