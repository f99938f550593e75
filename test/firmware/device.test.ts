import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTimeRequest } from "../../sim/network/time-server";
import type { Device } from "../../src/device";
import { FakeUDP } from "./fake-udp";
import { loadModule } from "./module-loader";

interface PlatformStub {
	readonly setsClock?: boolean;
	readonly wifi?: object;
	readonly drivers?: Readonly<Record<string, unknown>>;
	readonly resolve?: (name: string, callback: (name: string, address?: string) => void) => void;
	readonly monitor?: { readonly event: () => void };
}

async function loadDevice({
	setsClock = true,
	wifi,
	drivers = {},
	resolve = () => {},
	monitor,
}: PlatformStub) {
	const udp: FakeUDP[] = [];
	const clock: number[][] = [];
	let opened = 0;
	class UDP extends FakeUDP {
		constructor(options: { onReadable: () => void }) {
			super(options);
			udp.push(this);
		}
	}
	const { gatherDevice } = await loadModule<{ gatherDevice(): Device }>("firmware/device", {
		modules: {
			modules: {
				default: {
					has: (specifier: string) => specifier in drivers,
					importNow: (specifier: string) => drivers[specifier],
				},
			},
			time: { default: { ticks: 0, delta: () => 0 } },
			"firmware/platform/host": {
				default: {
					chip: () => "test",
					mac: () => "0123456789ab",
					timer: {
						set: (callback: () => void, delay: number) => delay === 0 && callback(),
						clear() {},
					},
					wifi,
					resolve,
					monitor,
					...(setsClock && { clock: { udp: UDP, set: (...time: number[]) => clock.push(time) } }),
					get storage() {
						opened++;
						return { open: () => assert.fail("nobody asked for it") };
					},
					sleep: () => ({ reason: "power-on", deep() {} }),
					retained: () => new Uint8Array(16),
				},
			},
		},
	});
	return { device: gatherDevice(), udp, clock, opened: () => opened };
}

test("capabilities that a platform lacks are absent", async () => {
	const { device } = await loadDevice({ setsClock: false });
	assert.equal(device.wifi, undefined);
	assert.equal(device.setClock, undefined);
	assert.equal(device.event, undefined);
});

test("the clock is set to the millisecond by the server's answer, and only by it", async () => {
	const { device, udp, clock } = await loadDevice({
		wifi: class {},
		resolve: (name, found) => found(name, "10.9.9.9"),
	});
	const answers: boolean[] = [];
	device.setClock?.("pool.example", (set) => answers.push(set));
	const [socket] = udp;
	assert.deepEqual(
		[socket!.sent.length, socket!.sent[0]!.address, socket!.sent[0]!.port],
		[1, "10.9.9.9", 123],
	);
	socket!.receive(new Uint8Array(48));
	assert.deepEqual([answers, clock], [[], []]);
	const sentMs = 1_700_000_000_750;
	socket!.receive(answerTimeRequest(socket!.sent[0]!.bytes, sentMs, sentMs)!);
	assert.deepEqual(answers, [true]);
	const [[seconds, microseconds]] = clock as [[number, number]];
	assert.equal(seconds, 1_700_000_000);
	assert.ok(Math.abs(microseconds - 750_000) < 2);
	assert.ok(socket!.closed);
});

test("a busy resolver is reported as a name that cannot be resolved", async () => {
	const { device } = await loadDevice({
		resolve: () => {
			throw new Error("busy");
		},
	});
	let address: string | undefined = "none";
	device.resolve("broker", (found) => {
		address = found;
	});
	assert.equal(address, undefined);
});

test("drivers and the counting host are modules of the build", async () => {
	class Driver {}
	const event = () => {};
	const { device } = await loadDevice({ drivers: { "driver/sht3x": Driver, "platform/event": event } });
	assert.equal(device.driver("sht3x"), Driver);
	assert.equal(device.driver("bmp280"), undefined);
	assert.equal(device.event, event);
});

test("a host that watches gets the events", async () => {
	const event = () => {};
	const { device } = await loadDevice({ monitor: { event } });
	assert.equal(device.event, event);
});

test("storage is not opened before its first use", async () => {
	const { device, opened } = await loadDevice({});
	assert.equal(opened(), 0);
	assert.ok(device.storage);
	assert.equal(opened(), 1);
});
