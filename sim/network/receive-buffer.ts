/** Received bytes waiting to be read. */
export class ReceiveBuffer {
	readonly #chunks: Uint8Array[] = [];
	#offset = 0;
	#length = 0;

	get length(): number {
		return this.#length;
	}

	push(bytes: Uint8Array): void {
		if (bytes.length === 0) return;
		this.#chunks.push(bytes);
		this.#length += bytes.length;
	}

	/** Fills `into`, which is not longer than {@link length}. */
	readInto(into: Uint8Array): void {
		let filled = 0;
		while (filled < into.length) {
			const chunk = this.#chunks[0]!;
			const take = Math.min(chunk.length - this.#offset, into.length - filled);
			into.set(chunk.subarray(this.#offset, this.#offset + take), filled);
			filled += take;
			this.#offset += take;
			if (this.#offset === chunk.length) {
				this.#chunks.shift();
				this.#offset = 0;
			}
		}
		this.#length -= into.length;
	}

	clear(): void {
		this.#chunks.length = 0;
		this.#offset = 0;
		this.#length = 0;
	}
}
