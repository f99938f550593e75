/** A name in a certificate (RFC 5280 §4.2.1.6). */
export interface SubjectName {
	/** 2: a DNS name; 7: an IP address. */
	readonly tag: number;
	readonly value: string | ArrayBuffer;
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Whether a certificate with these names is for `serverName`, a name or an IPv4 address (RFC 6125 §6.4). */
export function isForServer(names: readonly SubjectName[] | undefined, serverName: string): boolean {
	const wanted = serverName.toLowerCase();
	const isAddress = isIPv4(wanted);
	for (let i = 0; names !== undefined && i < names.length; i++) {
		const { tag, value } = names[i];
		if (tag === DNS_NAME && typeof value === "string" && !isAddress && matches(value.toLowerCase(), wanted))
			return true;
		if (tag === IP_ADDRESS && typeof value !== "string" && addressText(value) === wanted) return true;
	}
	return false;
}

/** A wildcard stands for the whole leftmost label, with two more at least. */
function matches(pattern: string, name: string): boolean {
	if (!pattern.startsWith("*.")) return pattern === name;
	const dot = name.indexOf(".");
	const rest = pattern.slice(1);
	return dot > 0 && rest.indexOf(".", 1) > 0 && name.slice(dot) === rest;
}

function addressText(address: ArrayBuffer): string | undefined {
	return address.byteLength === 4 ? new Uint8Array(address).join(".") : undefined;
}

/** Whether `text` is an IPv4 address rather than a name. */
export function isIPv4(text: string): boolean {
	const parts = text.split(".");
	if (parts.length !== 4) return false;
	for (let i = 0; i < 4; i++) {
		const part = parts[i];
		if (part === "" || part.length > 3) return false;
		for (let j = 0; j < part.length; j++) if (part[j] < "0" || part[j] > "9") return false;
	}
	return true;
}
