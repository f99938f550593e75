import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { Timer } from "../../src/device";
import { AddressQuery, isLocalName } from "../../src/mdns/address-query";
import { ipv4Interfaces, multicastSockets } from "./multicast";

type Callback = (address: string | undefined) => void;

const timer: Pick<Timer, "set" | "clear"> = {
	set: (callback, delay) => {
		const id: object = setInterval(() => callback(id), delay);
		return id;
	},
	clear: (id) => clearInterval(id as NodeJS.Timeout | undefined),
};

/**
 * Resolves a name as this machine does, and names that end with ".local" by Multicast DNS too: on Linux the
 * system asks for these only where nss-mdns is installed.
 * @param family 4: IPv4 addresses only; 0: any
 */
export function lookUpName(host: string, family: 0 | 4, callback: Callback): void {
	if (isIP(host) !== 0) {
		callback(host);
		return;
	}
	const system = (done: Callback): void =>
		lookup(host, { family }, (error, address) => done(error === null ? address : undefined));
	if (!isLocalName(host)) {
		system(callback);
		return;
	}
	// Who has an address first ends all others; the system may take long to say that it has none.
	const queries: AddressQuery[] = [];
	let left = 1;
	let isDone = false;
	const done = (address: string | undefined): void => {
		left--;
		if (isDone || (address === undefined && left > 0)) return;
		isDone = true;
		for (const query of queries) query.close();
		callback(address);
	};
	for (const { address } of ipv4Interfaces()) {
		const udp = multicastSockets(address, () => {});
		try {
			queries.push(new AddressQuery({ udp, timer }, host, done));
			left++;
		} catch {
			// No name of DNS: the system may know it all the same.
		}
	}
	system(done);
}
