import { BLOCK_SIZE, BlockHash } from "./block-hash";
import { compress, initialise, SCHEDULE_WORDS } from "./sha256-block";

/** Bytes of a digest. */
export const SHA256_SIZE = 32;

/** SHA-256 (FIPS 180-4 §6.2) of bytes that come in pieces. */
export class SHA256 extends BlockHash {
	constructor() {
		super(new Int32Array(8), new Int32Array(SCHEDULE_WORDS));
	}

	/** Begins with the hash value after one block, as save() gave it. */
	resume(state: Int32Array): this {
		this.state.set(state);
		this.length = BLOCK_SIZE;
		return this;
	}

	/** Copies the hash value, 8 words. Meaningful after whole blocks. */
	save(state: Int32Array): void {
		state.set(this.state);
	}

	/** Forgets what was taken, also the copies of it that a digest leaves behind. */
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
