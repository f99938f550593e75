/** Longest head of a response, bytes. */
export const HEAD_LIMIT = 4096;
/** Bytes of a line that are kept: what matters is shorter. */
const LINE_SIZE = 64;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads the head of an HTTP response (RFC 9112 §2.2) byte by byte: status, and how long the content is. One
 * of another length than Content-Length says is not possible with the request that image-download.ts makes.
 */
export class ResponseHead {
	/** Why it is none, or the content cannot be read; undefined: there is no reason so far. */
	problem: string | undefined;
	/** 0: not known yet. */
	status = 0;
	/** Bytes of the content; −1: not known. */
	contentLength = -1;
	/** The empty line was read: the content follows. */
	isComplete = false;
	private readonly line = new Uint8Array(LINE_SIZE);
	private length = 0;
	/** The byte before. */
	private last = 0;
	private size = 0;

	/** Bytes that may be read without going beyond the head. */
	get wantedBytes(): number {
		// The shortest rest is the end of this line and an empty one.
		return this.length === 0 || this.last === CR ? 1 : 2;
	}

	/** @param byte the next one */
	push(byte: number): void {
		if (++this.size > HEAD_LIMIT) this.problem = `the answer's head is longer than ${HEAD_LIMIT} bytes`;
		else if (byte !== LF) {
			this.last = byte;
			if (this.length < LINE_SIZE) this.line[this.length] = byte;
			this.length++;
		} else {
			// §2.2: a line feed alone may be taken for the end of a line
			if (this.last === CR) this.length--;
			this.readLine(Math.min(this.length, LINE_SIZE));
			this.length = this.last = 0;
		}
	}

	private readLine(length: number): void {
		if (this.status === 0) this.readStatus(length);
		else if (length === 0) this.isComplete = true;
		else if (this.begins("transfer-encoding:")) this.problem = "the answer has a transfer encoding";
		else if (this.begins("content-encoding:")) this.problem = "the answer's content is encoded";
		else if (this.begins("content-length:")) this.readLength(15, length);
	}

	/** `HTTP/1.1 200 OK` (§4) */
	private readStatus(length: number): void {
		const { line } = this;
		const status = this.begins("http/1.") && length >= 12 ? decimal(line, 9, 12) : -1;
		if (status < 100) this.problem = "the server does not speak HTTP/1";
		else this.status = status;
	}

	private readLength(from: number, end: number): void {
		const { line } = this;
		let start = from;
		let last = end;
		while (start < last && isSpace(line[start])) start++;
		while (last > start && isSpace(line[last - 1])) last--;
		const length = decimal(line, start, last);
		// RFC 9110 §8.6: several that differ, or a list of them, cannot be believed
		if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length))
			this.problem = "the answer's Content-Length is wrong";
		else this.contentLength = length;
	}

	/** @param text in lower case */
	private begins(text: string): boolean {
		const { line } = this;
		if (this.length < text.length) return false;
		for (let i = 0; i < text.length; i++) {
			const byte = line[i];
			if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== text.charCodeAt(i)) return false;
		}
		return true;
	}
}

function isSpace(byte: number): boolean {
	return byte === 0x20 || byte === 0x09;
}

/** The digits of bytes [start, end); −1: there are others, none, or more than nine. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
	if (start >= end || end - start > 9) return -1;
	let value = 0;
	for (let at = start; at < end; at++) {
		const digit = bytes[at] - 0x30;
		if (digit < 0 || digit > 9) return -1;
		value = value * 10 + digit;
	}
	return value;
}
