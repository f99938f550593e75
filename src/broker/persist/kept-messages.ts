import { Message } from "../message";
import type { Messages } from "../messages";
import type { Body } from "./body";
import type { Lifetime } from "./lifetime";

const RETAIN = 4;
/** What a record has besides topic, properties and payload, bytes. */
const OVERHEAD = 11;

/** Messages in stored records. */
export class KeptMessages {
	/** What was read last, or is written. */
	readonly message: Message;
	readonly #body: Body;
	readonly #lifetime: Lifetime;

	constructor(body: Body, lifetime: Lifetime) {
		this.message = new Message(body.bytes);
		this.#body = body;
		this.#lifetime = lifetime;
	}

	/**
	 * Whether a copy can be a record of its own. One whose topic came as an alias, with a payload that left no room for it, cannot; nor can it be sent to a client
	 * that has no alias for the topic yet, as after a restart none has.
	 */
	fits(messages: Messages, record: number): boolean {
		messages.read(record, this.message);
		return this.message.size + OVERHEAD <= this.#body.room;
	}

	/** Writes a copy, as the last thing in a record. */
	write(messages: Messages, record: number): void {
		const body = this.#body;
		const message = this.message;
		messages.read(record, message);
		body.u8(message.qos | (message.retain ? RETAIN : 0));
		body.u48(this.#lifetime.from(message.arrived));
		body.u16(message.topicEnd - message.topicStart);
		body.u16(message.propertiesEnd - message.propertiesStart);
		body.copy(message.bytes, message.topicStart, message.payloadEnd);
	}

	/** Reads one into `message`. */
	read(): void {
		const body = this.#body;
		const message = this.message;
		const flags = body.readU8();
		message.bytes = body.bytes;
		message.qos = flags & 3;
		message.retain = (flags & RETAIN) !== 0;
		message.arrived = this.#lifetime.to(body.readU48());
		const topic = body.readU16();
		const properties = body.readU16();
		message.topicStart = body.at;
		message.topicEnd = body.at + topic;
		message.propertiesStart = message.topicEnd;
		message.propertiesEnd = message.topicEnd + properties;
		message.payloadStart = message.propertiesEnd;
		message.payloadEnd = body.end;
	}
}
