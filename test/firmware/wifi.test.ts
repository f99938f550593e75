import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
	LINK_ADDRESS,
	LINK_BSSID,
	LINK_CHANNEL,
	LINK_DNS,
	LINK_GATEWAY,
	LINK_LEASE,
	LINK_MASK,
	LINK_SIZE,
	type WiFiConstructor,
} from "../../src/device";
import { root } from "./import-graph";
import { loadModule } from "./module-loader";

async function load() {
	const calls: unknown[][] = [];
	const record =
		(name: string) =>
		(...args: unknown[]) =>
			void calls.push([name, ...args]);
	const { WiFi } = await loadModule<{ WiFi: WiFiConstructor }>("firmware/esp32/wifi", {
		modules: {},
		natives: Object.fromEntries(
			["join", "serve", "stop", "link"].map((name) => [`xs_firefly_wifi_${name}`, record(name)]),
		),
	});
	return { WiFi, calls };
}

test("a join passes network, link and callback to the chip, and closing stops the radio", async () => {
	const { WiFi, calls } = await load();
	const callback = (): void => {};
	const link = new Uint8Array(LINK_SIZE);
	const joining = new WiFi({ ssid: "net", password: "secret" }, callback, link);
	joining.readLink?.(link);
	joining.close();
	new WiFi({ ssid: "open" }, callback);
	assert.deepEqual(calls, [
		["join", "net", "secret", link, callback],
		["link", link],
		["stop"],
		["join", "open", "", undefined, callback],
	]);
});

test("an access point passes its channel, which has a default", async () => {
	const { WiFi, calls } = await load();
	const callback = (): void => {};
	new WiFi({ ssid: "net", password: "12345678", mode: "accessPoint", channel: 11 }, callback);
	new WiFi({ ssid: "open", mode: "accessPoint" }, callback);
	assert.deepEqual(calls, [
		["serve", "net", "12345678", 11, callback],
		["serve", "open", "", 6, callback],
	]);
});

test("the C file and the interface have the same offsets of a link", () => {
	const c = readFileSync(join(root, "firmware/esp32/wifi.c"), "utf8");
	for (const [name, expected] of Object.entries({
		BSSID: LINK_BSSID,
		Channel: LINK_CHANNEL,
		Address: LINK_ADDRESS,
		Mask: LINK_MASK,
		Gateway: LINK_GATEWAY,
		DNS: LINK_DNS,
		Lease: LINK_LEASE,
		Size: LINK_SIZE,
	})) {
		const [, offset] = new RegExp(`kLink${name} = (\\d+)`).exec(c)!;
		assert.equal(Number(offset), expected, name);
	}
});
