import { readUint32 } from "../../mqtt/bytes";
import type { QoS } from "../../mqtt/constants";
import { MESSAGE_EXPIRY_INTERVAL } from "../../mqtt/properties";
import type { Arena } from "./arena";
import type { Memory } from "./memory";
import type { Message } from "./message";
import { EXPIRY_BYTES } from "./message-properties";

/** Record sizes are multiples of this, bytes, so that a value one digit longer still fits its record. */
const ROUNDING = 8;
const RETAIN = 4;

// Columns
const TOPIC = 0;
const PROPERTIES = 1;
const PAYLOAD = 2;
const FLAGS = 3;

/** Copies of messages in an arena, identified by their record numbers. */
export class Messages {
	readonly arena: Arena;
	/** TOPIC, PROPERTIES and PAYLOAD in bytes, and FLAGS (QoS, and whether retained) of each record. */
	readonly #parts: Uint16Array;
	readonly #arrivedAtMs: Float64Array;

	/** @param records as given to the arena @param timed whether to store arrival times */
	constructor(memory: Memory, arena: Arena, records: number, timed = true) {
		this.arena = arena;
		this.#parts = memory.tables.u16(4 * records + 4);
		this.#arrivedAtMs = memory.tables.f64(timed ? records + 1 : 0);
	}

	/** Size of a message's record, bytes. */
	roundedSize(message: Message): number {
		return (message.size + ROUNDING - 1) & -ROUNDING;
	}

	/** Copies a message of the memory, which must not lie in this arena; returns 0 if there is no room. */
	add(message: Message): number {
		const record = this.arena.allocate(this.roundedSize(message));
		if (record !== 0) this.overwrite(record, message);
		return record;
	}

	/** Replaces the message in a record, which must be large enough. */
	overwrite(record: number, message: Message): void {
		const bytes = this.arena.bytes;
		const parts = this.#parts;
		const row = 4 * record;
		const topic = message.topicEnd - message.topicStart;
		const properties = message.propertiesEnd - message.propertiesStart;
		let at = this.arena.offset(record);
		bytes.copyWithin(at, message.topicStart, message.topicEnd);
		at += topic;
		if (properties !== 0) bytes.copyWithin(at, message.propertiesStart, message.propertiesEnd);
		bytes.copyWithin(at + properties, message.payloadStart, message.payloadEnd);
		parts[row + TOPIC] = topic;
		parts[row + PROPERTIES] = properties;
		parts[row + PAYLOAD] = message.payloadEnd - message.payloadStart;
		parts[row + FLAGS] = message.qos | (message.retain ? RETAIN : 0);
		this.#arrivedAtMs[record] = message.arrivedAtMs;
	}

	/** Fills `message` with the parts of a copy. */
	readInto(record: number, message: Message): void {
		const start = this.arena.offset(record);
		const parts = this.#parts;
		const row = 4 * record;
		const properties = start + parts[row + TOPIC];
		const payload = properties + parts[row + PROPERTIES];
		const flags = parts[row + FLAGS];
		message.bytes = this.arena.bytes;
		message.topicStart = start;
		message.topicEnd = properties;
		message.propertiesStart = properties;
		message.propertiesEnd = payload;
		message.payloadStart = payload;
		message.payloadEnd = payload + parts[row + PAYLOAD];
		message.qos = (flags & 3) as QoS;
		message.retain = (flags & RETAIN) !== 0;
		message.arrivedAtMs = this.#arrivedAtMs[record];
	}

	/** Index of the first byte of a copy's topic. */
	topicStart(record: number): number {
		return this.arena.offset(record);
	}

	topicLength(record: number): number {
		return this.#parts[4 * record + TOPIC];
	}

	topicEnd(record: number): number {
		return this.arena.offset(record) + this.#parts[4 * record + TOPIC];
	}

	isRetained(record: number): boolean {
		return (this.#parts[4 * record + FLAGS] & RETAIN) !== 0;
	}

	arrivedAtMs(record: number): number {
		return this.#arrivedAtMs[record];
	}

	/**
	 * Expiry time of a copy, ms of the broker's clock; infinite without a message expiry interval (§3.3.2.3.3).
	 * An interval of 0 s counts as 1 s.
	 */
	expiresAtMs(record: number): number {
		const properties = this.topicEnd(record);
		if (
			this.#parts[4 * record + PROPERTIES] < EXPIRY_BYTES ||
			this.arena.bytes[properties] !== MESSAGE_EXPIRY_INTERVAL
		)
			return Number.POSITIVE_INFINITY;
		return this.#arrivedAtMs[record] + 1000 * Math.max(1, readUint32(this.arena.bytes, properties + 1));
	}

	/** Moves the arrival time of a copy back by `ms`. */
	backdate(record: number, ms: number): void {
		this.#arrivedAtMs[record] -= ms;
	}
}
