/**
 * Recycles the resizable buffers of a program across boots. V8 maps pages for each buffer, which costs more
 * than the rest of a boot.
 */
export class BufferPool {
	/** The program's `ArrayBuffer`. */
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

	/** Takes back all buffers; the program that used them has ended. */
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
		// Growing a buffer fills it with zeros.
		buffer.resize(0);
		buffer.resize(length);
		this.#used.push(buffer);
		return buffer;
	}
}
