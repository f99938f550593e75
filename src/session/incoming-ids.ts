/**
 * Packet identifiers of QoS 2 messages that were delivered and whose PUBREL has not arrived: a repeated
 * PUBLISH with one of them is acknowledged but not delivered again. [MQTT-4.3.3-10] [MQTT-3.1.1:4.3.3-2]
 */
export class IncomingIds {
	private used = 0;
	private capacity: number;
	/** Allocated for the first QoS 2 message, as most clients never receive one. */
	private ids: Uint16Array | undefined;

	constructor(capacity: number) {
		this.capacity = capacity;
	}

	get full(): boolean {
		return this.used === this.capacity;
	}

	get count(): number {
		return this.used;
	}

	/** @param index 0 … count − 1, in no particular order */
	at(index: number): number {
		return this.ids === undefined ? 0 : this.ids[index];
	}

	has(packetId: number): boolean {
		return this.find(packetId) >= 0;
	}

	add(packetId: number): void {
		this.ids ??= new Uint16Array(this.capacity);
		this.ids[this.used++] = packetId;
	}

	/** @returns whether it was present */
	remove(packetId: number): boolean {
		const index = this.find(packetId);
		if (index < 0 || this.ids === undefined) return false;
		this.ids[index] = this.ids[--this.used];
		return true;
	}

	clear(): void {
		this.used = 0;
	}

	private find(packetId: number): number {
		const ids = this.ids;
		if (ids !== undefined) for (let i = 0; i < this.used; i++) if (ids[i] === packetId) return i;
		return -1;
	}
}
