import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { NetworkInterface } from "../../sim/network/multicast";
import { type AnnouncementNetwork, BrokerAnnouncement } from "../../sim/service/announcement";
import type { UDP } from "../../src/device";

const PROBING_MS = 2000;
const LOOK_MS = 5000;
const LOOPBACK = { address: "127.0.0.1", netmask: "255.0.0.0", internal: true };

const external = (address: string, netmask = "255.255.255.0"): NetworkInterface => ({
	address,
	netmask,
	internal: false,
});

/** A machine whose interfaces change, and whose sockets fail. */
class Machine implements AnnouncementNetwork {
	present: readonly NetworkInterface[] = [];
	/** Addresses whose sockets fail. */
	readonly broken = new Set<string>();
	/** Addresses with an open socket. */
	readonly open: string[] = [];
	readonly lines: string[] = [];
	readonly #t: TestContext;

	constructor(t: TestContext, ...present: readonly NetworkInterface[]) {
		this.#t = t;
		this.present = present;
		t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
	}

	interfaces(): readonly NetworkInterface[] {
		return this.present;
	}

	sockets(address: string, failed: (error: Error) => void) {
		const { broken, open } = this;
		return class implements UDP {
			constructor() {
				open.push(address);
				if (broken.has(address)) setTimeout(() => failed(new Error("bind EADDRINUSE")), 1);
			}

			read(): undefined {}

			write(): void {}

			close(): void {
				open.splice(open.indexOf(address), 1);
			}
		};
	}

	announce(addresses?: readonly string[]): BrokerAnnouncement {
		const announcement = new BrokerAnnouncement(
			{ addresses, mqtt: 1883 },
			{
				host: "firefly",
				instance: "greenhouse",
				announced: (url, address) => void this.lines.push(`${address} ${url}`),
				trace: (message) => void this.lines.push(message),
			},
			this,
		);
		this.#t.after(() => announcement.stop());
		return announcement;
	}

	/** Lets time pass, and returns what the user was told meanwhile. */
	advance(ms: number): readonly string[] {
		for (let passed = 0; passed < ms; passed += 50) this.#t.mock.timers.tick(50);
		return this.lines.splice(0);
	}
}

test("the port cannot be had: said once, never announced, and tried again until it can", (t) => {
	const machine = new Machine(t, external("10.0.0.1"));
	machine.broken.add("10.0.0.1");
	machine.announce();
	assert.deepEqual(machine.advance(4 * LOOK_MS - 100), ["not announced on 10.0.0.1: bind EADDRINUSE"]);
	assert.deepEqual(machine.open, []);
	machine.broken.clear();
	assert.deepEqual(machine.advance(LOOK_MS + PROBING_MS), ["10.0.0.1 mqtt://firefly.local:1883"]);
});

test("each network fails by itself: each is said", (t) => {
	const machine = new Machine(t, external("10.0.0.1"), external("10.0.1.1"));
	machine.broken.add("10.0.0.1").add("10.0.1.1");
	machine.announce();
	assert.deepEqual(machine.advance(3 * LOOK_MS), [
		"not announced on 10.0.0.1: bind EADDRINUSE",
		"not announced on 10.0.1.1: bind EADDRINUSE",
	]);
});

test("no network at start: the loopback only, until there is one", (t) => {
	const machine = new Machine(t, LOOPBACK);
	machine.announce();
	assert.deepEqual(machine.advance(PROBING_MS), ["127.0.0.1 mqtt://firefly.local:1883"]);
	machine.present = [LOOPBACK, external("10.0.0.1")];
	assert.deepEqual(machine.advance(LOOK_MS + PROBING_MS), ["10.0.0.1 mqtt://firefly.local:1883"]);
	assert.deepEqual(machine.open, ["10.0.0.1"]);
});

test("a broker of the loopback only: announced on no network", (t) => {
	const machine = new Machine(t, external("10.0.0.1"), LOOPBACK);
	machine.announce(["127.0.0.1", "::1"]);
	assert.deepEqual(machine.advance(PROBING_MS), ["127.0.0.1 mqtt://firefly.local:1883"]);
	assert.deepEqual(machine.open, ["127.0.0.1"]);
});

test("two addresses in one network: announced with one, and with the other once that has gone", (t) => {
	const [cable, wifi] = [external("10.0.0.1"), external("10.0.0.2")];
	const machine = new Machine(t, wifi, external("10.0.1.2"));
	machine.announce();
	machine.advance(PROBING_MS);
	machine.present = [cable, wifi, external("10.0.1.2"), external("10.0.1.3", "255.255.0.0")];
	assert.deepEqual(machine.advance(2 * LOOK_MS), ["10.0.1.3 mqtt://firefly.local:1883"]);
	assert.deepEqual(machine.open, ["10.0.0.2", "10.0.1.2", "10.0.1.3"]);
	machine.present = [cable];
	assert.deepEqual(machine.advance(LOOK_MS + PROBING_MS), ["10.0.0.1 mqtt://firefly.local:1883"]);
	assert.deepEqual(machine.open, ["10.0.0.1"]);
});

test("stopped while it claims its name: no socket is left, and nothing is announced", (t) => {
	const machine = new Machine(t, external("10.0.0.1"));
	const announcement = machine.announce();
	machine.advance(300);
	announcement.stop();
	assert.deepEqual(machine.advance(2 * LOOK_MS), []);
	assert.deepEqual(machine.open, []);
});
