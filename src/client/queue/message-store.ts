import { copyBytes } from "../../mqtt/bytes";
import type { PropertyWriter } from "../../mqtt/property-writer";

// States of a message
/** Not sent, or new to the broker. */
export const QUEUED = 0;
/** Sent with QoS 1 or 2. */
export const SENT = 1;
/** PUBREC has arrived. */
export const RECEIVED = 2;
export type MessageState = typeof QUEUED | typeof SENT | typeof RECEIVED;

// Columns of a message
const HANDLE = 0;
/** Bytes of the topic, and 65,536 times those of the properties. */
const LENGTHS = 1;
const PAYLOAD_LENGTH = 2;
/** Flags of PUBLISH, 16 times the state, and 64 times the packet identifier. */
const STATUS = 3;
const EXPIRES_AT = 4;
const COLUMNS = 5;

/**
 * Messages in the order in which they were added, in two arrays of fixed size without gaps: topic, payload
 * and properties of each in one, its numbers in the other. Allocates nothing after construction.
 */
export class MessageStore {
	/** Topic, payload and properties of each message, one after the other. */
	readonly bytes: Uint8Array;
	/** Messages. */
	count = 0;
	/** Bytes in use. */
	length = 0;
	readonly #capacity: number;
	readonly #rows: Float64Array;

	/** @param messages how many at most @param bytes of all topics, payloads and properties */
	constructor(messages: number, bytes: number) {
		this.#capacity = messages;
		this.bytes = new Uint8Array(bytes);
		this.#rows = new Float64Array(messages * COLUMNS);
	}

	/** Whether a message of that many bytes has room now. */
	fits(size: number): boolean {
		return this.count < this.#capacity && this.length + size <= this.bytes.length;
	}

	/**
	 * Call only if it fits.
	 * @param expiresAt ms of the caller's clock; 0: never
	 */
	add(
		handle: number,
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties: PropertyWriter | undefined,
		expiresAt: number,
	): void {
		const { bytes } = this;
		const propertiesLength = properties === undefined ? 0 : properties.length;
		let at = copyBytes(bytes, this.length, topic, 0, topic.length);
		at = copyBytes(bytes, at, payload, 0, payloadLength);
		this.length = properties === undefined ? at : copyBytes(bytes, at, properties.bytes, 0, propertiesLength);
		const row = this.count++ * COLUMNS;
		const rows = this.#rows;
		rows[row + HANDLE] = handle;
		rows[row + LENGTHS] = topic.length + propertiesLength * 0x10000;
		rows[row + PAYLOAD_LENGTH] = payloadLength;
		rows[row + STATUS] = flags;
		rows[row + EXPIRES_AT] = expiresAt;
	}

	/** Removes the message at an index; those behind it move up. */
	remove(index: number): void {
		const start = this.start(index);
		const end = start + this.size(index);
		this.bytes.copyWithin(start, end, this.length);
		this.length -= end - start;
		this.#rows.copyWithin(index * COLUMNS, (index + 1) * COLUMNS, this.count * COLUMNS);
		this.count--;
	}

	/** Index of a handle; −1: it is gone. */
	find(handle: number): number {
		for (let i = 0; i < this.count; i++) if (this.#rows[i * COLUMNS + HANDLE] === handle) return i;
		return -1;
	}

	/** Index of the message in flight with a packet identifier; −1 if there is none. */
	findPacketId(packetId: number): number {
		for (let i = 0; i < this.count; i++)
			if (this.state(i) !== QUEUED && this.packetId(i) === packetId) return i;
		return -1;
	}

	/** First byte of a message: that of its topic. */
	start(index: number): number {
		let at = 0;
		for (let i = 0; i < index; i++) at += this.size(i);
		return at;
	}

	/** Bytes of topic, payload and properties. */
	size(index: number): number {
		const row = index * COLUMNS;
		const lengths = this.#rows[row + LENGTHS];
		return (lengths & 0xffff) + (lengths >>> 16) + this.#rows[row + PAYLOAD_LENGTH];
	}

	topicLength(index: number): number {
		return this.#rows[index * COLUMNS + LENGTHS] & 0xffff;
	}

	propertiesLength(index: number): number {
		return this.#rows[index * COLUMNS + LENGTHS] >>> 16;
	}

	handle(index: number): number {
		return this.#rows[index * COLUMNS + HANDLE];
	}

	flags(index: number): number {
		return this.#rows[index * COLUMNS + STATUS] & 0xf;
	}

	state(index: number): MessageState {
		return ((this.#rows[index * COLUMNS + STATUS] >> 4) & 3) as MessageState;
	}

	/** 0: the message was never sent. */
	packetId(index: number): number {
		return this.#rows[index * COLUMNS + STATUS] >> 6;
	}

	/** ms of the caller's clock; 0: never. */
	expiresAt(index: number): number {
		return this.#rows[index * COLUMNS + EXPIRES_AT];
	}

	setState(index: number, state: MessageState, packetId: number): void {
		this.#rows[index * COLUMNS + STATUS] = this.flags(index) | (state << 4) | (packetId << 6);
	}
}
