import type { Socket } from "node:net";

/** Bytes of one buffer; longer writes go alone. */
const SIZE = 16_384;
/** Buffers kept for later. */
const SPARE = 64;

const spare: Buffer[] = [];
let waiting: Outbox[] = [];
let sending: Outbox[] = [];

/**
 * Gathers what a socket is given in one turn of the event loop. It leaves in one system call when the turn's events have been handled, also where they came
 * from several sockets.
 */
export class Outbox {
	readonly #socket: Socket;
	#buffer: Buffer | undefined;
	#length = 0;
	#waits = false;

	constructor(socket: Socket) {
		this.#socket = socket;
	}

	/** Bytes that are not with the socket yet. */
	get length(): number {
		return this.#length;
	}

	/** Takes a copy of the bytes. */
	add(bytes: Uint8Array): void {
		const size = bytes.length;
		if (this.#length + size > SIZE) this.flush();
		if (size > SIZE) {
			this.#socket.write(Buffer.from(bytes));
			return;
		}
		this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(SIZE);
		this.#buffer.set(bytes, this.#length);
		this.#length += size;
		if (this.#waits) return;
		this.#waits = true;
		if (waiting.push(this) === 1) setImmediate(Outbox.flushAll);
	}

	/** Hands all to the socket now. */
	flush(): void {
		const buffer = this.#buffer;
		if (buffer === undefined) return;
		const length = this.#length;
		this.#buffer = undefined;
		this.#length = 0;
		const socket = this.#socket;
		if (socket.writable) socket.write(buffer.subarray(0, length));
		// Node keeps bytes that the system has not taken, and counts them; the buffer is then its own.
		if (socket.writableLength === 0 && spare.length < SPARE) spare.push(buffer);
	}

	/** Flushes all that have something. */
	static flushAll(): void {
		const all = waiting;
		waiting = sending;
		sending = all;
		for (const outbox of all) {
			outbox.#waits = false;
			outbox.flush();
		}
		all.length = 0;
	}
}
