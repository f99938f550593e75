import { HeadParser, type HeadStatus } from "../../http/head-parser";
import { statusOf } from "../../http/status-line";
import { equalBytes } from "../../http/text";
import { utf8 } from "../../mqtt/utf8";
import { isDigit, ZERO } from "../../text/ascii";

/** Bytes of a line that are kept: what matters is shorter. */
const LINE_SIZE = 64;

// Never written, so that a device keeps them in flash
const TRANSFER_ENCODING = utf8("transfer-encoding");
const CONTENT_ENCODING = utf8("content-encoding");
const CONTENT_LENGTH = utf8("content-length");

/**
 * The head of an HTTP answer: status, and how long the content is. One of another length than Content-Length
 * says is not possible with the request that image-download.ts makes.
 */
export class ResponseHead extends HeadParser {
	/** Why it is none, or the content cannot be read; undefined: there is no reason so far. */
	problem: string | undefined;
	/** 0: not known yet. */
	status = 0;
	/** Bytes of the content; −1: not known. */
	contentLength = -1;

	constructor() {
		super(new Uint8Array(LINE_SIZE));
	}

	protected override get isRefused(): boolean {
		return this.problem !== undefined;
	}

	protected override onStartLine(end: number): void {
		this.status = statusOf(this.store, end);
		if (this.status === 0) this.problem = "the server does not speak HTTP/1";
	}

	protected override onField(nameEnd: number, from: number, to: number, isCut: boolean): void {
		const { store } = this;
		if (equalBytes(store, 0, nameEnd, TRANSFER_ENCODING)) this.problem = "the answer has a transfer encoding";
		else if (equalBytes(store, 0, nameEnd, CONTENT_ENCODING))
			this.problem = "the answer's content is encoded";
		else if (equalBytes(store, 0, nameEnd, CONTENT_LENGTH)) {
			const length = isCut ? -1 : decimal(store, from, to);
			// RFC 9110 §8.6: several that differ, or a list of them, cannot be believed
			if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length))
				this.problem = "the answer's Content-Length is wrong";
			else this.contentLength = length;
		}
	}

	protected override onMalformed(_status: HeadStatus, reason: string): void {
		this.problem = `the answer cannot be read: ${reason}`;
	}

	/** What the answer lacks is up to image-download.ts. */
	protected override onEnd(): void {}
}

/** The digits of bytes [start, end); −1: there are others, none, or more than nine. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
	if (start >= end || end - start > 9) return -1;
	let value = 0;
	for (let at = start; at < end; at++) {
		if (!isDigit(bytes[at])) return -1;
		value = value * 10 + bytes[at] - ZERO;
	}
	return value;
}
