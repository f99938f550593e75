/**
 * Recycles the resizable buffers of a program across boots. V8 maps pages for each buffer, which costs more
 * than the rest of a boot.
 */
export class BufferPool {
	readonly #free = new Map<number, ArrayBuffer[]>();
	#used: ArrayBuffer[] = [];

	/** Takes back all buffers; the program that used them has ended. */
	recycle(): void {
		for (const buffer of this.#used) {
			const free = this.#free.get(buffer.maxByteLength);
			if (free) free.push(buffer);
			else this.#free.set(buffer.maxByteLength, [buffer]);
		}
		this.#used = [];
	}

	/** @param maximum bytes to which it can grow */
	take(length: number, maximum: number): ArrayBuffer {
		const buffer = this.#free.get(maximum)?.pop() ?? new ArrayBuffer(0, { maxByteLength: maximum });
		// Growing a buffer fills it with zeros.
		buffer.resize(0);
		buffer.resize(length);
		this.#used.push(buffer);
		return buffer;
	}
}

/** The `ArrayBuffer` of a program. @param pool that its resizable buffers come from */
export function arrayBufferOf(pool: () => BufferPool): ArrayBufferConstructor {
	return new Proxy(ArrayBuffer, {
		construct: (target, [length, options]: [number, { maxByteLength?: number }?]) => {
			const maximum = options?.maxByteLength;
			return maximum === undefined ? new target(length) : pool().take(length, maximum);
		},
	});
}
