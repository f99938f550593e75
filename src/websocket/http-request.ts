import { decodeBase64 } from "../crypto/base64";
import { equalBytes, equalsIgnoringCase, hasToken } from "../http/text";
import { utf8 } from "../mqtt/utf8";
import {
	AUTHORIZATION,
	CONNECTION,
	CONTENT_LENGTH,
	HOST,
	ORIGIN,
	SEC_WEBSOCKET_KEY,
	SEC_WEBSOCKET_PROTOCOL,
	SEC_WEBSOCKET_VERSION,
	TRANSFER_ENCODING,
	UPGRADE,
} from "./header-fields";
import type { RefusalStatus } from "./http-response";

// Never written, so that a device keeps them in flash
const WEBSOCKET = utf8("websocket");
const UPGRADE_OPTION = utf8("upgrade");
const MQTT = utf8("mqtt");
const VERSION_13 = utf8("13");
const BASIC = utf8("basic ");
const ZERO = utf8("0");

/**
 * What a request for a WebSocket or a page says, as far as the answer depends on it. Ranges index `bytes`; -1
 * means that a field is absent.
 */
export class HttpRequest {
	readonly bytes: Uint8Array;
	/** HTTP status code and reason of the refusal; 0 if the request is valid so far. */
	status: RefusalStatus | 0 = 0;
	refusalReason = "";
	/** The path [0, pathEnd), and the query with its question mark, [pathEnd, queryEnd). */
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

	/** @param store buffer for the parts that are kept */
	constructor(store: Uint8Array) {
		this.bytes = store;
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

	/** Evaluates a complete header field. @returns whether its value in [start, end) is needed later */
	setField(field: number, start: number, end: number): boolean {
		const { bytes } = this;
		let keep = false;
		switch (field) {
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
		return keep;
	}

	/** Refuses the request. */
	refuse(status: RefusalStatus, reason: string): void {
		this.status = status;
		this.refusalReason = reason;
	}
}
