import { decodeBase64 } from "../crypto/base64";
import { utf8 } from "../mqtt/utf8";
import type { Request } from "./request";
import { lower, sameText } from "./text";

/** What judge() returns for a request to be answered with a WebSocket, or with a page. */
export const WEBSOCKET = 101;
export const PAGE = 200;

const COLON = 0x3a;

// Only read
const ROOT = utf8("/");
const MQTT_PATH = utf8("/mqtt");
const LOCALHOST = utf8("localhost");
const HTTP_SCHEME = utf8("http://");
const HTTPS_SCHEME = utf8("https://");

export interface PolicyOptions {
	/** Origins besides the server's own whose pages may connect, such as `https://panel.example`; `*` stands for all. */
	origins?: readonly string[];
	/** Names besides `localhost` by which the server may be called, without port. Any IP address is right. */
	hosts?: readonly string[];
}

/**
 * Who may connect. A browser sends WebSocket requests of any page to any address that it can reach, so these checks are what keeps a page on the Internet
 * from talking to a broker on a local network, or on the visitor's own machine: loopback is no exception.
 *
 * - Origin (RFC 6455 §10.2), which a page cannot forge: absent, as sent by clients that are no browsers; or the server's own, its authority being what Host
 *   says; or listed. `null`, the origin of files and sandboxed frames of whatever page, only if listed.
 * - Host: an address, `localhost` or a listed name. Under any other name the page would have the server's own origin, too: that is what DNS rebinding does,
 *   where an attacker's name resolves to the broker's address. An address, unlike a name, cannot be made to mean another machine.
 */
export class Policy {
	readonly #origins: Uint8Array[] = [];
	readonly #hosts: Uint8Array[] = [LOCALHOST];
	readonly #anyOrigin: boolean;

	/** @throws {RangeError} for names that are not well-formed Unicode */
	constructor(options: PolicyOptions) {
		const { origins = [], hosts = [] } = options;
		for (let i = 0; i < origins.length; i++) this.#origins.push(utf8(origins[i].toLowerCase()));
		for (let i = 0; i < hosts.length; i++) this.#hosts.push(utf8(hosts[i].toLowerCase()));
		this.#anyOrigin = origins.includes("*");
	}

	/** Judges a complete request. @returns WEBSOCKET, PAGE, or the HTTP status code of the refusal, with `request.fault` set */
	judge(request: Request): number {
		const { bytes, hostStart, hostEnd } = request;
		if (hostStart === hostEnd) return refuse(request, 400, "no Host"); // RFC 6455 §4.2.1, RFC 9112 §3.2
		const nameEnd = endOfName(bytes, hostStart, hostEnd);
		if (nameEnd < 0) return refuse(request, 400, "malformed Host");
		if (!this.knows(bytes, hostStart, nameEnd)) return refuse(request, 421, "Host is not an address, localhost or a configured name");
		if (!request.upgrade) {
			if (request.keyStart >= 0 || request.version >= 0) return refuse(request, 426, "no Upgrade: websocket"); // RFC 6455 §4.2.1
			return PAGE;
		}
		if (!request.connection) return refuse(request, 400, "no Connection: Upgrade"); // RFC 6455 §4.2.1
		if (request.version < 0) return refuse(request, 400, "no Sec-WebSocket-Version");
		if (request.version !== 13) return refuse(request, 426, "Sec-WebSocket-Version is not 13"); // RFC 6455 §4.2.2, §4.4
		if (!this.validKey(request)) return refuse(request, 400, "Sec-WebSocket-Key is not base64 of 16 bytes"); // RFC 6455 §4.2.1
		if (!sameText(bytes, 0, request.pathEnd, ROOT) && !sameText(bytes, 0, request.pathEnd, MQTT_PATH))
			return refuse(request, 404, "WebSocket path is not / or /mqtt"); // RFC 6455 §4.2.2
		if (!this.admits(request)) return refuse(request, 403, "Origin is not allowed"); // RFC 6455 §4.2.2, §10.2
		if (!request.protocol) return refuse(request, 400, "subprotocol mqtt is not offered"); // [MQTT-6.0.0-3]
		return WEBSOCKET;
	}

	private validKey(request: Request): boolean {
		const { keyStart, keyEnd } = request;
		return keyEnd - keyStart === 24 && decodeBase64(request.bytes, keyStart, keyEnd, new Uint8Array(18), 0) === 16;
	}

	private knows(bytes: Uint8Array, start: number, end: number): boolean {
		if (isAddress(bytes, start, end)) return true;
		const hosts = this.#hosts;
		for (let i = 0; i < hosts.length; i++) if (sameText(bytes, start, end, hosts[i])) return true;
		return false;
	}

	private admits(request: Request): boolean {
		const { bytes, originStart, originEnd, hostStart, hostEnd } = request;
		if (originStart < 0 || this.#anyOrigin) return true;
		const schemed = sameText(bytes, originStart, Math.min(originStart + 7, originEnd), HTTP_SCHEME)
			? originStart + 7
			: sameText(bytes, originStart, Math.min(originStart + 8, originEnd), HTTPS_SCHEME)
				? originStart + 8
				: originEnd;
		if (originEnd - schemed === hostEnd - hostStart) {
			let i = schemed;
			let j = hostStart;
			while (i < originEnd && lower(bytes[i]) === lower(bytes[j])) {
				i++;
				j++;
			}
			if (i === originEnd) return true;
		}
		const origins = this.#origins;
		for (let i = 0; i < origins.length; i++) if (sameText(bytes, originStart, originEnd, origins[i])) return true;
		return false;
	}
}

function refuse(request: Request, status: number, fault: string): number {
	request.status = status;
	request.fault = fault;
	return status;
}

/** Where in [start, end) the host of `host[:port]` ends (RFC 9110 §7.2); -1 if it is not well-formed. */
function endOfName(bytes: Uint8Array, start: number, end: number): number {
	let at = start;
	if (bytes[at] === 0x5b) {
		while (at < end && bytes[at] !== 0x5d) at++;
		if (at === end) return -1;
		at++;
	} else while (at < end && bytes[at] !== COLON) at++;
	if (at === start || end - at > 6) return -1;
	if (at < end && bytes[at] !== COLON) return -1;
	for (let i = at + 1; i < end; i++) if (bytes[i] < 0x30 || bytes[i] > 0x39) return -1;
	return at;
}

/** Whether [start, end) is an IPv4 address of four decimal numbers, or what can only be an IPv6 address: brackets around hexadecimal digits, colons and dots. */
function isAddress(bytes: Uint8Array, start: number, end: number): boolean {
	if (bytes[start] === 0x5b) {
		let colons = 0;
		for (let i = start + 1; i < end - 1; i++) {
			const byte = lower(bytes[i]);
			if (byte === COLON) colons++;
			else if (byte !== 0x2e && !(byte >= 0x30 && byte <= 0x39) && !(byte >= 0x61 && byte <= 0x66)) return false;
		}
		return colons >= 2;
	}
	let numbers = 0;
	let at = start;
	while (at < end && numbers < 4) {
		let value = 0;
		const from = at;
		while (at < end && at - from < 3 && bytes[at] >= 0x30 && bytes[at] <= 0x39) value = value * 10 + bytes[at++] - 0x30;
		if (at === from || value > 255) return false;
		numbers++;
		if (numbers < 4 && bytes[at++] !== 0x2e) return false;
	}
	return numbers === 4 && at === end;
}
