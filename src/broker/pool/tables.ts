/**
 * Bytes of the first block, where no other is asked for; each is half as long as the one before, down to the
 * shortest, as what is left of the last one is lost.
 */
const LARGEST_BLOCK = 4096;
const SMALLEST_BLOCK = 1024;

/**
 * Makes typed arrays that share buffers: on XS a buffer of its own costs an array three slots and a header.
 * Only for constructors.
 */
export class Tables {
	/** Blocks, and the bytes taken in each. */
	#blocks: ArrayBuffer[] = [];
	#usedBytes: number[] = [];
	#block = new ArrayBuffer(0);
	/** Bytes of the next block. */
	#nextBlockSize: number;

	/** @param length bytes of the first block */
	constructor(length = LARGEST_BLOCK) {
		this.#nextBlockSize = length;
	}

	u8(length: number): Uint8Array {
		const at = this.reserve(length, 1);
		return new Uint8Array(this.#block, at, length);
	}

	u16(length: number): Uint16Array {
		const at = this.reserve(2 * length, 2);
		return new Uint16Array(this.#block, at, length);
	}

	u32(length: number): Uint32Array {
		const at = this.reserve(4 * length, 4);
		return new Uint32Array(this.#block, at, length);
	}

	f64(length: number): Float64Array {
		const at = this.reserve(8 * length, 8);
		return new Float64Array(this.#block, at, length);
	}

	/** Forgets where there is room: no array is made any more. */
	close(): void {
		this.#blocks = [];
		this.#usedBytes = [];
		this.#block = new ArrayBuffer(0);
	}

	/**
	 * Makes the first block that has room the current one, and returns the offset of `bytes` free bytes there.
	 */
	private reserve(bytes: number, alignment: number): number {
		const blocks = this.#blocks;
		const usedBytes = this.#usedBytes;
		let i = 0;
		let at = 0;
		for (; i < blocks.length; i++) {
			at = (usedBytes[i] + alignment - 1) & -alignment;
			if (at + bytes <= blocks[i].byteLength) break;
		}
		if (i === blocks.length) {
			at = 0;
			blocks.push(new ArrayBuffer((Math.max(bytes, this.#nextBlockSize) + 7) & -8));
			this.#nextBlockSize = Math.max(this.#nextBlockSize / 2, SMALLEST_BLOCK);
		}
		usedBytes[i] = at + bytes;
		this.#block = blocks[i];
		return at;
	}
}
