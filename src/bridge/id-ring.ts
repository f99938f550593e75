/** Packet identifiers, each with a number of up to 16 bits, first in, first out; in fixed memory. */
export class IdRing {
	/** Entries. */
	count = 0;
	readonly #entries: Uint32Array;
	#first = 0;

	/** @param capacity entries */
	constructor(capacity: number) {
		this.#entries = new Uint32Array(capacity);
	}

	/** @returns false: it is full */
	push(packetId: number, extra = 0): boolean {
		const { length } = this.#entries;
		if (this.count === length) return false;
		this.#entries[(this.#first + this.count++) % length] = extra * 0x10000 + packetId;
		return true;
	}

	/** Identifier of the first entry, of which there must be one; and its number. */
	get packetId(): number {
		return this.#entries[this.#first] & 0xffff;
	}

	get extra(): number {
		return this.#entries[this.#first] >>> 16;
	}

	/** Removes the first entry. */
	shift(): void {
		this.#first = (this.#first + 1) % this.#entries.length;
		this.count--;
	}

	clear(): void {
		this.count = 0;
	}
}
