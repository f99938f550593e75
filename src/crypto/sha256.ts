import { compress, initialise, SCHEDULE } from "./sha256-block";

/** Bytes of a digest. */
export const SHA256_SIZE = 32;
/** Bytes of a block. */
export const SHA256_BLOCK = 64;

/** SHA-256 (FIPS 180-4 §6.2) of bytes that come in pieces. Allocates nothing after construction; one instance serves any number of digests. */
export class SHA256 {
	readonly #state = new Int32Array(8);
	readonly #words = new Int32Array(SCHEDULE);
	/** Bytes taken. */
	#length = 0;

	constructor() {
		initialise(this.#state);
	}

	/** Begins anew. */
	reset(): this {
		initialise(this.#state);
		this.#length = 0;
		return this;
	}

	/** Begins with the hash value after one block, as save() gave it. */
	resume(state: Int32Array): this {
		this.#state.set(state);
		this.#length = SHA256_BLOCK;
		return this;
	}

	/** Copies the hash value, 8 words. Meaningful after whole blocks. */
	save(state: Int32Array): void {
		state.set(this.#state);
	}

	/** Takes bytes [start, end). */
	update(bytes: Uint8Array, start: number, end: number): this {
		const words = this.#words;
		let position = this.#length % SHA256_BLOCK;
		this.#length += end - start;
		for (let i = start; i < end; i++) {
			const at = position >> 2;
			words[at] = (words[at] << 8) | bytes[i];
			if (++position === SHA256_BLOCK) {
				compress(this.#state, words);
				position = 0;
			}
		}
		return this;
	}

	/** Writes the digest, 32 bytes, to `target` from `at` on. What follows begins anew. */
	digest(target: Uint8Array, at: number): void {
		const words = this.#words;
		const state = this.#state;
		const position = this.#length % SHA256_BLOCK;
		let word = position >> 2;
		const shift = (4 - (position & 3)) << 3;
		// A shift by 32 would be one by 0
		words[word] = shift === 32 ? 0x80000000 : (words[word] << shift) | (1 << (shift - 1)); // §5.1.1
		word++;
		if (word > 14) {
			while (word < 16) words[word++] = 0;
			compress(state, words);
			word = 0;
		}
		while (word < 14) words[word++] = 0;
		words[14] = this.#length / 0x20000000;
		words[15] = this.#length << 3;
		compress(state, words);
		writeWords(state, target, at);
		this.reset();
	}

	/** Forgets what was taken, also the copies of it that a digest leaves behind. */
	clear(): void {
		this.#words.fill(0);
		this.reset();
	}
}

/** Writes words, the most significant byte of each first. */
export function writeWords(words: Int32Array, target: Uint8Array, at: number): void {
	const { length } = words;
	for (let i = 0; i < length; i++) {
		const word = words[i];
		target[at++] = word >> 24;
		target[at++] = word >> 16;
		target[at++] = word >> 8;
		target[at++] = word;
	}
}
