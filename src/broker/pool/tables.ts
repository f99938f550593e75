/**
 * Default size of the first block, bytes. Each block is half as long as the previous one, down to the
 * smallest, as the unused rest of the last one is wasted.
 */
const LARGEST_BLOCK = 4096;
const SMALLEST_BLOCK = 1024;

/**
 * Creates typed arrays that share buffers: on XS a separate buffer costs an array three slots and a header.
 * Only for constructors.
 */
export class Tables {
	/** Blocks, and the bytes used in each. */
	#blocks: ArrayBuffer[] = [];
	#usedBytes: number[] = [];
	#block = new ArrayBuffer(0);
	/** Size of the next block, bytes. */
	#nextBlockSize: number;

	/** @param length size of the first block, bytes */
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

	/** Releases the references to the blocks: no further array can share them. */
	close(): void {
		this.#blocks = [];
		this.#usedBytes = [];
		this.#block = new ArrayBuffer(0);
	}

	/** Selects the first block with enough room, and returns the offset of `bytes` free bytes in it. */
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
