import { copyBytes } from "../../mqtt/bytes";

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
const TOPIC_LENGTH = 1;
const PAYLOAD_LENGTH = 2;
const FLAGS = 3;
const STATE = 4;
const PACKET_ID = 5;
const COLUMNS = 6;

/**
 * Messages in the order in which they were added, in two arrays of fixed size without gaps: topic and payload
 * of each in one, its numbers in the other. Allocates nothing after construction.
 */
export class MessageStore {
	/** Topic and payload of each message, one after the other. */
	readonly bytes: Uint8Array;
	/** Messages. */
	count = 0;
	/** Bytes in use. */
	length = 0;
	readonly #capacity: number;
	readonly #rows: Float64Array;

	/** @param messages how many at most @param bytes of all topics and payloads */
	constructor(messages: number, bytes: number) {
		this.#capacity = messages;
		this.bytes = new Uint8Array(bytes);
		this.#rows = new Float64Array(messages * COLUMNS);
	}

	/** Whether a message of that many bytes has room now. */
	fits(size: number): boolean {
		return this.count < this.#capacity && this.length + size <= this.bytes.length;
	}

	/** Call only if it fits. */
	add(handle: number, topic: Uint8Array, payload: Uint8Array, payloadLength: number, flags: number): void {
		const { bytes } = this;
		const at = copyBytes(bytes, this.length, topic, 0, topic.length);
		this.length = copyBytes(bytes, at, payload, 0, payloadLength);
		const row = this.count++ * COLUMNS;
		const rows = this.#rows;
		rows[row + HANDLE] = handle;
		rows[row + TOPIC_LENGTH] = topic.length;
		rows[row + PAYLOAD_LENGTH] = payloadLength;
		rows[row + FLAGS] = flags;
		rows[row + STATE] = QUEUED;
		rows[row + PACKET_ID] = 0;
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

	/** Bytes of topic and payload. */
	size(index: number): number {
		return this.topicLength(index) + this.#rows[index * COLUMNS + PAYLOAD_LENGTH];
	}

	topicLength(index: number): number {
		return this.#rows[index * COLUMNS + TOPIC_LENGTH];
	}

	handle(index: number): number {
		return this.#rows[index * COLUMNS + HANDLE];
	}

	flags(index: number): number {
		return this.#rows[index * COLUMNS + FLAGS];
	}

	state(index: number): MessageState {
		return this.#rows[index * COLUMNS + STATE] as MessageState;
	}

	/** 0: the message was never sent. */
	packetId(index: number): number {
		return this.#rows[index * COLUMNS + PACKET_ID];
	}

	setState(index: number, state: MessageState, packetId: number): void {
		this.#rows[index * COLUMNS + STATE] = state;
		this.#rows[index * COLUMNS + PACKET_ID] = packetId;
	}
}
