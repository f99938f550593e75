/** 16-bit groups in the network part of an IPv6 address. */
const NETWORK_GROUPS = 4;
const ALL_GROUPS = 8;

/**
 * The part of an address that a client cannot easily change: of IPv6 the first 64 bits, as a host may use
 * every address of its /64 network (RFC 4291 §2.5.1). An IPv4 address, also one mapped into IPv6, is its own
 * network.
 */
export function networkOf(address: string): string {
	if (!address.includes(":")) return address;
	if (address.includes(".")) return address.slice(address.lastIndexOf(":") + 1);
	const [front, back] = address.split("%")[0].split("::");
	const groups = front === "" ? [] : front.split(":");
	if (back !== undefined) {
		const rest = back === "" ? [] : back.split(":");
		while (groups.length + rest.length < ALL_GROUPS) groups.push("0");
		groups.push(...rest);
	}
	let network = "";
	for (let i = 0; i < NETWORK_GROUPS; i++) network += `${Number.parseInt(groups[i], 16).toString(16)}:`;
	return `${network}:/64`;
}
