/** Bytes of a block of SHA-1 and SHA-256 (FIPS 180-4 §5.2.1). */
export const BLOCK_SIZE = 64;

/**
 * What SHA-1 and SHA-256 share: bytes that come in pieces are gathered into blocks, and the last block is
 * padded (FIPS 180-4 §5.1.1). Allocates nothing after construction; one instance serves any number of
 * digests.
 */
export abstract class BlockHash {
	/** The hash value so far. */
	protected readonly state: Int32Array;
	/** The block being filled is the first 16. */
	protected readonly words: Int32Array;
	/** Bytes taken. */
	protected length = 0;

	/** @param words the subclass may use what is beyond the first 16 */
	constructor(state: Int32Array, words: Int32Array) {
		this.state = state;
		this.words = words;
		this.initialise();
	}

	/** Sets the initial hash value. */
	protected abstract initialise(): void;

	/** Takes the block in `words` into the hash value; whatever is left there is overwritten. */
	protected abstract compress(): void;

	/** Begins anew. */
	reset(): this {
		this.initialise();
		this.length = 0;
		return this;
	}

	/** Takes bytes [start, end). */
	update(bytes: Uint8Array, start: number, end: number): this {
		const { words } = this;
		let position = this.length % BLOCK_SIZE;
		this.length += end - start;
		for (let i = start; i < end; i++) {
			const at = position >> 2;
			words[at] = (words[at] << 8) | bytes[i];
			if (++position === BLOCK_SIZE) {
				this.compress();
				position = 0;
			}
		}
		return this;
	}

	/** Writes the digest, the bytes of the hash value, to `target` from `at` on. What follows begins anew. */
	digest(target: Uint8Array, at: number): void {
		const { words, length } = this;
		const position = length % BLOCK_SIZE;
		let word = position >> 2;
		const shift = (4 - (position & 3)) << 3;
		// A shift by 32 would be one by 0
		words[word] = shift === 32 ? 0x80000000 : (words[word] << shift) | (1 << (shift - 1)); // §5.1.1
		word++;
		if (word > 14) {
			while (word < 16) words[word++] = 0;
			this.compress();
			word = 0;
		}
		while (word < 14) words[word++] = 0;
		words[14] = length / 0x20000000;
		words[15] = length << 3;
		this.compress();
		writeWords(this.state, target, at);
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
