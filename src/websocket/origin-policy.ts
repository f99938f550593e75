import { decodeBase64 } from "../crypto/base64";
import { equalsIgnoringCase } from "../http/text";
import { utf8 } from "../mqtt/utf8";
import { COLON, MINUS, NINE, POINT, toLower, ZERO } from "../text/ascii";
import type { HttpRequest } from "./http-request";
import type { RefusalStatus } from "./http-response";

/** Results of check() for a request to be answered with a WebSocket, or with a page. */
export const ACCEPT_WEBSOCKET = 101;
export const SERVE_PAGE = 200;
export type PolicyResult = typeof ACCEPT_WEBSOCKET | typeof SERVE_PAGE | RefusalStatus;

// Never written, so that a device keeps them in flash
const ROOT = utf8("/");
const MQTT_PATH = utf8("/mqtt");
const LOCALHOST = utf8("localhost");
const LOCAL_SUFFIX = utf8(".local");
const HTTP_SCHEME = utf8("http://");
const HTTPS_SCHEME = utf8("https://");

export interface OriginPolicyOptions {
	/**
	 * Origins besides the server's own whose pages may connect, such as `https://panel.example`; `*` stands for
	 * all.
	 */
	origins?: readonly string[];
	/**
	 * Names besides `localhost` under which the server may be addressed, without port. Any IP address is
	 * allowed. One that ends with `.local` may have the number that a conflict adds (RFC 6762 §9).
	 */
	hosts?: readonly string[];
}

/**
 * Decides which requests may connect. A browser sends WebSocket requests of any page to any address that it
 * can reach, so only these checks prevent a page on the Internet from using a broker on a local network or on
 * the visitor's own machine: loopback is no exception.
 *
 * - Origin (RFC 6455 §10.2), which a page cannot forge: absent, as from clients that are not browsers; or the
 *   server's own, whose authority equals Host; or listed. `null`, the origin of files and of sandboxed frames
 *   of any page, is allowed only if listed.
 * - Host: an address, `localhost` or a listed name. This prevents DNS rebinding, where an attacker's name
 *   resolves to the broker's address, so that the attacker's page has the server's own origin. An address,
 *   unlike a name, cannot be redirected to another machine.
 */
export class OriginPolicy {
	readonly #origins: Uint8Array[] = [];
	readonly #hosts: Uint8Array[] = [LOCALHOST];
	readonly #anyOrigin: boolean;

	/** @throws {RangeError} for names that are not well-formed Unicode */
	constructor(options: OriginPolicyOptions) {
		const { origins = [], hosts = [] } = options;
		for (let i = 0; i < origins.length; i++) this.#origins.push(utf8(origins[i].toLowerCase()));
		for (let i = 0; i < hosts.length; i++) this.#hosts.push(utf8(hosts[i].toLowerCase()));
		this.#anyOrigin = origins.includes("*");
	}

	/**
	 * Checks a complete request.
	 * @returns ACCEPT_WEBSOCKET, SERVE_PAGE, or the HTTP status code of the refusal, with
	 *   `request.refusalReason` set
	 */
	check(request: HttpRequest): PolicyResult {
		const { bytes, hostStart, hostEnd } = request;
		if (hostStart === hostEnd) return refuse(request, 400, "no Host"); // RFC 6455 §4.2.1, RFC 9112 §3.2
		const nameEnd = hostNameEnd(bytes, hostStart, hostEnd);
		if (nameEnd < 0) return refuse(request, 400, "malformed Host");
		if (!this.isKnownHost(bytes, hostStart, nameEnd))
			return refuse(request, 421, "Host is not an address, localhost or a configured name");
		if (!request.upgradesToWebSocket) {
			// RFC 6455 §4.2.1
			if (request.keyStart >= 0 || request.webSocketVersion >= 0)
				return refuse(request, 426, "no Upgrade: websocket");
			return SERVE_PAGE;
		}
		if (!request.connectionUpgrade) return refuse(request, 400, "no Connection: Upgrade"); // RFC 6455 §4.2.1
		if (request.webSocketVersion < 0) return refuse(request, 400, "no Sec-WebSocket-Version");
		// RFC 6455 §4.2.2, §4.4
		if (request.webSocketVersion !== 13) return refuse(request, 426, "Sec-WebSocket-Version is not 13");
		// RFC 6455 §4.2.1
		if (!this.validKey(request)) return refuse(request, 400, "Sec-WebSocket-Key is not base64 of 16 bytes");
		if (
			!equalsIgnoringCase(bytes, 0, request.pathEnd, ROOT) &&
			!equalsIgnoringCase(bytes, 0, request.pathEnd, MQTT_PATH)
		)
			return refuse(request, 404, "WebSocket path is not / or /mqtt"); // RFC 6455 §4.2.2
		// RFC 6455 §4.2.2, §10.2
		if (!this.allowsOrigin(request)) return refuse(request, 403, "Origin is not allowed");
		if (!request.offersMqtt) return refuse(request, 400, "subprotocol mqtt is not offered"); // [MQTT-6.0.0-3]
		return ACCEPT_WEBSOCKET;
	}

	private validKey(request: HttpRequest): boolean {
		const { keyStart, keyEnd } = request;
		return (
			keyEnd - keyStart === 24 && decodeBase64(request.bytes, keyStart, keyEnd, new Uint8Array(18), 0) === 16
		);
	}

	private isKnownHost(bytes: Uint8Array, start: number, end: number): boolean {
		if (isIPAddress(bytes, start, end)) return true;
		const hosts = this.#hosts;
		for (let i = 0; i < hosts.length; i++) if (isHost(bytes, start, end, hosts[i])) return true;
		return false;
	}

	private allowsOrigin(request: HttpRequest): boolean {
		const { bytes, originStart, originEnd, hostStart, hostEnd } = request;
		if (originStart < 0 || this.#anyOrigin) return true;
		const authorityStart = equalsIgnoringCase(
			bytes,
			originStart,
			Math.min(originStart + 7, originEnd),
			HTTP_SCHEME,
		)
			? originStart + 7
			: equalsIgnoringCase(bytes, originStart, Math.min(originStart + 8, originEnd), HTTPS_SCHEME)
				? originStart + 8
				: originEnd;
		if (originEnd - authorityStart === hostEnd - hostStart) {
			let i = authorityStart;
			let j = hostStart;
			while (i < originEnd && toLower(bytes[i]) === toLower(bytes[j])) {
				i++;
				j++;
			}
			if (i === originEnd) return true;
		}
		const origins = this.#origins;
		for (let i = 0; i < origins.length; i++)
			if (equalsIgnoringCase(bytes, originStart, originEnd, origins[i])) return true;
		return false;
	}
}

function refuse(request: HttpRequest, status: RefusalStatus, reason: string): RefusalStatus {
	request.status = status;
	request.refusalReason = reason;
	return status;
}

/**
 * Returns the end of the host in `host[:port]` (RFC 9110 §7.2), bytes [start, end); -1 if it is malformed.
 */
function hostNameEnd(bytes: Uint8Array, start: number, end: number): number {
	let at = start;
	if (bytes[at] === 0x5b) {
		while (at < end && bytes[at] !== 0x5d) at++;
		if (at === end) return -1;
		at++;
	} else while (at < end && bytes[at] !== COLON) at++;
	if (at === start || end - at > 6) return -1;
	if (at < end && bytes[at] !== COLON) return -1;
	for (let i = at + 1; i < end; i++) if (bytes[i] < ZERO || bytes[i] > NINE) return -1;
	return at;
}

/**
 * Whether [start, end) is `host`. For `firefly.local` also `firefly-2.local` to `firefly-9999.local`, which
 * Multicast DNS announces instead where another machine has the name: whoever could claim a number for an
 * attack could as well claim the name without one.
 */
function isHost(bytes: Uint8Array, start: number, end: number, host: Uint8Array): boolean {
	const added = end - start - host.length;
	if (added === 0) return equalsIgnoringCase(bytes, start, end, host);
	const suffix = host.length - LOCAL_SUFFIX.length;
	const number = start + suffix;
	if (added < 2 || added > 5 || suffix < 1 || !equalsIgnoringCase(host, suffix, host.length, LOCAL_SUFFIX))
		return false;
	for (let i = 0; i < suffix; i++) if (toLower(bytes[start + i]) !== host[i]) return false;
	if (bytes[number] !== MINUS || bytes[number + 1] === ZERO) return false;
	for (let i = 1; i < added; i++) if (bytes[number + i] < ZERO || bytes[number + i] > NINE) return false;
	return equalsIgnoringCase(bytes, number + added, end, LOCAL_SUFFIX);
}

/**
 * Whether [start, end) is an IPv4 address of four decimal numbers, or has the form of an IPv6 address:
 * brackets around hexadecimal digits, colons and dots.
 */
function isIPAddress(bytes: Uint8Array, start: number, end: number): boolean {
	if (bytes[start] === 0x5b) {
		let colons = 0;
		for (let i = start + 1; i < end - 1; i++) {
			const byte = toLower(bytes[i]);
			if (byte === COLON) colons++;
			else if (byte !== POINT && !(byte >= ZERO && byte <= NINE) && !(byte >= 0x61 && byte <= 0x66))
				return false;
		}
		return colons >= 2;
	}
	let numbers = 0;
	let at = start;
	while (at < end && numbers < 4) {
		let value = 0;
		const from = at;
		while (at < end && at - from < 3 && bytes[at] >= ZERO && bytes[at] <= NINE)
			value = value * 10 + bytes[at++] - ZERO;
		if (at === from || value > 255) return false;
		numbers++;
		if (numbers < 4 && bytes[at++] !== POINT) return false;
	}
	return numbers === 4 && at === end;
}
