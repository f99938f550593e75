import type { QoS } from "../../mqtt/constants";
import { Message } from "../pool/message";
import type { Messages } from "../pool/messages";
import type { PersistentClock } from "./persistent-clock";
import type { RecordCodec } from "./record-codec";
import { CONTENT_KIND, type TransactionalStore, VALUE_KIND } from "./transactional-store";

const RETAIN = 4;
/** Bytes of a record besides topic, properties and payload. */
const OVERHEAD = 11;

/** Encodes and decodes messages in stored records. */
export class MessageRecords {
	/** The message that was read or written last. */
	readonly message: Message;
	readonly #codec: RecordCodec;
	readonly #persistentClock: PersistentClock;

	constructor(codec: RecordCodec, persistentClock: PersistentClock) {
		this.message = new Message(codec.bytes);
		this.#codec = codec;
		this.#persistentClock = persistentClock;
	}

	/**
	 * Whether a message fits in a record of its own. A message whose topic arrived as an alias, with a payload
	 * that leaves no room for the topic, does not fit; it could not be sent after a restart anyway, as no
	 * client has an alias for the topic then.
	 */
	fits(messages: Messages, record: number): boolean {
		messages.readInto(record, this.message);
		return this.message.size + OVERHEAD <= this.#codec.maxSize;
	}

	/** Writes a message as the last part of a record. */
	writeMessage(messages: Messages, record: number): void {
		const codec = this.#codec;
		const message = this.message;
		messages.readInto(record, message);
		codec.writeU8(message.qos | (message.retain ? RETAIN : 0));
		codec.writeU48(this.#persistentClock.fromBrokerTime(message.arrivedAtMs));
		codec.writeU16(message.topicEnd - message.topicStart);
		codec.writeU16(message.propertiesEnd - message.propertiesStart);
		codec.writeBytes(message.bytes, message.topicStart, message.payloadEnd);
	}

	/**
	 * The latest arrival time of the stored messages, ms of the persistent clock, which the last commit cannot
	 * precede. Called before that clock is set, as its own record may be lost.
	 */
	latestArrivalMs(recordStore: TransactionalStore): number {
		let latestMs = 0;
		for (const kind of [VALUE_KIND, CONTENT_KIND] as const)
			for (let i = 1; i < recordStore.dirtyFlags[kind].states.length; i++) {
				if (!recordStore.readRecord(kind, i)) continue;
				this.readMessage();
				latestMs = Math.max(latestMs, this.message.arrivedAtMs);
			}
		return latestMs;
	}

	/** Reads a message into `message`. */
	readMessage(): void {
		const codec = this.#codec;
		const message = this.message;
		const flags = codec.readU8();
		message.bytes = codec.bytes;
		message.qos = (flags & 3) as QoS;
		message.retain = (flags & RETAIN) !== 0;
		message.arrivedAtMs = this.#persistentClock.toBrokerTime(codec.readU48());
		const topic = codec.readU16();
		const properties = codec.readU16();
		message.topicStart = codec.at;
		message.topicEnd = codec.at + topic;
		message.propertiesStart = message.topicEnd;
		message.propertiesEnd = message.topicEnd + properties;
		message.payloadStart = message.propertiesEnd;
		message.payloadEnd = codec.end;
	}
}
