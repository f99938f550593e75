import type { Socket } from "node:net";

/** Size of a buffer, bytes; longer writes bypass it. */
const BUFFER_SIZE = 16_384;
/** Largest number of write buffers kept for reuse. */
const MAX_FREE_BUFFERS = 64;

const freeBuffers: WriteBuffer[] = [];

/**
 * Collects the writes of a socket, so that they leave in one system call. A socket holds one only while it
 * has buffered writes.
 */
export class WriteBuffer {
	#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
	#length = 0;

	private constructor() {}

	/** An empty buffer, reused if possible. */
	static acquire(): WriteBuffer {
		return freeBuffers.pop() ?? new WriteBuffer();
	}

	/** Bytes not yet written to the socket. */
	get length(): number {
		return this.#length;
	}

	/** Copies the bytes; if they do not fit, buffered bytes are written to the socket first. */
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

	/** Writes all bytes to the socket and releases the buffer for reuse. */
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
		// Node still refers to the buffer if the system has not accepted all of its bytes.
		if (socket.writableLength !== 0) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
	}
}
