import assert from "node:assert/strict";
import { test } from "node:test";
import { WiFiStation } from "../../firmware/wifi-station";
import type { Device } from "../../src/device";

interface Station {
	readonly notify: (message: string, detail?: number) => void;
	closed: boolean;
}

function setUp({ throwing = 0 } = {}) {
	const stations: Station[] = [];
	const timers: (() => void)[] = [];
	const traces: string[] = [];
	let failures = throwing;
	class WiFi {
		#station: Station;
		constructor(_: object, callback: (message: string) => void) {
			if (failures-- > 0) throw new Error("radio");
			this.#station = { notify: callback, closed: false };
			stations.push(this.#station);
		}
		close(): void {
			this.#station.closed = true;
		}
	}
	const device = {
		wifi: { io: WiFi },
		timer: { set: (callback: () => void) => timers.push(callback), schedule() {}, clear() {} },
		trace: (message: string) => traces.push(message),
	};
	return { device: device as unknown as Device, stations, timers, traces };
}

test("a lost access point is joined again, one attempt at a time, and ready is called once", () => {
	const { device, stations, timers, traces } = setUp();
	let ready = 0;
	new WiFiStation(device, { ssid: "net", mode: "join", channel: 6 }, () => ready++);
	stations[0]!.notify("gotIP");
	stations[0]!.notify("disconnect", 201);
	assert.deepEqual(traces, ["firefly: Wi-Fi: disconnect, reason 201"]);
	stations[0]!.notify("disconnect");
	assert.equal(timers.length, 1);
	assert.equal(stations[0]!.closed, true);
	timers[0]!();
	assert.equal(stations.length, 2);
	stations[1]!.notify("gotIP");
	assert.equal(ready, 1);
	stations[1]!.notify("disconnect");
	assert.equal(timers.length, 2);
});

test("a radio that throws is traced and retried", () => {
	const { device, stations, timers, traces } = setUp({ throwing: 1 });
	new WiFiStation(device, { ssid: "net", mode: "join", channel: 6 }, () => {});
	assert.deepEqual(traces, ["firefly: Wi-Fi: Error: radio"]);
	timers[0]!();
	assert.equal(stations.length, 1);
});
