import { isIPv6 } from "node:net";
import { parseBrokerURL } from "../../src/config/url";

/**
 * Why a node does not reach the broker of a valid URL: its join waits for an IPv4 address only, and the SDK's
 * sockets on Linux know no other. Undefined: nothing is known against it.
 */
export function nodeAddressProblem(url: string): string | undefined {
	const address = parseBrokerURL(url);
	return typeof address === "string" || !isIPv6(address.host)
		? undefined
		: "has an IPv6 address, and a node connects over IPv4: give the broker's IPv4 address, or its name";
}
