import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device } from "../../src/device";
import { loadModule } from "./module-loader";

interface PlatformStub {
	readonly setsClock?: boolean;
	readonly wifi?: object;
	readonly drivers?: Readonly<Record<string, unknown>>;
	readonly resolve?: (name: string, callback: (name: string, address?: string) => void) => void;
}

async function loadDevice({ setsClock = true, wifi, drivers = {}, resolve = () => {} }: PlatformStub) {
	const ntp: { host: string; callback: (message: number, value?: number) => void }[] = [];
	const clock: number[] = [];
	let opened = 0;
	class SNTP {
		static readonly time = 1;
		static readonly retry = 2;
		static readonly error = -1;
		constructor({ host }: { host: string }, callback: (message: number, value?: number) => void) {
			ntp.push({ host, callback });
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
			time: { default: { ticks: 0, delta: () => 0, set: (seconds: number) => clock.push(seconds) } },
			sntp: { default: SNTP },
			"firmware/platform/host": {
				default: {
					chip: () => "test",
					mac: () => "0123456789ab",
					timer: { set: (callback: () => void) => callback() },
					wifi,
					resolve,
					setsClock,
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
	return { device: gatherDevice(), ntp, clock, opened: () => opened };
}

test("capabilities that a platform lacks are absent", async () => {
	const { device } = await loadDevice({ setsClock: false });
	assert.equal(device.wifi, undefined);
	assert.equal(device.setClock, undefined);
	assert.equal(device.event, undefined);
});

test("the clock is set by the server's answer, and only by it", async () => {
	const { device, ntp, clock } = await loadDevice({ wifi: class {} });
	const answers: boolean[] = [];
	device.setClock?.("pool.example", (set) => answers.push(set));
	assert.equal(ntp[0]!.host, "pool.example");
	ntp[0]!.callback(2);
	assert.equal(answers.length, 0);
	ntp[0]!.callback(1, 1_700_000_000);
	assert.deepEqual([answers, clock], [[true], [1_700_000_000]]);
	device.setClock?.("pool.example", (set) => answers.push(set));
	ntp[1]!.callback(-1);
	assert.deepEqual([answers, clock.length], [[true, false], 1]);
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

test("storage is not opened before its first use", async () => {
	const { device, opened } = await loadDevice({});
	assert.equal(opened(), 0);
	assert.ok(device.storage);
	assert.equal(opened(), 1);
});
