/** Bytes of the first block, where no other is asked for; each is half as long as the one before, down to the shortest, as what is left of the last one is lost. */
const LONGEST = 4096;
const SHORTEST = 1024;

/** Makes typed arrays that share buffers: on XS a buffer of its own costs an array three slots and a header. Only for constructors. */
export class Tables {
	/** Blocks, and the bytes taken in each. */
	#blocks: ArrayBuffer[] = [];
	#taken: number[] = [];
	#block = new ArrayBuffer(0);
	/** Bytes of the next block. */
	#length: number;

	/** @param length bytes of the first block */
	constructor(length = LONGEST) {
		this.#length = length;
	}

	u8(length: number): Uint8Array {
		const at = this.claim(length, 1);
		return new Uint8Array(this.#block, at, length);
	}

	u16(length: number): Uint16Array {
		const at = this.claim(2 * length, 2);
		return new Uint16Array(this.#block, at, length);
	}

	u32(length: number): Uint32Array {
		const at = this.claim(4 * length, 4);
		return new Uint32Array(this.#block, at, length);
	}

	f64(length: number): Float64Array {
		const at = this.claim(8 * length, 8);
		return new Float64Array(this.#block, at, length);
	}

	/** Forgets where there is room: no array is made any more. */
	close(): void {
		this.#blocks = [];
		this.#taken = [];
		this.#block = new ArrayBuffer(0);
	}

	/** Makes the first block that has room the current one, and returns the offset of `bytes` free bytes there. */
	private claim(bytes: number, alignment: number): number {
		const blocks = this.#blocks;
		const taken = this.#taken;
		let i = 0;
		let at = 0;
		for (; i < blocks.length; i++) {
			at = (taken[i] + alignment - 1) & -alignment;
			if (at + bytes <= blocks[i].byteLength) break;
		}
		if (i === blocks.length) {
			at = 0;
			blocks.push(new ArrayBuffer((Math.max(bytes, this.#length) + 7) & -8));
			this.#length = Math.max(this.#length / 2, SHORTEST);
		}
		taken[i] = at + bytes;
		this.#block = blocks[i];
		return at;
	}
}
