import { HeadParser, type HeadStatus } from "../../http/head-parser";
import { MINOR_VERSION, statusOf } from "../../http/status-line";
import { equalBytes, equalsIgnoringCase, hasToken } from "../../http/text";
import { utf8 } from "../../mqtt/utf8";

/** Bytes of a line that are kept: what matters is shorter, or is wrong. */
const LINE_SIZE = 96;

// Never written, so that a device keeps them in flash
const UPGRADE = utf8("upgrade");
const CONNECTION = utf8("connection");
const ACCEPT = utf8("sec-websocket-accept");
const PROTOCOL = utf8("sec-websocket-protocol");
const EXTENSIONS = utf8("sec-websocket-extensions");
const WEBSOCKET = utf8("websocket");
const MQTT = utf8("mqtt");

/** Of a server that serves another host name only (RFC 9110 §15.5.20). */
const MISDIRECTED = 421;
/** The digit. */
const ONE = 0x31;

// What an answer that opens a WebSocket must have
const HAS_UPGRADE = 1;
const HAS_CONNECTION = 2;
const HAS_ACCEPT = 4;
const HAS_PROTOCOL = 8;
const HAS_ALL = 15;

/** Checks the head of a server's answer to the opening handshake (RFC 6455 §4.1). */
export class ResponseParser extends HeadParser {
	/** Why the answer opens no WebSocket; undefined: it does, or is not complete. */
	problem: string | undefined;
	/** Status of the answer; 0: not known yet. */
	status = 0;
	readonly #accept: Uint8Array;
	#found = 0;

	/** @param accept value that Sec-WebSocket-Accept must have */
	constructor(accept: Uint8Array) {
		super(new Uint8Array(LINE_SIZE));
		this.#accept = accept;
	}

	protected override get isRefused(): boolean {
		return this.problem !== undefined;
	}

	protected override onStartLine(end: number): void {
		const { store } = this;
		this.status = statusOf(store, end);
		// §4.1: HTTP/1.1, and any other status is up to HTTP, which a node does not follow further
		if (this.status === 0 || store[MINOR_VERSION] !== ONE) this.problem = "it does not speak HTTP/1.1";
		else if (this.status === MISDIRECTED)
			this.problem = "it answered with status 421: it is not called by this name";
		else if (this.status !== 101) this.problem = `it answered with status ${this.status}`;
	}

	/** RFC 6455 §4.1, the list of what a client must check. */
	protected override onField(nameEnd: number, from: number, to: number): void {
		const { store } = this;
		if (equalBytes(store, 0, nameEnd, UPGRADE)) {
			if (equalsIgnoringCase(store, from, to, WEBSOCKET)) this.#found |= HAS_UPGRADE;
		} else if (equalBytes(store, 0, nameEnd, CONNECTION)) {
			if (hasToken(store, from, to, UPGRADE, true)) this.#found |= HAS_CONNECTION;
		} else if (equalBytes(store, 0, nameEnd, ACCEPT)) {
			if (equalBytes(store, from, to, this.#accept)) this.#found |= HAS_ACCEPT;
			else this.problem = "its Sec-WebSocket-Accept does not match the key";
		} else if (equalBytes(store, 0, nameEnd, PROTOCOL)) {
			if (equalBytes(store, from, to, MQTT))
				this.#found |= HAS_PROTOCOL; // [MQTT-6.0.0-4]
			else this.problem = "it chose a subprotocol that was not offered";
		} else if (equalBytes(store, 0, nameEnd, EXTENSIONS) && to > from)
			this.problem = "it uses a WebSocket extension that was not offered";
	}

	protected override onMalformed(_status: HeadStatus, reason: string): void {
		this.problem = `its answer cannot be read: ${reason}`;
	}

	/** Looks what an answer with status 101 lacks. */
	protected override onEnd(): void {
		const found = this.#found;
		if (found === HAS_ALL) return;
		this.problem =
			(found | HAS_PROTOCOL) === HAS_ALL
				? "it does not speak MQTT over WebSocket: its answer lacks the subprotocol mqtt"
				: "its answer lacks Upgrade, Connection or Sec-WebSocket-Accept";
	}
}
