/** Where a client connects. */
export interface ServerAddress {
	/** Name or address. */
	readonly host: string;
	/** 1 … 65535 */
	readonly port: number;
}

/**
 * The servers of a Server Reference (§4.11), `ClientError.serverReference`, in its order: names or addresses
 * with or without a port, an IPv6 address with a port in brackets, separated by spaces. What is none is left
 * out. Allocates.
 * @param defaultPort of those without one
 */
export function serverAddresses(reference: string, defaultPort: number): ServerAddress[] {
	const addresses: ServerAddress[] = [];
	for (const text of reference.split(" ")) {
		const address = serverAddress(text, defaultPort);
		if (address !== undefined) addresses.push(address);
	}
	return addresses;
}

function serverAddress(text: string, defaultPort: number): ServerAddress | undefined {
	const bracket = text.startsWith("[") ? text.indexOf("]") : -1;
	const colon = text.indexOf(":", bracket + 1);
	// Colons, and no brackets: an IPv6 address without a port
	const hasPort = colon >= 0 && (bracket > 0 || text.indexOf(":", colon + 1) < 0);
	const end = hasPort ? colon : text.length;
	const host = bracket > 0 ? text.slice(1, bracket) : text.slice(0, end);
	const port = hasPort ? portNumber(text.slice(colon + 1)) : defaultPort;
	if (host === "" || port === undefined || (bracket > 0 && bracket + 1 !== end)) return undefined;
	if (host.includes("[") || host.includes("]")) return undefined;
	return { host, port };
}

function portNumber(text: string): number | undefined {
	let port = 0;
	for (let i = 0; i < text.length; i++) {
		const digit = text.charCodeAt(i) - 48;
		if (!(digit >= 0 && digit <= 9) || port > 65_535) return undefined;
		port = 10 * port + digit;
	}
	return port >= 1 && port <= 65_535 ? port : undefined;
}
