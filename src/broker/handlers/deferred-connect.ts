import type { Memory } from "../pool/memory";

/**
 * Copy of a CONNECT without its fixed header, kept during authentication because other packets are read into
 * the same memory in the meantime.
 */
export class DeferredConnect {
	/** Allocated on first use, with the size of the longest CONNECT so far. */
	#bytes: Uint8Array | undefined;
	#length = 0;

	/** Copies the first `length` bytes of the receive area. */
	hold({ bytes, receiveStart }: Memory, length: number): void {
		let own = this.#bytes;
		if (own === undefined || length > own.length) {
			own = new Uint8Array(length);
			this.#bytes = own;
		}
		for (let i = 0; i < length; i++) own[i] = bytes[receiveStart + i];
		this.#length = length;
	}

	/**
	 * Copies the packet back to the receive area and wipes the copy, which may hold a password.
	 * @returns index after its last byte
	 */
	restore(memory: Memory): number {
		const length = this.#length;
		const own = this.#bytes!;
		// Not through receiveView(), which would leave the buffer shortened while the session is created
		const { bytes, receiveStart } = memory;
		for (let i = 0; i < length; i++) bytes[receiveStart + i] = own[i];
		this.wipe();
		return receiveStart + length;
	}

	/** Wipes the copy. */
	wipe(): void {
		this.#bytes?.fill(0);
		this.#length = 0;
	}
}
