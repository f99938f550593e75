/**
 * Resizable buffers of a program that boots again and again. V8 maps pages for each of them, which costs it
 * more than the rest of a boot, so those of the last boot serve the next one.
 */
export class BufferPool {
	/** What the program has as `ArrayBuffer`. */
	readonly arrayBufferConstructor: ArrayBufferConstructor;
	readonly #free = new Map<number, ArrayBuffer[]>();
	#used: ArrayBuffer[] = [];

	constructor() {
		this.arrayBufferConstructor = new Proxy(ArrayBuffer, {
			construct: (target, [length, options]: [number, { maxByteLength?: number }?]) => {
				const maximum = options?.maxByteLength;
				return maximum === undefined ? new target(length) : this.#take(length, maximum);
			},
		});
	}

	/** The program that used the buffers is gone. */
	recycle(): void {
		for (const buffer of this.#used) {
			const free = this.#free.get(buffer.maxByteLength);
			if (free) free.push(buffer);
			else this.#free.set(buffer.maxByteLength, [buffer]);
		}
		this.#used = [];
	}

	#take(length: number, maximum: number): ArrayBuffer {
		const buffer = this.#free.get(maximum)?.pop() ?? new ArrayBuffer(0, { maxByteLength: maximum });
		// What a buffer gains by growing is zero.
		buffer.resize(0);
		buffer.resize(length);
		this.#used.push(buffer);
		return buffer;
	}
}
