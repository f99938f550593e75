import { decodeBase64 } from "../crypto/base64";
import { utf8 } from "../mqtt/utf8";
import { equalsIgnoringCase, hasToken, isSpace, isTokenCharacter, toLower } from "./ascii";
import { MAXIMUM_HEADER_FIELDS, MAXIMUM_REQUEST_LINE, MAXIMUM_REQUEST_SIZE } from "./constants";
import {
	AUTHORIZATION,
	CONNECTION,
	CONTENT_LENGTH,
	fieldOf,
	HOST,
	LONGEST_NAME,
	ORIGIN,
	SEC_WEBSOCKET_KEY,
	SEC_WEBSOCKET_PROTOCOL,
	SEC_WEBSOCKET_VERSION,
	TRANSFER_ENCODING,
	UPGRADE,
} from "./header-fields";
import type { RefusalStatus } from "./http-response";

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
const WEBSOCKET = utf8("websocket");
const UPGRADE_OPTION = utf8("upgrade");
const MQTT = utf8("mqtt");
const VERSION_13 = utf8("13");
const BASIC = utf8("basic ");
const ZERO = utf8("0");

/**
 * The head of an HTTP/1.1 request (RFC 9112), parsed byte by byte into a store of fixed size, which keeps
 * only what the answer depends on. Ranges index `bytes`; -1 means that a field is absent. No more bytes are
 * accepted once `status` is not 0 or `done` is true.
 */
export class HttpRequest {
	readonly bytes: Uint8Array;
	/** HTTP status code and reason of the refusal; 0 if the request is valid so far. */
	status: RefusalStatus | 0 = 0;
	refusalReason = "";
	/** The path [pathStart, pathEnd), and the query with its question mark, [pathEnd, queryEnd). */
	pathStart = 0;
	pathEnd = 0;
	queryEnd = 0;
	hostStart = -1;
	hostEnd = -1;
	originStart = -1;
	originEnd = -1;
	keyStart = -1;
	keyEnd = -1;
	/**
	 * Whether Upgrade contains "websocket", Connection contains "upgrade", and the subprotocols contain "mqtt".
	 */
	upgradesToWebSocket = false;
	connectionUpgrade = false;
	offersMqtt = false;
	/** Sec-WebSocket-Version: 13, another one (0), or none (-1). */
	webSocketVersion = -1;
	/** Set by readCredentials(). */
	userStart = 0;
	userEnd = 0;
	passwordStart = 0;
	passwordEnd = 0;
	#authorizationStart = -1;
	#authorizationEnd = -1;
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
		this.bytes = store;
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
		for (let i = start; i < end && this.status === 0; i++) this.readByte(bytes[i]);
	}

	/**
	 * Decodes the user name and password of Basic authentication (RFC 7617); returns false if there are none.
	 * May be called only once, as it decodes in place.
	 */
	readCredentials(): boolean {
		const { bytes } = this;
		const start = this.#authorizationStart;
		const from = start + BASIC.length;
		if (start < 0 || from > this.#authorizationEnd || !equalsIgnoringCase(bytes, start, from, BASIC))
			return false;
		const end = decodeBase64(bytes, from, this.#authorizationEnd, bytes, from);
		let colon = from;
		while (colon < end && bytes[colon] !== 0x3a) colon++;
		if (colon >= end) return false;
		this.userStart = from;
		this.userEnd = colon;
		this.passwordStart = colon + 1;
		this.passwordEnd = end;
		return true;
	}

	private refuse(status: RefusalStatus, reason: string): void {
		this.status = status;
		this.refusalReason = reason;
	}

	private append(byte: number): void {
		if (this.#end < this.bytes.length) this.bytes[this.#end++] = byte;
		else this.refuse(431, "header fields are larger than the store");
	}

	private readByte(byte: number): void {
		if (++this.#size > MAXIMUM_REQUEST_SIZE) {
			this.refuse(431, "request is too large");
			return;
		}
		switch (this.#state) {
			case METHOD:
			case TARGET:
			case HTTP_VERSION:
				if (this.#size > MAXIMUM_REQUEST_LINE) this.refuse(414, "request line is too long");
				else this.readRequestLine(byte);
				break;
			case LINE_FEED:
				if (byte === LF) this.#state = FIELD_START;
				else this.refuse(400, "CR without LF"); // RFC 9112 §2.2
				break;
			case FIELD_START:
				if (byte === CR) {
					this.#state = LAST_LINE_FEED;
					break;
				}
				if (++this.#fieldCount > MAXIMUM_HEADER_FIELDS) {
					this.refuse(431, "too many header fields");
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
				else this.refuse(400, "CR without LF");
				break;
			default:
		}
	}

	/** The request line (RFC 9112 §3). */
	private readRequestLine(byte: number): void {
		const { bytes } = this;
		switch (this.#state) {
			case METHOD:
				if (isTokenCharacter(byte)) this.append(byte);
				else if (byte !== 0x20 || this.#end === 0) this.refuse(400, "not HTTP");
				else if (!equalBytes(bytes, 0, this.#end, GET)) this.refuse(405, "method is not GET");
				else {
					this.#end = 0;
					this.#state = TARGET;
				}
				break;
			case TARGET:
				if (byte > 0x20 && byte < 0x7f) {
					if (this.#end === 0 && byte !== 0x2f) this.refuse(400, "request target is not a path");
					else this.append(byte);
				} else if (byte !== 0x20 || this.#end === 0) this.refuse(400, "malformed request target");
				else {
					this.queryEnd = this.#end;
					while (this.pathEnd < this.queryEnd && bytes[this.pathEnd] !== 0x3f) this.pathEnd++;
					this.#start = this.#end;
					this.#state = HTTP_VERSION;
				}
				break;
			default:
				if (byte !== CR) {
					this.append(byte);
					if (this.#end - this.#start > HTTP_1_1.length) this.refuse(400, "not HTTP");
				} else if (
					this.#end - this.#start !== HTTP_1_1.length ||
					!equalBytes(bytes, this.#start, this.#start + HTTP_PREFIX.length, HTTP_PREFIX)
				)
					this.refuse(400, "not HTTP");
				else if (!equalBytes(bytes, this.#start, this.#end, HTTP_1_1))
					this.refuse(505, "version is not HTTP/1.1"); // RFC 6455 §4.2.1
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
			this.refuse(400, "malformed header field name");
		else {
			const field = fieldOf(this.bytes, this.#start, this.#end);
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
					this.refuse(400, "header field that may appear only once came twice");
			}
			this.#seenFields |= 1 << field;
		}
	}

	private readFieldValue(byte: number): void {
		if (byte === CR) {
			while (this.#end > this.#start && isSpace(this.bytes[this.#end - 1])) this.#end--;
			this.storeField(this.#start, this.#end);
			this.#state = LINE_FEED;
		} else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f)
			this.refuse(400, "control character in a header field"); // RFC 9110 §5.5
		else if (this.#currentField !== 0) this.append(byte);
	}

	/** Evaluates a complete field; its value in [start, end) is discarded unless it is needed later. */
	private storeField(start: number, end: number): void {
		const { bytes } = this;
		let keep = false;
		switch (this.#currentField) {
			case HOST:
				this.hostStart = start;
				this.hostEnd = end;
				keep = true;
				break;
			case ORIGIN:
				this.originStart = start;
				this.originEnd = end;
				keep = true;
				break;
			case SEC_WEBSOCKET_KEY:
				this.keyStart = start;
				this.keyEnd = end;
				keep = true;
				break;
			case AUTHORIZATION:
				this.#authorizationStart = start;
				this.#authorizationEnd = end;
				keep = true;
				break;
			case SEC_WEBSOCKET_VERSION:
				this.webSocketVersion = equalBytes(bytes, start, end, VERSION_13) ? 13 : 0;
				break;
			case UPGRADE:
				if (hasToken(bytes, start, end, WEBSOCKET, true)) this.upgradesToWebSocket = true;
				break;
			case CONNECTION:
				if (hasToken(bytes, start, end, UPGRADE_OPTION, true)) this.connectionUpgrade = true;
				break;
			case SEC_WEBSOCKET_PROTOCOL:
				if (hasToken(bytes, start, end, MQTT, false)) this.offersMqtt = true; // [MQTT-6.0.0-3]
				break;
			case CONTENT_LENGTH:
				if (!equalBytes(bytes, start, end, ZERO)) this.refuse(400, "a request with content");
				break;
			case TRANSFER_ENCODING:
				this.refuse(400, "a request with content");
				break;
			default:
		}
		if (!keep) this.#end = start;
	}
}

function equalBytes(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
	if (end - start !== text.length) return false;
	for (let i = start, j = 0; i < end; i++, j++) if (bytes[i] !== text[j]) return false;
	return true;
}
