/** Bytes of a block; what is left of one when the next array does not fit is not used. */
const BLOCK = 1024;

/** Makes typed arrays that share buffers: on XS a buffer of its own costs an array three slots and a header. Only for constructors. */
export class Tables {
	#buffer = new ArrayBuffer(0);
	#at = 0;

	u8(length: number): Uint8Array {
		const at = this.#claim(length, 1);
		return new Uint8Array(this.#buffer, at, length);
	}

	u16(length: number): Uint16Array {
		const at = this.#claim(2 * length, 2);
		return new Uint16Array(this.#buffer, at, length);
	}

	u32(length: number): Uint32Array {
		const at = this.#claim(4 * length, 4);
		return new Uint32Array(this.#buffer, at, length);
	}

	i32(length: number): Int32Array {
		const at = this.#claim(4 * length, 4);
		return new Int32Array(this.#buffer, at, length);
	}

	f64(length: number): Float64Array {
		const at = this.#claim(8 * length, 8);
		return new Float64Array(this.#buffer, at, length);
	}

	/** The offset of `bytes` free bytes in the current block. */
	#claim(bytes: number, alignment: number): number {
		let at = (this.#at + alignment - 1) & -alignment;
		if (at + bytes > this.#buffer.byteLength) {
			this.#buffer = new ArrayBuffer(Math.max(bytes, BLOCK));
			at = 0;
		}
		this.#at = at + bytes;
		return at;
	}
}
