import { utf8 } from "../../mqtt/utf8";
import { equalBytes, equalsIgnoringCase, hasToken, isSpace, isTokenCharacter, toLower } from "../ascii";

// States: which part of the answer the next byte belongs to
const STATUS_LINE = 0;
const LINE_FEED = 1;
const FIELD_START = 2;
const FIELD_NAME = 3;
const BEFORE_FIELD_VALUE = 4;
const FIELD_VALUE = 5;
const LAST_LINE_FEED = 6;
const DONE = 7;
type ResponsePart =
	| typeof STATUS_LINE
	| typeof LINE_FEED
	| typeof FIELD_START
	| typeof FIELD_NAME
	| typeof BEFORE_FIELD_VALUE
	| typeof FIELD_VALUE
	| typeof LAST_LINE_FEED
	| typeof DONE;

const CR = 0x0d;
const LF = 0x0a;

/** Longest head of an answer, bytes. */
const MAXIMUM_RESPONSE_SIZE = 4096;
/** Bytes of the status line or a field that are kept: what is longer is none that matters, or is wrong. */
const STORE_SIZE = 96;

// Never written, so that a device keeps them in flash
const HTTP_1_1 = utf8("HTTP/1.1 ");
const UPGRADE = utf8("upgrade");
const CONNECTION = utf8("connection");
const ACCEPT = utf8("sec-websocket-accept");
const PROTOCOL = utf8("sec-websocket-protocol");
const EXTENSIONS = utf8("sec-websocket-extensions");
const WEBSOCKET = utf8("websocket");
const MQTT = utf8("mqtt");

// What an answer that opens a WebSocket must have
const HAS_UPGRADE = 1;
const HAS_CONNECTION = 2;
const HAS_ACCEPT = 4;
const HAS_PROTOCOL = 8;
const HAS_ALL = 15;

/** Checks the head of a server's answer to the opening handshake (RFC 6455 §4.1), byte by byte. */
export class ResponseParser {
	/** Why the answer opens no WebSocket; undefined: it does, or is not complete. */
	problem: string | undefined;
	/** Status of the answer; 0: not known yet. */
	status = 0;
	readonly #accept: Uint8Array;
	readonly #store = new Uint8Array(STORE_SIZE);
	#state: ResponsePart = STATUS_LINE;
	#size = 0;
	/** End of what is stored, and of the field's name in it. */
	#end = 0;
	#nameEnd = 0;
	#found = 0;

	/** @param accept value that Sec-WebSocket-Accept must have */
	constructor(accept: Uint8Array) {
		this.#accept = accept;
	}

	/** The answer is complete, and opens a WebSocket. */
	get done(): boolean {
		return this.#state === DONE;
	}

	/**
	 * Minimum number of bytes still to come. No more may be read, as further bytes may belong to the first
	 * frame.
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
		for (let i = start; i < end && this.problem === undefined; i++) this.readByte(bytes[i]);
	}

	private readByte(byte: number): void {
		if (++this.#size > MAXIMUM_RESPONSE_SIZE) {
			this.problem = `its answer is longer than ${MAXIMUM_RESPONSE_SIZE} bytes`;
			return;
		}
		switch (this.#state) {
			case STATUS_LINE:
				this.readStatusLine(byte);
				break;
			case LINE_FEED:
				this.expectLineFeed(byte, FIELD_START);
				break;
			case FIELD_START:
				this.#end = 0;
				if (byte === CR) this.#state = LAST_LINE_FEED;
				else this.readFieldName(byte);
				break;
			case FIELD_NAME:
				this.readFieldName(byte);
				break;
			case BEFORE_FIELD_VALUE:
				if (isSpace(byte)) break;
				this.readFieldValue(byte);
				break;
			case FIELD_VALUE:
				this.readFieldValue(byte);
				break;
			case LAST_LINE_FEED:
				this.expectLineFeed(byte, DONE);
				if (this.done) this.problem = this.missing();
				break;
			default:
		}
	}

	private expectLineFeed(byte: number, next: ResponsePart): void {
		if (byte === LF) this.#state = next;
		else this.problem = "its answer is not HTTP: CR without LF"; // RFC 9112 §2.2
	}

	private append(byte: number): void {
		if (this.#end < STORE_SIZE) this.#store[this.#end] = byte;
		this.#end++;
	}

	/** The status line (RFC 9112 §4). */
	private readStatusLine(byte: number): void {
		const at = this.#end;
		if (at < HTTP_1_1.length ? byte !== HTTP_1_1[at] : at < HTTP_1_1.length + 3 && !isDigit(byte)) {
			this.problem = "it does not speak HTTP/1.1";
			return;
		}
		if (byte !== CR) {
			this.append(byte);
			return;
		}
		const start = HTTP_1_1.length;
		const store = this.#store;
		this.status = Number(String.fromCharCode(store[start], store[start + 1], store[start + 2]));
		// §4.1: any other status is up to HTTP, which a node does not follow further
		if (this.status !== 101) this.problem = `it answered with status ${this.status}`;
		else this.#state = LINE_FEED;
	}

	private readFieldName(byte: number): void {
		this.#state = FIELD_NAME;
		if (isTokenCharacter(byte)) this.append(toLower(byte));
		else if (byte !== 0x3a || this.#end === 0) this.problem = "its answer has a malformed header field";
		else {
			this.#nameEnd = Math.min(this.#end, STORE_SIZE);
			this.#end = this.#nameEnd;
			this.#state = BEFORE_FIELD_VALUE;
		}
	}

	private readFieldValue(byte: number): void {
		this.#state = FIELD_VALUE;
		if (byte === CR) {
			this.#state = LINE_FEED;
			while (this.#end > this.#nameEnd && isSpace(this.#store[Math.min(this.#end, STORE_SIZE) - 1]))
				this.#end--;
			this.checkField();
		} else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f)
			this.problem = "its answer has a control character in a header field"; // RFC 9110 §5.5
		else this.append(byte);
	}

	/** RFC 6455 §4.1, the list of what a client must check. */
	private checkField(): void {
		const store = this.#store;
		const start = this.#nameEnd;
		const end = Math.min(this.#end, STORE_SIZE);
		if (this.isNamed(UPGRADE)) {
			if (equalsIgnoringCase(store, start, end, WEBSOCKET)) this.#found |= HAS_UPGRADE;
		} else if (this.isNamed(CONNECTION)) {
			if (hasToken(store, start, end, UPGRADE, true)) this.#found |= HAS_CONNECTION;
		} else if (this.isNamed(ACCEPT)) {
			if (equalBytes(store, start, end, this.#accept)) this.#found |= HAS_ACCEPT;
			else this.problem = "its Sec-WebSocket-Accept does not match the key";
		} else if (this.isNamed(PROTOCOL)) {
			if (equalBytes(store, start, end, MQTT))
				this.#found |= HAS_PROTOCOL; // [MQTT-6.0.0-4]
			else this.problem = "it chose a subprotocol that was not offered";
		} else if (this.isNamed(EXTENSIONS) && end > start)
			this.problem = "it uses a WebSocket extension that was not offered";
	}

	private isNamed(name: Uint8Array): boolean {
		return equalBytes(this.#store, 0, this.#nameEnd, name);
	}

	/** What an answer with status 101 lacks. */
	private missing(): string | undefined {
		const found = this.#found;
		if (found === HAS_ALL) return undefined;
		if ((found & HAS_PROTOCOL) === 0 && (found | HAS_PROTOCOL) === HAS_ALL)
			return "it does not speak MQTT over WebSocket: its answer lacks the subprotocol mqtt";
		return "its answer lacks Upgrade, Connection or Sec-WebSocket-Accept";
	}
}

function isDigit(byte: number): boolean {
	return byte >= 0x30 && byte <= 0x39;
}
