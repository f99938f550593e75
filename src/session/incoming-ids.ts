/**
 * Packet identifiers of QoS 2 messages that were delivered and whose PUBREL has not arrived: a repeated
 * PUBLISH with one of them is acknowledged but not delivered again. [MQTT-4.3.3-10] [MQTT-3.1.1:4.3.3-2]
 */
export class IncomingIds {
	#count = 0;
	#capacity: number;
	/** Allocated for the first QoS 2 message, as most clients never receive one. */
	#ids: Uint16Array | undefined;

	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	get full(): boolean {
		return this.#count === this.#capacity;
	}

	get count(): number {
		return this.#count;
	}

	/** @param index 0 … count − 1, in no particular order */
	at(index: number): number {
		return this.#ids === undefined ? 0 : this.#ids[index];
	}

	has(packetId: number): boolean {
		return this.find(packetId) >= 0;
	}

	add(packetId: number): void {
		this.#ids ??= new Uint16Array(this.#capacity);
		this.#ids[this.#count++] = packetId;
	}

	/** @returns whether it was present */
	remove(packetId: number): boolean {
		const index = this.find(packetId);
		if (index < 0 || this.#ids === undefined) return false;
		this.#ids[index] = this.#ids[--this.#count];
		return true;
	}

	clear(): void {
		this.#count = 0;
	}

	private find(packetId: number): number {
		const ids = this.#ids;
		if (ids !== undefined) for (let i = 0; i < this.#count; i++) if (ids[i] === packetId) return i;
		return -1;
	}
}
