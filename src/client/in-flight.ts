import type { Time } from "../device";
import { PUBACK } from "../mqtt/constants";

/**
 * QoS state of the messages in flight to the broker: packet identifiers in use, the packet each waits for,
 * and since when. No I/O and no clock; a table of fixed size.
 */
export class InFlight {
	readonly capacity: number;
	#count = 0;
	#lastPacketId = 0;
	/**
	 * Packet identifier of each message, followed by the start of each wait in ticks. One array takes half the
	 * slots of two.
	 */
	#table: Float64Array;

	/** @param capacity maximum number of messages in flight, 1 … 65535 */
	constructor(capacity: number) {
		this.capacity = capacity;
		this.#table = new Float64Array(2 * capacity);
	}

	get count(): number {
		return this.#count;
	}

	/**
	 * A packet identifier that is not in use. [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-3.1.1:2.3.1-2]
	 * [MQTT-3.1.1:4.3.2-1]
	 */
	nextPacketId(): number {
		let id = this.#lastPacketId;
		do id = id === 65_535 ? 1 : id + 1;
		while (this.find(id) >= 0);
		return id;
	}

	/**
	 * Records a staged QoS 1 message until PUBACK. Its identifier must not be in use, and `count` must be below
	 * `capacity`. [MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-2]
	 */
	add(packetId: number, now: number): void {
		const index = this.#count++;
		this.#table[index] = packetId;
		this.#table[this.capacity + index] = now;
		this.#lastPacketId = packetId;
	}

	/** The type of the packet that `packetId` waits for; 0 when the identifier is not in use. */
	awaitedPacketType(packetId: number): number {
		return this.find(packetId) < 0 ? 0 : PUBACK;
	}

	/** @returns whether it was in use */
	remove(packetId: number): boolean {
		const index = this.find(packetId);
		if (index < 0) return false;
		const last = --this.#count;
		const table = this.#table;
		table[index] = table[last];
		table[this.capacity + index] = table[this.capacity + last];
		return true;
	}

	/** Longest wait of a message, in ms; 0 if there is none. */
	longestWaitMs(time: Pick<Time, "delta">, now: number): number {
		let longest = 0;
		for (let i = 0; i < this.#count; i++) {
			const waited = time.delta(this.#table[this.capacity + i], now);
			if (waited > longest) longest = waited;
		}
		return longest;
	}

	/** Restarts the wait of every message. */
	restartWaits(now: number): void {
		this.#table.fill(now, this.capacity);
	}

	clear(): void {
		this.#count = 0;
	}

	private find(packetId: number): number {
		const ids = this.#table;
		for (let i = 0, count = this.#count; i < count; i++) if (ids[i] === packetId) return i;
		return -1;
	}
}
