import { CLASS_ANY, CLASS_IN, HEADER_SIZE } from "./constants";
import { MessageReader, SECTION_ANSWER, SECTION_AUTHORITY, SECTION_QUESTION } from "./message-reader";
import { NAME_HOST } from "./names";
import type { RecordSet, Records } from "./records";

/** What a message of another host means for the records of this one. */
export class MessageContent {
	readonly reader = new MessageReader();
	#records: Records;

	// Of a query
	/** Records that it asks for; to be answered to all. */
	wanted: RecordSet = 0;
	/** The same; an answer to the one who asks is enough. */
	wantedByUnicast: RecordSet = 0;
	/** Records that the one who asks has already (RFC 6762 §7.1). */
	known: RecordSet = 0;
	/** It claims names of its own. */
	isProbe = false;
	/** Index after its questions. */
	questionsEnd = 0;

	// Of a response
	/** Somebody else uses the host's name for another address. */
	hostConflict = false;
	/** Somebody else uses the name of the services for another one. */
	instanceConflict = false;
	/** Records that it has, with the lifetime that this host gives or a longer one (RFC 6762 §7.4). */
	present: RecordSet = 0;
	/** Records that it lets expire too early, or deletes. */
	endangered: RecordSet = 0;

	constructor(records: Records) {
		this.#records = records;
	}

	/** @returns whether it is a message at all */
	read(bytes: Uint8Array<ArrayBuffer>): boolean {
		const { reader } = this;
		this.wanted = this.wantedByUnicast = this.known = this.present = this.endangered = 0;
		this.isProbe = this.hostConflict = this.instanceConflict = false;
		this.questionsEnd = HEADER_SIZE;
		if (!reader.begin(bytes)) return false;
		const { isResponse } = reader;
		while (reader.read()) {
			const { section } = reader;
			if (isResponse) {
				if (section !== SECTION_QUESTION) this.#onRecord();
			} else if (section === SECTION_QUESTION) this.#onQuestion();
			else if (section === SECTION_ANSWER) this.#onKnownAnswer();
			else if (section === SECTION_AUTHORITY) this.isProbe = true;
		}
		this.wanted &= ~this.known;
		this.wantedByUnicast &= ~this.known & ~this.wanted;
		return true;
	}

	#onQuestion(): void {
		const { reader } = this;
		this.questionsEnd = reader.next;
		if (reader.class !== CLASS_IN && reader.class !== CLASS_ANY) return;
		const name = this.#records.names.find(reader.bytes, reader.nameAt);
		if (name < 0) return;
		const answers = this.#records.answers(name, reader.type);
		if (reader.flag) this.wantedByUnicast |= answers;
		else this.wanted |= answers;
	}

	#onKnownAnswer(): void {
		const record = this.#records.find(this.reader);
		if (record >= 0 && this.#lasts(record) && this.#records.hasData(record, this.reader))
			this.known |= 1 << record;
	}

	#onRecord(): void {
		const { reader } = this;
		const record = this.#records.find(reader);
		if (record < 0) return;
		if (this.#records.hasData(record, reader)) {
			if (reader.ttlSeconds >= this.#records.ttlOf(record)) this.present |= 1 << record;
			else if (!this.#lasts(record)) this.endangered |= 1 << record;
		} else if (reader.ttlSeconds > 0) {
			if (this.#records.nameOf(record) === NAME_HOST) this.hostConflict = true;
			else this.instanceConflict = true;
		}
	}

	/** Whether the reader's entry lasts for half of the record's lifetime (RFC 6762 §7.1, §6.6). */
	#lasts(record: number): boolean {
		return 2 * this.reader.ttlSeconds >= this.#records.ttlOf(record);
	}
}
