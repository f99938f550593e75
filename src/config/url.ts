/** How a broker is reached other than by MQTT over TCP: over TLS, over WebSocket, and over both. */
export type LayeredTransport = "mqtts" | "ws" | "wss";

/** Address of an MQTT broker. */
export interface BrokerAddress {
	/** Name, IPv4 address, or IPv6 address without brackets. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** Absent: MQTT over TCP. */
	readonly transport?: LayeredTransport;
	/** Path and query of a WebSocket; absent: "/". */
	readonly path?: string;
}

/** Scheme of MQTT over TCP. */
const PLAIN = "mqtt";

/**
 * Default port of a scheme, as registered for MQTT and by RFC 6455 §3; undefined: the scheme is not known.
 */
function defaultPort(scheme: string): number | undefined {
	switch (scheme) {
		case PLAIN:
			return 1883;
		case "mqtts":
			return 8883;
		case "ws":
			return 80;
		case "wss":
			return 443;
		default:
			return undefined;
	}
}

/** Longest path and query of a WebSocket, bytes. */
const PATH_LIMIT = 128;

/** Whether a URL, whether valid or not, asks for TLS. */
export function isSecureURL(text: string): boolean {
	return text.startsWith("mqtts://") || text.startsWith("wss://");
}

/** Whether a URL, whether valid or not, asks for WebSocket. */
export function isWebSocketURL(text: string): boolean {
	return text.startsWith("ws://") || text.startsWith("wss://");
}

/**
 * Parses `mqtt://host[:port][/]`, the same with `mqtts`, and `ws://host[:port][/path]` with `ws` and `wss`;
 * the default ports are 1883, 8883, 80 and 443. Returns a description of the problem if it is invalid.
 */
export function parseBrokerURL(text: string): BrokerAddress | string {
	const colon = text.indexOf("://");
	const scheme = text.slice(0, colon < 0 ? 0 : colon);
	const port = defaultPort(scheme);
	if (port === undefined) return "does not begin with mqtt://, mqtts://, ws:// or wss://";
	const rest = text.slice(colon + 3);
	const slash = rest.indexOf("/");
	const authority = slash < 0 ? rest : rest.slice(0, slash);
	const path = slash < 0 ? "/" : rest.slice(slash);
	if (path !== "/") {
		if (!isWebSocketURL(text)) return "has a path, which MQTT does not have";
		const problem = pathProblem(path);
		if (problem !== undefined) return problem;
	}
	if (authority.includes("@")) return "holds a user name, which belongs into broker.username";
	const address = parseAuthority(authority, port);
	if (typeof address === "string" || scheme === PLAIN) return address;
	return {
		...address,
		transport: scheme as LayeredTransport,
		...(path === "/" ? {} : { path }),
	};
}

function pathProblem(path: string): string | undefined {
	if (path.length > PATH_LIMIT) return `has a path of more than ${PATH_LIMIT} characters`;
	for (const character of path)
		if (character <= " " || character > "~" || character === "#") return "has an impossible path";
	return undefined;
}

/** Parses `host[:port]`. @returns a description of the problem if it is invalid */
export function parseAuthority(authority: string, portOfScheme: number): BrokerAddress | string {
	let host = authority;
	let rest: string;
	if (authority.startsWith("[")) {
		const close = authority.indexOf("]");
		if (close < 0) return "lacks a closing bracket";
		host = authority.slice(1, close);
		rest = authority.slice(close + 1);
		if (rest !== "" && !rest.startsWith(":")) return "has something between address and port";
		if (!validHost(host, ":")) return "has an impossible address";
	} else {
		const colon = authority.indexOf(":");
		if (colon >= 0) host = authority.slice(0, colon);
		rest = colon < 0 ? "" : authority.slice(colon);
		if (!validHost(host, "-_")) return "has an impossible host name";
	}
	if (rest === "") return { host, port: portOfScheme };
	const port = rest.slice(1);
	let number = 0;
	for (const character of port) {
		if (character < "0" || character > "9") return "has an impossible port";
		number = number * 10 + Number(character);
	}
	return number >= 1 && number <= 65535 && port.length <= 5
		? { host, port: number }
		: "has an impossible port";
}

/** Whether the host has 1 … 253 letters, digits, dots and `extraCharacters` (RFC 1035 §2.3.4). */
export function validHost(host: string, extraCharacters: string): boolean {
	if (host.length < 1 || host.length > 253) return false;
	for (const character of host) {
		const fits =
			(character >= "a" && character <= "z") ||
			(character >= "A" && character <= "Z") ||
			(character >= "0" && character <= "9") ||
			character === "." ||
			extraCharacters.includes(character);
		if (!fits) return false;
	}
	return true;
}
