import { CLASS_FLAG, FLAG_RESPONSE, FLAGS_ZERO, HEADER_SIZE } from "./constants";
import { skipName } from "./wire-name";

// Sections of a message
export const SECTION_QUESTION = 0;
export const SECTION_ANSWER = 1;
export const SECTION_AUTHORITY = 2;
export const SECTION_ADDITIONAL = 3;

/** Type and class of a question; of a record also lifetime and length of the data. */
const QUESTION_SIZE = 4;
const RECORD_SIZE = 10;

/**
 * Reads a DNS message, entry after entry, in place. Whatever its bytes are, it terminates and reads nothing
 * outside them; what follows a malformed entry is ignored.
 */
export class MessageReader {
	bytes = new Uint8Array(0);
	#nothing = this.bytes;
	/** Of the present entry. */
	section = SECTION_QUESTION;
	nameAt = 0;
	type = 0;
	class = 0;
	/** {@link CLASS_FLAG} of the entry. */
	flag = false;
	ttlSeconds = 0;
	dataAt = 0;
	dataLength = 0;
	#next = 0;
	#left = 0;

	/** @returns whether it is a message at all */
	begin(bytes: Uint8Array<ArrayBuffer>): boolean {
		this.bytes = bytes;
		this.rewind();
		return bytes.length >= HEADER_SIZE && (this.flags & FLAGS_ZERO) === 0;
	}

	/** Lets go of the message. */
	end(): void {
		this.bytes = this.#nothing;
	}

	/** Before the first entry again. */
	rewind(): void {
		this.section = SECTION_QUESTION;
		this.#next = HEADER_SIZE;
		this.#left = this.count(SECTION_QUESTION);
	}

	get id(): number {
		return this.uint16(0);
	}

	get flags(): number {
		return this.uint16(2);
	}

	get isResponse(): boolean {
		return (this.flags & FLAG_RESPONSE) !== 0;
	}

	/** Entries of a section, as the header says. */
	count(section: number): number {
		return this.uint16(4 + 2 * section);
	}

	/** Index after the present entry. */
	get next(): number {
		return this.#next;
	}

	/** Reads the next entry; false: there is none. */
	read(): boolean {
		while (this.#left === 0) {
			if (this.section === SECTION_ADDITIONAL) return false;
			this.#left = this.count(++this.section);
		}
		this.#left--;
		const { bytes, section } = this;
		const at = skipName(bytes, this.#next);
		if (at < 0) return this.#malformed();
		const end = at + (section === SECTION_QUESTION ? QUESTION_SIZE : RECORD_SIZE);
		if (end > bytes.length) return this.#malformed();
		this.nameAt = this.#next;
		this.type = this.uint16(at);
		this.class = this.uint16(at + 2) & ~CLASS_FLAG;
		this.flag = (bytes[at + 2] & (CLASS_FLAG >> 8)) !== 0;
		this.#next = end;
		if (section === SECTION_QUESTION) return true;
		this.ttlSeconds = this.uint32(at + 4);
		this.dataAt = end;
		this.dataLength = this.uint16(at + 8);
		this.#next = end + this.dataLength;
		return this.#next <= bytes.length || this.#malformed();
	}

	uint16(at: number): number {
		return (this.bytes[at] << 8) | this.bytes[at + 1];
	}

	uint32(at: number): number {
		return this.uint16(at) * 0x1_0000 + this.uint16(at + 2);
	}

	#malformed(): boolean {
		this.section = SECTION_ADDITIONAL;
		this.#left = 0;
		return false;
	}
}
