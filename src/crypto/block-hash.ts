/** Bytes of a block of SHA-1 and SHA-256 (FIPS 180-4 §5.2.1). */
export const BLOCK_SIZE = 64;

/**
 * Common base of SHA-1 and SHA-256: collects the input into blocks and pads the last block (FIPS 180-4
 * §5.1.1). Allocates nothing after construction; one instance serves any number of digests.
 */
export abstract class BlockHash {
	/** The hash value so far. */
	protected readonly state: Int32Array;
	/** The first 16 words are the block being filled. */
	protected readonly words: Int32Array;
	/** Bytes hashed since reset(). */
	protected length = 0;

	/** @param words 16 or more; the subclass may use those beyond the first 16 */
	constructor(state: Int32Array, words: Int32Array) {
		this.state = state;
		this.words = words;
		this.initialise();
	}

	/** Sets the initial hash value. */
	protected abstract initialise(): void;

	/** Updates the hash value with the block in `words`, which it may overwrite. */
	protected abstract compress(): void;

	/** Starts a new digest. */
	reset(): this {
		this.initialise();
		this.length = 0;
		return this;
	}

	/** Hashes bytes [start, end). */
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

	/** Writes the digest, the bytes of the hash value, to `target` from `at` on, and starts a new one. */
	digest(target: Uint8Array, at: number): void {
		const { words, length } = this;
		const position = length % BLOCK_SIZE;
		let word = position >> 2;
		const shift = (4 - (position & 3)) << 3;
		// A shift by 32 would be a shift by 0
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
