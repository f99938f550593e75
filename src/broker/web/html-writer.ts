import { validUTF8 } from "../../mqtt/utf8";
import { hexDigit, SPACE } from "../../text/ascii";
import { writeInteger } from "../../text/decimal";
import type { Timestamp } from "../core/timestamp";
import {
	BYTES,
	DAYS,
	EMPTY,
	HOURS,
	HOURS_END,
	MINUTES,
	SECONDS,
	TIME,
	TIME_END,
	TIME_TEXT,
	TRUNCATED,
} from "./markup";

const AMPERSAND = 0x26;
const LESS = 0x3c;
const GREATER = 0x3e;
/** Most bytes that one character takes: `&amp;`. */
const MAX_ESCAPE_SIZE = 5;
/** Most digits of a number. */
const MAX_DIGITS = 15;
/** Length of a calendar time; a shorter text is an age. */
const CALENDAR_SIZE = 24;
/** Most bytes that are shown of a binary value. */
const MAX_HEX_BYTES = 16;

/**
 * Writes HTML to a piece of a page. A write that does not fit sets `full`; the caller then rewinds to the end
 * of the last complete part. Untrusted text is written only between tags, never into attributes, and escaped.
 */
export class HtmlWriter {
	bytes: Uint8Array;
	/** Index of the next byte, and end of the piece. */
	at = 0;
	end = 0;
	full = false;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}

	/** Begins a piece. */
	startPiece(bytes: Uint8Array, start: number, end: number): void {
		this.bytes = bytes;
		this.at = start;
		this.end = end;
		this.full = false;
	}

	/** Discards everything from `at` on. */
	rewind(at: number): void {
		this.at = at;
	}

	/** Writes all of the markup, or nothing. */
	put(markup: Uint8Array): void {
		if (!this.fits(markup.length)) return;
		this.bytes.set(markup, this.at);
		this.at += markup.length;
	}

	/** Writes as much markup from `offset` on as fits. @returns the index in it after that */
	putPartial(markup: Uint8Array, offset: number): number {
		const { bytes, end } = this;
		let { at } = this;
		let i = offset;
		while (i < markup.length && at < end) bytes[at++] = markup[i++];
		this.at = at;
		if (i < markup.length) this.full = true;
		return i;
	}

	number(value: number): void {
		if (this.fits(MAX_DIGITS)) this.at = writeInteger(this.bytes, this.at, value);
	}

	/**
	 * Writes valid UTF-8 as text: HTML special characters are escaped, and control characters, which could move
	 * the cursor of a terminal, become spaces.
	 * @param room most bytes to write
	 * @returns whether the text is complete
	 */
	text(source: Uint8Array, start: number, end: number, room: number): boolean {
		const { bytes } = this;
		const roomEnd = this.at + room;
		const limit = Math.min(roomEnd, this.end) - MAX_ESCAPE_SIZE;
		let { at } = this;
		let i = start;
		while (i < end && at <= limit) {
			const byte = source[i++];
			if (byte === AMPERSAND || byte === LESS || byte === GREATER) at = entity(bytes, at, byte);
			else if (byte === 0xc2 && source[i] < 0xa0) {
				// a control character of two bytes: U+0080 to U+009F
				bytes[at++] = SPACE;
				i++;
			} else {
				bytes[at++] = byte < SPACE || byte === 0x7f ? SPACE : byte;
				// continuation bytes
				while (i < end && (source[i] & 0xc0) === 0x80) bytes[at++] = source[i++];
			}
		}
		this.at = at;
		if (i < end && roomEnd > this.end) this.full = true;
		return i === end;
	}

	/**
	 * Writes a value as text, truncated if it is long, or as hexadecimal digits if it is not UTF-8.
	 * @param room most bytes of its text
	 */
	value(source: Uint8Array, start: number, end: number, room: number): void {
		if (start === end) this.put(EMPTY);
		else if (validUTF8(source, start, end)) {
			if (!this.text(source, start, end, room)) this.truncationNote(end - start);
		} else if (this.fits(3 * MAX_HEX_BYTES)) {
			const { bytes } = this;
			for (let i = start; i < end && i < start + MAX_HEX_BYTES; i++) {
				if (i > start) bytes[this.at++] = SPACE;
				this.hexDigit(source[i] >> 4);
				this.hexDigit(source[i] & 15);
			}
			if (end - start > MAX_HEX_BYTES) this.truncationNote(end - start);
		}
	}

	/** Writes a time span in ms, in its one or two largest units. */
	timeSpan(ms: number): void {
		const seconds = Math.floor(ms / 1000);
		const minutes = Math.floor(seconds / 60);
		const hours = Math.floor(minutes / 60);
		if (seconds < 60) {
			this.number(seconds);
			this.put(SECONDS);
		} else if (minutes < 60) {
			this.number(minutes);
			this.put(MINUTES);
		} else {
			const days = Math.floor(hours / 24);
			this.number(days > 0 ? days : hours);
			this.put(days > 0 ? DAYS : HOURS);
			this.number(days > 0 ? hours % 24 : minutes % 60);
			if (days > 0) this.put(HOURS_END);
			else this.put(MINUTES);
		}
	}

	/**
	 * Writes the calendar time of `atMs`, ms of the broker's clock; nothing if the host's clock is not set.
	 * @returns whether it did
	 */
	calendarTime(timestamp: Timestamp, atMs: number): boolean {
		if (timestamp.write(atMs) !== CALENDAR_SIZE) return false;
		const { text } = timestamp;
		this.put(TIME);
		if (this.fits(CALENDAR_SIZE)) {
			this.bytes.set(text, this.at);
			this.at += CALENDAR_SIZE;
		}
		this.put(TIME_TEXT);
		if (this.fits(CALENDAR_SIZE)) {
			const { bytes } = this;
			let { at } = this;
			// without T, milliseconds and Z
			for (let i = 0; i < 19; i++) bytes[at++] = i === 10 ? SPACE : text[i];
			this.at = at;
		}
		this.put(TIME_END);
		return true;
	}

	private truncationNote(length: number): void {
		this.put(TRUNCATED);
		this.number(length);
		this.put(BYTES);
	}

	private hexDigit(value: number): void {
		this.bytes[this.at++] = hexDigit(value);
	}

	private fits(length: number): boolean {
		if (this.at + length <= this.end) return true;
		this.full = true;
		return false;
	}
}

/** Writes `&amp;`, `&lt;` or `&gt;`. */
function entity(bytes: Uint8Array, at: number, byte: number): number {
	bytes[at++] = AMPERSAND;
	if (byte === AMPERSAND) {
		bytes[at++] = 0x61;
		bytes[at++] = 0x6d;
		bytes[at++] = 0x70;
	} else {
		bytes[at++] = byte === LESS ? 0x6c : 0x67;
		bytes[at++] = 0x74;
	}
	bytes[at++] = 0x3b;
	return at;
}
