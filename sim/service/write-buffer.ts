import type { Socket } from "node:net";

/** Bytes of one buffer; longer writes go alone. */
const BUFFER_SIZE = 16_384;
/** Outboxes kept for later, with their buffers. */
const MAX_FREE_BUFFERS = 64;

const freeBuffers: WriteBuffer[] = [];

/**
 * Gathers what a socket is given, so that it leaves in one system call. A socket needs one only while there
 * is something in it.
 */
export class WriteBuffer {
	#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
	#length = 0;

	private constructor() {}

	/** An empty one. */
	static acquire(): WriteBuffer {
		return freeBuffers.pop() ?? new WriteBuffer();
	}

	/** Bytes that are not with the socket yet. */
	get length(): number {
		return this.#length;
	}

	/** Takes a copy of the bytes; where they do not fit, what is there goes to the socket first. */
	add(bytes: Uint8Array, socket: Socket): void {
		const size = bytes.length;
		if (this.#length + size > BUFFER_SIZE) this.#flush(socket);
		if (size > BUFFER_SIZE) {
			socket.write(Buffer.from(bytes));
			return;
		}
		this.#buffer.set(bytes, this.#length);
		this.#length += size;
	}

	/** Hands all to the socket. The outbox is for others then. */
	flushAndRelease(socket: Socket): void {
		this.#flush(socket);
		if (freeBuffers.length < MAX_FREE_BUFFERS) freeBuffers.push(this);
	}

	#flush(socket: Socket): void {
		const length = this.#length;
		if (length === 0) return;
		this.#length = 0;
		if (!socket.writable) return;
		const buffer = this.#buffer;
		socket.write(length === BUFFER_SIZE ? buffer : buffer.subarray(0, length));
		// Node keeps bytes that the system has not taken, and counts them; the buffer is then its own.
		if (socket.writableLength !== 0) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
	}
}
