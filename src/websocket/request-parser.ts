import { utf8 } from "../mqtt/utf8";
import { equalBytes, isSpace, isTokenCharacter, toLower } from "./ascii";
import { MAXIMUM_HEADER_FIELDS, MAXIMUM_REQUEST_LINE, MAXIMUM_REQUEST_SIZE } from "./constants";
import {
	AUTHORIZATION,
	fieldOf,
	HOST,
	LONGEST_NAME,
	ORIGIN,
	SEC_WEBSOCKET_KEY,
	SEC_WEBSOCKET_VERSION,
} from "./header-fields";
import { HttpRequest } from "./http-request";

// States: which part of a request the next byte belongs to
const METHOD = 0;
const TARGET = 1;
const HTTP_VERSION = 2;
const LINE_FEED = 3;
const FIELD_START = 4;
const FIELD_NAME = 5;
const BEFORE_FIELD_VALUE = 6;
const FIELD_VALUE = 7;
const LAST_LINE_FEED = 8;
const DONE = 9;
type RequestPart =
	| typeof METHOD
	| typeof TARGET
	| typeof HTTP_VERSION
	| typeof LINE_FEED
	| typeof FIELD_START
	| typeof FIELD_NAME
	| typeof BEFORE_FIELD_VALUE
	| typeof FIELD_VALUE
	| typeof LAST_LINE_FEED
	| typeof DONE;

const CR = 0x0d;
const LF = 0x0a;

// Never written, so that a device keeps them in flash
const GET = utf8("GET");
const HTTP_PREFIX = utf8("HTTP/");
const HTTP_1_1 = utf8("HTTP/1.1");

/**
 * Parses the head of an HTTP/1.1 request (RFC 9112) byte by byte. It fits into a store of fixed size, which
 * keeps only what the answer depends on. No more bytes are accepted once the request is refused or `done`.
 */
export class RequestParser {
	readonly request: HttpRequest;
	#state: RequestPart = METHOD;
	#size = 0;
	#fieldCount = 0;
	/** The field being read, and a bit for each field received. */
	#currentField = 0;
	#seenFields = 0;
	/** Start of the current text in the store, and its end so far. */
	#start = 0;
	#end = 0;

	/** @param store buffer for the parts that are kept */
	constructor(store: Uint8Array) {
		this.request = new HttpRequest(store);
	}

	/** The request is complete. */
	get done(): boolean {
		return this.#state === DONE;
	}

	/**
	 * Minimum number of bytes still to come. No more may be read, as further bytes may belong to the data after
	 * the request.
	 */
	get wantedBytes(): number {
		switch (this.#state) {
			case LAST_LINE_FEED:
				return 1;
			case FIELD_START:
				return 2;
			case LINE_FEED:
				return 3;
			default:
				return 4;
		}
	}

	/** Parses bytes [start, end), at most `wantedBytes`. */
	push(bytes: Uint8Array, start: number, end: number): void {
		for (let i = start; i < end && this.request.status === 0; i++) this.readByte(bytes[i]);
	}

	private append(byte: number): void {
		const { bytes } = this.request;
		if (this.#end < bytes.length) bytes[this.#end++] = byte;
		else this.request.refuse(431, "header fields are larger than the store");
	}

	private readByte(byte: number): void {
		if (++this.#size > MAXIMUM_REQUEST_SIZE) {
			this.request.refuse(431, "request is too large");
			return;
		}
		switch (this.#state) {
			case METHOD:
			case TARGET:
			case HTTP_VERSION:
				if (this.#size > MAXIMUM_REQUEST_LINE) this.request.refuse(414, "request line is too long");
				else this.readRequestLine(byte);
				break;
			case LINE_FEED:
				if (byte === LF) this.#state = FIELD_START;
				else this.request.refuse(400, "CR without LF"); // RFC 9112 §2.2
				break;
			case FIELD_START:
				if (byte === CR) {
					this.#state = LAST_LINE_FEED;
					break;
				}
				if (++this.#fieldCount > MAXIMUM_HEADER_FIELDS) {
					this.request.refuse(431, "too many header fields");
					break;
				}
				this.#start = this.#end;
				this.#state = FIELD_NAME;
				this.readFieldName(byte);
				break;
			case FIELD_NAME:
				this.readFieldName(byte);
				break;
			case BEFORE_FIELD_VALUE:
				if (isSpace(byte)) break;
				this.#state = FIELD_VALUE;
				this.readFieldValue(byte);
				break;
			case FIELD_VALUE:
				this.readFieldValue(byte);
				break;
			case LAST_LINE_FEED:
				if (byte === LF) this.#state = DONE;
				else this.request.refuse(400, "CR without LF");
				break;
			default:
		}
	}

	/** The request line (RFC 9112 §3). */
	private readRequestLine(byte: number): void {
		const { request } = this;
		const { bytes } = request;
		switch (this.#state) {
			case METHOD:
				if (isTokenCharacter(byte)) this.append(byte);
				else if (byte !== 0x20 || this.#end === 0) this.request.refuse(400, "not HTTP");
				else if (!equalBytes(bytes, 0, this.#end, GET)) this.request.refuse(405, "method is not GET");
				else {
					this.#end = 0;
					this.#state = TARGET;
				}
				break;
			case TARGET:
				if (byte > 0x20 && byte < 0x7f) {
					if (this.#end === 0 && byte !== 0x2f) this.request.refuse(400, "request target is not a path");
					else this.append(byte);
				} else if (byte !== 0x20 || this.#end === 0) this.request.refuse(400, "malformed request target");
				else {
					request.queryEnd = this.#end;
					while (request.pathEnd < request.queryEnd && bytes[request.pathEnd] !== 0x3f) request.pathEnd++;
					this.#start = this.#end;
					this.#state = HTTP_VERSION;
				}
				break;
			default:
				if (byte !== CR) {
					this.append(byte);
					if (this.#end - this.#start > HTTP_1_1.length) this.request.refuse(400, "not HTTP");
				} else if (
					this.#end - this.#start !== HTTP_1_1.length ||
					!equalBytes(bytes, this.#start, this.#start + HTTP_PREFIX.length, HTTP_PREFIX)
				)
					this.request.refuse(400, "not HTTP");
				else if (!equalBytes(bytes, this.#start, this.#end, HTTP_1_1))
					this.request.refuse(505, "version is not HTTP/1.1"); // RFC 6455 §4.2.1
				else {
					this.#end = this.#start;
					this.#state = LINE_FEED;
				}
		}
	}

	private readFieldName(byte: number): void {
		if (isTokenCharacter(byte)) {
			if (this.#end - this.#start <= LONGEST_NAME) this.append(toLower(byte));
		} else if (byte !== 0x3a || this.#end === this.#start)
			// RFC 9112 §5.1, §5.2: no space before the colon, no folding
			this.request.refuse(400, "malformed header field name");
		else {
			const field = fieldOf(this.request.bytes, this.#start, this.#end);
			this.#currentField = field;
			this.#end = this.#start;
			this.#state = BEFORE_FIELD_VALUE;
			if (
				field === HOST ||
				field === ORIGIN ||
				field === SEC_WEBSOCKET_KEY ||
				field === SEC_WEBSOCKET_VERSION ||
				field === AUTHORIZATION
			) {
				// RFC 9112 §3.2, RFC 6455 §11.3.1, §11.3.5
				if ((this.#seenFields & (1 << field)) !== 0)
					this.request.refuse(400, "header field that may appear only once came twice");
			}
			this.#seenFields |= 1 << field;
		}
	}

	private readFieldValue(byte: number): void {
		if (byte === CR) {
			const { request } = this;
			while (this.#end > this.#start && isSpace(request.bytes[this.#end - 1])) this.#end--;
			if (!request.setField(this.#currentField, this.#start, this.#end)) this.#end = this.#start;
			this.#state = LINE_FEED;
		} else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f)
			this.request.refuse(400, "control character in a header field"); // RFC 9110 §5.5
		else if (this.#currentField !== 0) this.append(byte);
	}
}
