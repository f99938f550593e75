import type { UDP } from "../device";
import {
	CLASS_FLAG,
	CLASS_IN,
	FLAG_AUTHORITATIVE,
	FLAG_RESPONSE,
	HEADER_SIZE,
	MDNS_GROUP,
	MDNS_PORT,
	TYPE_ANY,
} from "./constants";
import type { MessageContent } from "./message-content";
import { type MessageReader, SECTION_ADDITIONAL, SECTION_ANSWER, SECTION_AUTHORITY } from "./message-reader";
import { MessageWriter } from "./message-writer";
import { instanceName, NAME_HOST, type Names } from "./names";
import {
	FORM_GOODBYE,
	FORM_LEGACY,
	FORM_MULTICAST,
	FORM_PROBE,
	type RecordForm,
	type RecordSet,
	type Records,
} from "./records";

/** Bytes of a message: a probe with the longest names fits, records that do not go into further messages. */
const MESSAGE_SIZE = 512;
/** Bytes of questions that an answer repeats, at most: one name and its type. */
const MAXIMUM_QUESTIONS = 272;

/** Composes what this host sends, in one buffer. */
export class MessageSender {
	#records: Records;
	#writer: MessageWriter;
	#questionClass: number;

	/** @param sharesPort whether questions ask for answers to all */
	constructor(names: Names, records: Records, sharesPort: boolean) {
		this.#records = records;
		this.#questionClass = sharesPort ? CLASS_IN : CLASS_IN | CLASS_FLAG;
		this.#writer = new MessageWriter(MESSAGE_SIZE, names);
	}

	/** Asks whether anybody has the names, and says what for they are wanted (RFC 6762 §8.1). */
	probe(socket: UDP): void {
		const writer = this.#writer;
		writer.begin(0, 0);
		this.#question(NAME_HOST);
		const { names, claimed, count } = this.#records;
		for (let name = instanceName(0); name < names.count; name += 2) this.#question(name);
		for (let i = 0; i < count; i++)
			if ((claimed & (1 << i)) !== 0) this.#records.write(writer, SECTION_AUTHORITY, i, FORM_PROBE);
		this.#send(socket, MDNS_GROUP, MDNS_PORT);
	}

	/** The last message that was sent. */
	readSent(reader: MessageReader): void {
		reader.begin(this.#writer.bytes.slice(0, this.#writer.length));
	}

	/** Sends records to all, in as many messages as they need. @param additional sent too if there is room */
	toAll(socket: UDP, records: RecordSet, additional: RecordSet): void {
		this.#answers(socket, records, additional, FORM_MULTICAST, MDNS_GROUP, MDNS_PORT);
	}

	/** Says that records are no longer valid. */
	goodbye(socket: UDP, records: RecordSet): void {
		this.#answers(socket, records, 0, FORM_GOODBYE, MDNS_GROUP, MDNS_PORT);
	}

	toOne(socket: UDP, records: RecordSet, additional: RecordSet, address: string, port: number): void {
		this.#answers(socket, records, additional, FORM_MULTICAST, address, port);
	}

	/** Answers a resolver that does not speak Multicast DNS, with its identifier and question. */
	toLegacy(socket: UDP, query: MessageContent, records: RecordSet, address: string, port: number): void {
		const { reader, questionsEnd } = query;
		const writer = this.#writer;
		if (questionsEnd > MAXIMUM_QUESTIONS) return;
		writer.begin(reader.id, FLAG_RESPONSE | FLAG_AUTHORITATIVE);
		// Where they are, their pointers are right.
		writer.copy(reader.bytes, HEADER_SIZE, questionsEnd);
		writer.bytes[4] = reader.bytes[4];
		writer.bytes[5] = reader.bytes[5];
		if (this.#fill(records, SECTION_ANSWER, FORM_LEGACY) === 0) {
			this.#fill(this.#records.additional(records), SECTION_ADDITIONAL, FORM_LEGACY);
			this.#send(socket, address, port);
		}
	}

	#question(name: number): void {
		const writer = this.#writer;
		const start = writer.length;
		writer.name(name);
		writer.uint16(TYPE_ANY);
		writer.uint16(this.#questionClass);
		writer.finish(0, start);
	}

	#answers(
		socket: UDP,
		records: RecordSet,
		additional: RecordSet,
		form: RecordForm,
		address: string,
		port: number,
	): void {
		const writer = this.#writer;
		for (let left = records; left !== 0; ) {
			writer.begin(0, FLAG_RESPONSE | FLAG_AUTHORITATIVE);
			const rest = this.#fill(left, SECTION_ANSWER, form);
			if (rest === left) return;
			left = rest;
			if (left === 0) this.#fill(additional, SECTION_ADDITIONAL, form);
			this.#send(socket, address, port);
		}
	}

	/** @returns the records for which there is no room */
	#fill(records: RecordSet, section: number, form: RecordForm): RecordSet {
		let left = records;
		for (let i = 0; i < this.#records.count; i++)
			if ((records & (1 << i)) !== 0 && this.#records.write(this.#writer, section, i, form))
				left &= ~(1 << i);
		return left;
	}

	#send(socket: UDP, address: string, port: number): void {
		const { bytes, length } = this.#writer;
		try {
			socket.write(bytes.subarray(0, length), address, port);
		} catch {
			// The network is down at the moment; who still needs the answer asks again.
		}
	}
}
