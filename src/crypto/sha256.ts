import { BLOCK_SIZE, BlockHash } from "./block-hash";
import { compress, initialise, SCHEDULE_WORDS } from "./sha256-block";

/** Bytes of a digest. */
export const SHA256_SIZE = 32;

/** SHA-256 (FIPS 180-4 §6.2) of input that arrives in pieces. */
export class SHA256 extends BlockHash {
	constructor() {
		super(new Int32Array(8), new Int32Array(SCHEDULE_WORDS));
	}

	/** Starts with the hash value after one block, as copied by save(). */
	resume(state: Int32Array): this {
		this.state.set(state);
		this.length = BLOCK_SIZE;
		return this;
	}

	/** Copies the hash value, 8 words. Meaningful after whole blocks. */
	save(state: Int32Array): void {
		state.set(this.state);
	}

	/** Erases all input, including the copies that a digest leaves in the buffer. */
	clear(): void {
		this.words.fill(0);
		this.reset();
	}

	protected initialise(): void {
		initialise(this.state);
	}

	protected compress(): void {
		compress(this.state, this.words);
	}
}
