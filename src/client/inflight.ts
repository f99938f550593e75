import type { Time } from "../device";
import { PUBACK } from "../mqtt/constants";

/**
 * The QoS state of what this client sent: packet identifiers in use, the packet each waits for, and since when.
 * No I/O and no clock; a table of fixed size.
 */
export class InFlight {
	readonly capacity: number;
	#count = 0;
	#last = 0;
	#ids: Uint16Array;
	#awaited: Uint8Array;
	#since: Float64Array;

	/** @param capacity messages sent and not yet acknowledged, 1 … 65535 */
	constructor(capacity: number) {
		this.capacity = capacity;
		this.#ids = new Uint16Array(capacity);
		this.#awaited = new Uint8Array(capacity);
		this.#since = new Float64Array(capacity);
	}

	get count(): number {
		return this.#count;
	}

	/** A packet identifier that is not in use. [MQTT-2.2.1-3] [MQTT-3.1.1:2.3.1-2] */
	next(): number {
		let id = this.#last;
		do id = id === 65_535 ? 1 : id + 1;
		while (this.#find(id) >= 0);
		return id;
	}

	/** Takes note of a QoS 1 message that was staged with an identifier from {@link next}. Not when `count` is `capacity`. */
	add(packetId: number, now: number): void {
		const index = this.#count++;
		this.#ids[index] = packetId;
		this.#awaited[index] = PUBACK;
		this.#since[index] = now;
		this.#last = packetId;
	}

	/** The type of the packet that `packetId` waits for; 0 when the identifier is not in use. */
	awaited(packetId: number): number {
		const index = this.#find(packetId);
		return index < 0 ? 0 : this.#awaited[index];
	}

	remove(packetId: number): void {
		const index = this.#find(packetId);
		if (index < 0) return;
		const last = --this.#count;
		this.#ids[index] = this.#ids[last];
		this.#awaited[index] = this.#awaited[last];
		this.#since[index] = this.#since[last];
	}

	/** Milliseconds that the message waiting longest has waited; 0 when none waits. */
	age(time: Pick<Time, "delta">, now: number): number {
		let age = 0;
		for (let i = 0; i < this.#count; i++) {
			const waited = time.delta(this.#since[i], now);
			if (waited > age) age = waited;
		}
		return age;
	}

	/** Counts the waiting of every message from now. */
	restart(now: number): void {
		this.#since.fill(now);
	}

	clear(): void {
		this.#count = 0;
	}

	#find(packetId: number): number {
		const ids = this.#ids;
		for (let i = 0, count = this.#count; i < count; i++) if (ids[i] === packetId) return i;
		return -1;
	}
}
