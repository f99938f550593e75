import type { Time } from "../device";
import { IDLE, PUBCOMP_PENDING, PUBREC_PENDING, type SenderState, SUBACK_PENDING } from "./delivery";

// Packet identifier, state and tag are kept in one number of at most 52 bits.
const STATE_UNIT = 0x10000;
const TAG_UNIT = 0x100000;

/**
 * What is in flight from a sender: QoS 1 and 2 messages, and a client's requests, SUBSCRIBE and UNSUBSCRIBE.
 * The packet identifiers in use, which all share (§2.2.1), the state of each, and since when it waits.
 * No I/O and no clock; a table of fixed size.
 */
export class InFlight {
	readonly capacity: number;
	/** Entries: messages and requests. */
	private entryCount = 0;
	private requests = 0;
	private lastPacketId = 0;
	/**
	 * Packet identifier, state and tag of each entry, followed by the start of each wait in ticks. One array
	 * takes half the slots of two.
	 */
	private table: Float64Array;

	/** @param capacity maximum number of messages and requests in flight, 1 … 65535 */
	constructor(capacity: number) {
		this.capacity = capacity;
		this.table = new Float64Array(2 * capacity);
	}

	/** Messages in flight. */
	get count(): number {
		return this.entryCount - this.requests;
	}

	/** Whether one more message may be in flight. @param most messages that may be */
	hasQuota(most: number): boolean {
		const entries = this.entryCount;
		return entries < this.capacity && entries - this.requests < most;
	}

	/** Requests in flight. */
	get requestCount(): number {
		return this.requests;
	}

	/** Whether a message has QoS 2, for which a packet is still to be sent. */
	get hasQos2(): boolean {
		const table = this.table;
		for (let i = 0, count = this.entryCount; i < count; i++) {
			const state = stateOf(table[i]);
			if (state === PUBREC_PENDING || state === PUBCOMP_PENDING) return true;
		}
		return false;
	}

	/**
	 * A packet identifier that is not in use. [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-3.1.1:2.3.1-2]
	 * [MQTT-3.1.1:4.3.2-1] [MQTT-3.1.1:4.3.3-1]
	 */
	nextPacketId(): number {
		let id = this.lastPacketId;
		do id = id === 65_535 ? 1 : id + 1;
		while (this.find(id) >= 0);
		return id;
	}

	/**
	 * Records a staged message or request until it is acknowledged. Its identifier must not be in use, and
	 * `count` and `requestCount` together must be below `capacity`. [MQTT-4.3.2-3] [MQTT-4.3.3-3]
	 * [MQTT-4.1.0-1] [MQTT-3.1.1:4.1.0-2]
	 * @param tag the sender's own number for the message, 1 … 2^32 − 1; several may have the same; 0: none. Of
	 *   a request: its topic filters
	 */
	add(packetId: number, state: SenderState, now: number, tag = 0): void {
		const index = this.entryCount++;
		if (state >= SUBACK_PENDING) this.requests++;
		this.table[index] = packetId + state * STATE_UNIT + tag * TAG_UNIT;
		this.table[this.capacity + index] = now;
		this.lastPacketId = packetId;
	}

	/** Entry of a packet identifier, until another is removed; −1: it is not in use. */
	find(packetId: number): number {
		const table = this.table;
		for (let i = 0, count = this.entryCount; i < count; i++) if ((table[i] & 0xffff) === packetId) return i;
		return -1;
	}

	/** IDLE when the identifier is not in use. */
	state(packetId: number): SenderState {
		return this.stateAt(this.find(packetId));
	}

	/** State of an entry from {@link find}; IDLE of −1. */
	stateAt(entry: number): SenderState {
		// As stateOf(), which would cost more than it does
		return entry < 0 ? IDLE : (((this.table[entry] / STATE_UNIT) & 0xf) as SenderState);
	}

	/** Tag of an entry from {@link find}, of a request its topic filters; 0 if it has none, and of −1. */
	tagAt(entry: number): number {
		return entry < 0 ? 0 : Math.floor(this.table[entry] / TAG_UNIT);
	}

	/** Whether a message with this tag is in flight. */
	hasTag(tag: number): boolean {
		const table = this.table;
		for (let i = 0, count = this.entryCount; i < count; i++) if (messageTag(table[i]) === tag) return true;
		return false;
	}

	/** The smallest tag in flight; 0 if there is none. */
	get smallestTag(): number {
		const table = this.table;
		let smallest = 0;
		for (let i = 0, count = this.entryCount; i < count; i++) {
			const tag = messageTag(table[i]);
			if (tag > 0 && (smallest === 0 || tag < smallest)) smallest = tag;
		}
		return smallest;
	}

	/** Removes a tag from its messages, which stay in flight. */
	removeTag(tag: number): void {
		const table = this.table;
		for (let i = 0, count = this.entryCount; i < count; i++)
			if (messageTag(table[i]) === tag) table[i] -= tag * TAG_UNIT;
	}

	/** Sets the state of an identifier in use, and restarts its wait; with IDLE removes it. */
	setState(packetId: number, state: SenderState, now: number): void {
		this.setStateAt(this.find(packetId), state, now);
	}

	/** As {@link setState}. @param index entry from {@link find}; −1: does nothing */
	setStateAt(index: number, state: SenderState, now: number): void {
		if (index < 0) return;
		const table = this.table;
		if (state !== IDLE) {
			table[index] += (state - stateOf(table[index])) * STATE_UNIT;
			table[this.capacity + index] = now;
			return;
		}
		this.remove(index, stateOf(table[index]));
	}

	/** Removes an entry from {@link find}. @param state its state */
	remove(index: number, state: SenderState): void {
		if (state >= SUBACK_PENDING) this.requests--;
		const last = --this.entryCount;
		if (index === last) return;
		const table = this.table;
		table[index] = table[last];
		table[this.capacity + index] = table[this.capacity + last];
	}

	/** Longest wait of a message or request, in ms; 0 if there is none. */
	longestWaitMs(time: Pick<Time, "delta">, now: number): number {
		let longest = 0;
		for (let i = 0; i < this.entryCount; i++) {
			const waited = time.delta(this.table[this.capacity + i], now);
			if (waited > longest) longest = waited;
		}
		return longest;
	}

	/** Restarts every wait. */
	restartWaits(now: number): void {
		this.table.fill(now, this.capacity);
	}

	clear(): void {
		this.entryCount = this.requests = 0;
	}
}

function stateOf(entry: number): SenderState {
	return ((entry / STATE_UNIT) & 0xf) as SenderState;
}

function tagOf(entry: number): number {
	return Math.floor(entry / TAG_UNIT);
}

/** Tag of a message; 0 for a request. */
function messageTag(entry: number): number {
	return stateOf(entry) >= SUBACK_PENDING ? 0 : tagOf(entry);
}
