/** Address of an MQTT broker. */
export interface BrokerAddress {
	/** Name, IPv4 address, or IPv6 address without brackets. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
}

const scheme = "mqtt://";

/**
 * Parses `mqtt://host[:port][/]`; the default port is 1883. Returns a description of the problem if it is
 * invalid.
 */
export function parseBrokerURL(text: string): BrokerAddress | string {
	if (text.startsWith("mqtts://"))
		return `asks for TLS, which a node does not have yet; ${scheme}, MQTT over TCP, is supported`;
	if (!text.startsWith(scheme)) return `does not begin with ${scheme}`;
	let rest = text.slice(scheme.length);
	if (rest.endsWith("/")) rest = rest.slice(0, -1);
	if (rest.includes("/")) return "has a path, which MQTT knows not";
	if (rest.includes("@")) return "holds a user name, which belongs into broker.username";
	let host = rest;
	let port = "";
	if (rest.startsWith("[")) {
		const close = rest.indexOf("]");
		if (close < 0) return "lacks a closing bracket";
		host = rest.slice(1, close);
		rest = rest.slice(close + 1);
		if (rest !== "" && !rest.startsWith(":")) return "has something between address and port";
		if (!validHost(host, ":")) return "has an impossible address";
	} else {
		const colon = rest.indexOf(":");
		if (colon >= 0) host = rest.slice(0, colon);
		rest = colon < 0 ? "" : rest.slice(colon);
		if (!validHost(host, "-_")) return "has an impossible host name";
	}
	if (rest === "") return { host, port: 1883 };
	port = rest.slice(1);
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
