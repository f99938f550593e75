import { COLON, toLower } from "../text/ascii";
import { isSpace, isTokenCharacter } from "./text";

// What the next byte belongs to
const START_LINE = 0;
const START_LINE_FEED = 1;
const FIELD_LINE = 2;
const FIELD_LINE_FEED = 3;
const COMPLETE = 4;
const FAILED = 5;
type HeadPart =
	| typeof START_LINE
	| typeof START_LINE_FEED
	| typeof FIELD_LINE
	| typeof FIELD_LINE_FEED
	| typeof COMPLETE
	| typeof FAILED;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const DEL = 0x7f;

/** Longest head of a request or an answer, bytes. */
export const MAXIMUM_HEAD_SIZE = 8192;

/** What a server answers a malformed head with, or one that is too large (RFC 6585 §5). */
export type HeadStatus = 400 | 431;

/**
 * Parses the head of an HTTP/1.1 message (RFC 9112 §2.1), line by line: a start line, header fields and an
 * empty line. One line at a time is in the store, behind what a subclass keeps of earlier ones. What does not
 * fit there is dropped, so that a long field that nobody asks for does no harm.
 */
export abstract class HeadParser {
	/** Where the lines are stored. */
	protected readonly store: Uint8Array;
	/** Start of the current line in the store. What is before it stays. */
	protected start = 0;
	/** Bytes of the head so far. */
	protected size = 0;
	/** End of the current line; beyond the store if its rest was dropped. */
	#end = 0;
	#part: HeadPart = START_LINE;

	constructor(store: Uint8Array) {
		this.store = store;
	}

	/** The empty line has arrived, and nothing was wrong. */
	get isComplete(): boolean {
		return this.#part === COMPLETE;
	}

	/** The head is neither complete nor refused. */
	get wantsMore(): boolean {
		return this.#part < COMPLETE;
	}

	/** Minimum number of bytes still to come. No more may be read: further bytes may follow the head. */
	get wantedBytes(): number {
		const isEmpty = this.#end === this.start;
		switch (this.#part) {
			case FIELD_LINE:
				return isEmpty ? 2 : 4;
			case FIELD_LINE_FEED:
				return isEmpty ? 1 : 3;
			case START_LINE_FEED:
				return 3;
			default:
				return 4;
		}
	}

	/** Parses bytes [start, end), at most `wantedBytes`. */
	push(bytes: Uint8Array, start: number, end: number): void {
		const { store } = this;
		for (let i = start; i < end && this.#part < COMPLETE; i++) {
			const byte = bytes[i];
			if (++this.size > MAXIMUM_HEAD_SIZE) this.fail(431, `head longer than ${MAXIMUM_HEAD_SIZE} bytes`);
			else if (this.#part === START_LINE_FEED || this.#part === FIELD_LINE_FEED) {
				if (byte === LF) this.endLine();
				else this.fail(400, "CR without LF"); // RFC 9112 §2.2
			} else if (byte === CR) this.#part = this.#part === START_LINE ? START_LINE_FEED : FIELD_LINE_FEED;
			else if ((byte < 0x20 && byte !== TAB) || byte === DEL)
				// RFC 9110 §5.5
				this.fail(400, this.#part === START_LINE ? "not HTTP" : "control character in a header field");
			else {
				if (this.#end < store.length) store[this.#end] = byte;
				this.#end++;
			}
		}
	}

	/** What onStartLine() or onField() has got is refused: nothing more is parsed. */
	protected abstract get isRefused(): boolean;

	/** @param end the start line is [start, end) of the store */
	protected abstract onStartLine(end: number): void;

	/**
	 * A header field. To keep its value, move it to `start`, and `start` behind it.
	 * @param nameEnd its name, in lower case, is [start, nameEnd) of the store
	 * @param from its value, without the white space around it, is [from, to)
	 * @param isCut the rest of the line was dropped, of its value or even of its name
	 */
	protected abstract onField(nameEnd: number, from: number, to: number, isCut: boolean): void;

	/** The head is complete. */
	protected abstract onEnd(): void;

	/** This is no head of HTTP: nothing more is parsed. */
	protected abstract onMalformed(status: HeadStatus, reason: string): void;

	private fail(status: HeadStatus, reason: string): void {
		this.#part = FAILED;
		this.onMalformed(status, reason);
	}

	private endLine(): void {
		const { store, start } = this;
		const lineEnd = this.#end;
		const end = lineEnd < store.length ? lineEnd : store.length;
		const isStartLine = this.#part === START_LINE_FEED;
		this.#part = FIELD_LINE;
		if (isStartLine) this.onStartLine(end);
		else if (lineEnd > start) this.splitField(end, lineEnd > end);
		else {
			this.#part = COMPLETE;
			this.onEnd();
		}
		if (this.isRefused) this.#part = FAILED;
		this.#end = this.start;
	}

	private splitField(end: number, isCut: boolean): void {
		const { store, start } = this;
		let nameEnd = start;
		while (nameEnd < end && isTokenCharacter(store[nameEnd])) {
			store[nameEnd] = toLower(store[nameEnd]);
			nameEnd++;
		}
		// RFC 9112 §5.1, §5.2: no space before the colon, no folding
		if (nameEnd === end ? !isCut : nameEnd === start || store[nameEnd] !== COLON) {
			this.fail(400, "malformed header field");
			return;
		}
		let from = nameEnd === end ? end : nameEnd + 1;
		let to = end;
		while (from < to && isSpace(store[from])) from++;
		while (to > from && isSpace(store[to - 1])) to--;
		this.onField(nameEnd, from, to, isCut);
	}
}
