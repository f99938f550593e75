/** Bytes of a block. */
const BLOCK = 1024;

/** Makes typed arrays that share buffers: on XS a buffer of its own costs an array three slots and a header. Only for constructors. */
export class Tables {
	/** Blocks, and the bytes taken in each. */
	#blocks: ArrayBuffer[] = [];
	#taken: number[] = [];
	#block = new ArrayBuffer(0);

	u8(length: number): Uint8Array {
		const at = this.#claim(length, 1);
		return new Uint8Array(this.#block, at, length);
	}

	u16(length: number): Uint16Array {
		const at = this.#claim(2 * length, 2);
		return new Uint16Array(this.#block, at, length);
	}

	u32(length: number): Uint32Array {
		const at = this.#claim(4 * length, 4);
		return new Uint32Array(this.#block, at, length);
	}

	f64(length: number): Float64Array {
		const at = this.#claim(8 * length, 8);
		return new Float64Array(this.#block, at, length);
	}

	/** Forgets where there is room: no array is made any more. */
	close(): void {
		this.#blocks = [];
		this.#taken = [];
		this.#block = new ArrayBuffer(0);
	}

	/** Makes the first block that has room the current one, and returns the offset of `bytes` free bytes there. */
	#claim(bytes: number, alignment: number): number {
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
			blocks.push(new ArrayBuffer((Math.max(bytes, BLOCK) + 7) & -8));
		}
		taken[i] = at + bytes;
		this.#block = blocks[i];
		return at;
	}
}
