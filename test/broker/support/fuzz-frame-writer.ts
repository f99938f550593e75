import type { Random } from "./fuzz-mutator";

const FIN = 0x80;
const CONTINUATION = 0;
const BINARY = 2;
const PING = 9;

/** Writes the WebSocket frames of a client, the same on V8 and XS. */
export class FrameWriter {
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	/**
	 * Writes the first `length` bytes as one message: in one frame or, where `split`, in a few with pings
	 * between them.
	 * @returns how many bytes were written
	 */
	writeMessage(to: Uint8Array, bytes: Uint8Array, length: number, split: boolean): number {
		const random = this.#random;
		let at = 0;
		let end = 0;
		let opcode = BINARY;
		do {
			const count = split && length > at ? 1 + random.below(length - at) : length - at;
			const last = at + count === length;
			end = this.#writeFrame(to, end, opcode | (last ? FIN : 0), bytes, at, count);
			opcode = CONTINUATION;
			at += count;
			if (!last && random.oneIn(4))
				end = this.#writeFrame(to, end, PING | FIN, bytes, 0, Math.min(length, random.below(9)));
		} while (at < length);
		return end;
	}

	#writeFrame(
		to: Uint8Array,
		at: number,
		first: number,
		bytes: Uint8Array,
		start: number,
		count: number,
	): number {
		const mask = this.#random.below(256);
		let end = at;
		to[end++] = first;
		if (count < 126) to[end++] = 0x80 | count;
		else {
			to[end++] = 0x80 | 126;
			to[end++] = count >> 8;
			to[end++] = count;
		}
		to[end++] = mask;
		to[end++] = mask ^ 0x55;
		to[end++] = 0x0f;
		to[end++] = mask >> 1;
		const key = end - 4;
		for (let i = 0; i < count; i++) to[end++] = bytes[start + i] ^ to[key + (i & 3)];
		return end;
	}
}
