import type { Memory } from "../pool/memory";

/**
 * What follows the fixed header of a packet, kept aside for as long as its answer takes, since other packets
 * are read into the same memory meanwhile.
 */
export class DeferredConnect {
	/** Allocated when it is first needed, and as large as was ever needed. */
	#bytes: Uint8Array | undefined;
	#length = 0;

	/** Copies [start, end) of `bytes`. */
	hold(bytes: Uint8Array, start: number, end: number): void {
		const length = end - start;
		let own = this.#bytes;
		if (own === undefined || length > own.length) {
			own = new Uint8Array(length);
			this.#bytes = own;
		}
		for (let i = 0; i < length; i++) own[i] = bytes[start + i];
		this.#length = length;
	}

	/**
	 * Puts the packet back where it was read to, and forgets it, as it may hold a password.
	 * @returns where it ends
	 */
	restore(memory: Memory): number {
		const length = this.#length;
		const own = this.#bytes!;
		memory.receiveView(length);
		const { bytes, receiveStart } = memory;
		for (let i = 0; i < length; i++) bytes[receiveStart + i] = own[i];
		this.wipe();
		return receiveStart + length;
	}

	/** Wipes what was kept. */
	wipe(): void {
		this.#bytes?.fill(0);
		this.#length = 0;
	}
}
