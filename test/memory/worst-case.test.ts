import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryNeeded, memoryShortage } from "../../cli/config/memory";
import { limits } from "../../src/config/limits";
import { readSettings, type Settings } from "../../src/config/settings";
import { HASH, peakOf, runWorstTraffic } from "./worst-traffic";

const users = { greenhouse: HASH };
const persistent = { persist: true, persistInterval: "1s" };
const everything = { users, webSocket: 8080, ...persistent };
const sensors = Array.from({ length: limits.sensors }, (_, i) => ({
	name: `s${i}`.padEnd(limits.nameLength, "x"),
	driver: "virtual",
	every: "1s",
}));
const broker = { url: "mqtt://192.168.4.2", sendBuffer: 2048, receiveBuffer: 2048, inFlight: 64 };

/** The settings of a configuration; undefined if a value is out of its range. */
function read(firefly: object): Settings | undefined {
	let refused = false;
	const settings = readSettings({ firefly }, { mac: "0".repeat(12), chip: "esp32" }, () => {
		refused = true;
	});
	return refused ? undefined : settings;
}

function isAccepted(firefly: object): boolean {
	const settings = read(firefly);
	return settings !== undefined && memoryShortage(settings) === undefined;
}

/** Runs a configuration that `check` accepts. @param slack share by which the model may exceed the peak */
async function survive(firefly: object, slack: number, diagnostic: (text: string) => void): Promise<void> {
	assert.ok(isAccepted(firefly), "check accepts it");
	const { failures, served, memory } = await runWorstTraffic(firefly);
	const peak = peakOf(memory);
	const needed = memoryNeeded(read(firefly)!);
	diagnostic(`${memory.slotsPeak} slots, ${memory.chunksPeak} chunk bytes: ${peak}, ${needed} in the model`);
	assert.deepEqual(failures, []);
	assert.ok(served, "a client that behaves is served in the end");
	assert.ok(peak <= needed, "the model has enough");
	assert.ok(needed <= (1 + slack) * peak, "the model does not have far too much");
}

describe("on XS in a device's arena, the firmware survives the traffic that takes most memory", () => {
	const kinds: Readonly<Record<string, object>> = {
		"without users": { listen: { anonymous: true } },
		"with users": { listen: { users } },
		"with users and the page": { listen: { users, webSocket: 8080 } },
		"with users and persistence": { listen: { users, ...persistent } },
		"with users, the page and persistence": { listen: everything },
		"beside sixteen sensors": { role: "both", sensors, broker, listen: { anonymous: true } },
	};
	for (const [name, firefly] of Object.entries(kinds))
		test(`default pools, ${name}`, (t) =>
			survive({ role: "broker", ...firefly }, 0.12, (text) => t.diagnostic(text)));
});

describe("and so it does with the largest pools that check accepts", () => {
	const cases: readonly (readonly [string, object, (size: number) => object])[] = [
		["clients", { anonymous: true }, (n) => ({ connections: n, sessions: Math.max(8, n) })],
		["sessions", { users, ...persistent }, (n) => ({ sessions: n + 8, sessionBytes: 64 * n })],
		[
			"subscriptions",
			{ anonymous: true },
			(n) => ({ subscriptions: Math.min(n, 1024), filterLevels: n, filterBytes: 8 * n + 8 }),
		],
		["retained values", { users }, (n) => ({ retainedTopics: n, retainedBytes: 64 * n })],
		["waiting messages", { users, ...persistent }, (n) => ({ queuedMessages: n, queuedBytes: 64 * n + 64 })],
		["packets", { users, webSocket: 8080 }, (n) => ({ packetSize: 127 + n })],
		["packets over TCP", { anonymous: true }, (n) => ({ packetSize: Math.min(127 + n, 5744) })],
		[
			"web clients",
			{ users, webSocket: 8080 },
			(n) => ({ webSockets: n, connections: Math.max(4, n), sessions: Math.max(8, n) }),
		],
		["addresses", { users }, (n) => ({ failedAddresses: Math.min(n, 256) })],
		["topic aliases", { anonymous: true }, (n) => ({ topicAliases: Math.min(n, 64), aliasBytes: 64 * n })],
		["everything", everything, (n) => ({ retainedBytes: 3072 + n, queuedBytes: 3072 + n })],
	];
	for (const [name, base, pools] of cases)
		test(name, async (t) => {
			const fireflyOf = (size: number) => ({ role: "broker", listen: { ...base, ...pools(size) } });
			let size = 1;
			for (let step = 8192; step >= 1; step /= 2) if (isAccepted(fireflyOf(size + step))) size += step;
			t.diagnostic(JSON.stringify(pools(size)));
			await survive(fireflyOf(size), 0.4, (text) => t.diagnostic(text));
		});
});
