import { createSocket } from "node:dgram";
import { multicastSockets } from "../../sim/network/multicast";
import { nodeTime, nodeTimer } from "../../sim/service/node-timer";
import { type Announcement, Announcer } from "../../src/mdns/announcer";
import { MDNS_GROUP } from "../../src/mdns/constants";

export const LOOPBACK = "127.0.0.1";
const LOOPBACK_NUMBER = 0x7f000001;
const LOOPBACK_MASK = 0xff000000;

/** Reason to skip tests that need multicast on the loopback; Linux has it, also without any network. */
export const skipWithoutMulticast: string | false = (await hasMulticast())
	? false
	: "this machine has no multicast on its loopback";

/** An announcer on the loopback, started. */
export function announceOnLoopback(announcement: Announcement, failed: (error: Error) => void): Announcer {
	const udp = { io: multicastSockets(LOOPBACK, failed) };
	const announcer = new Announcer(
		{ timer: nodeTimer, time: nodeTime, udp },
		{ ...announcement, sharesPort: true },
	);
	announcer.start(LOOPBACK_NUMBER, LOOPBACK_MASK);
	return announcer;
}

function hasMulticast(): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = createSocket({ type: "udp4", reuseAddr: true });
		const finish = (found: boolean): void => {
			clearTimeout(timeout);
			clearImmediate(last);
			socket.close();
			resolve(found);
		};
		let last: NodeJS.Immediate | undefined;
		// After what may have arrived while another module of the test started a program and waited for it.
		const timeout = setTimeout(() => {
			last = setImmediate(() => finish(false));
		}, 2000);
		socket.once("error", () => finish(false));
		socket.once("message", () => finish(true));
		socket.bind(0, () => {
			try {
				socket.addMembership(MDNS_GROUP, LOOPBACK);
				socket.setMulticastInterface(LOOPBACK);
				socket.send("?", socket.address().port, MDNS_GROUP);
			} catch {
				finish(false);
			}
		});
	});
}
