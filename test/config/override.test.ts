import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { longestReportGap, sessionExpirySeconds } from "../../src/config/command-session";
import { overrideSettings } from "../../src/config/override";
import { readSettings, type Settings } from "../../src/config/settings";
import { flattenSettings } from "./flat-settings";

const identity = { mac: "a0b1c2d3e4f5", chip: "esp32" };
const sensors = [
	{ name: "t", driver: "d", every: "1m", delta: 0.2, heartbeat: "15m" },
	{ name: "h", driver: "d", every: "5m" },
];

function base(firefly: object = {}): Settings {
	const config = {
		firefly: { id: "n", broker: { url: "mqtt://b:1884" }, commands: {}, sensors, ...firefly },
	};
	return readSettings(config, identity, (problem) => assert.fail(problem));
}

function override(overrides: unknown): { settings: Settings; problems: string[] } {
	const problems: string[] = [];
	const settings = overrideSettings(base(), overrides, (problem) => problems.push(problem));
	return { settings: flattenSettings(settings), problems };
}

describe("settings of the command set", () => {
	test("what it names is changed, all else is as configured", () => {
		const { settings, problems } = override({
			sleep: { awakeLimit: "20s", commandWindow: "1s" },
			backoff: { minimum: "1s" },
			outbox: { policy: "thin" },
			time: { server: false },
			broker: { url: "mqtt://other", keepAlive: "30s" },
			sensors: [{ name: "h", every: "10s", retain: false }],
		});
		assert.deepEqual(problems, []);
		const expected = flattenSettings(base());
		assert.deepEqual(settings, {
			...expected,
			sleep: { ...expected.sleep, awakeLimit: 20_000, commandWindow: 1000 },
			backoff: { ...expected.backoff, minimum: 1000 },
			outbox: { ...expected.outbox, policy: "thin" },
			time: { server: undefined },
			broker: { ...expected.broker, host: "other", port: 1883, keepAlive: 30 },
			sensors: [expected.sensors[0], { ...expected.sensors[1], every: 10_000, retain: false }],
		});
	});

	test("another host over the same transport is taken, another transport is refused", () => {
		const settings = base({ broker: { url: "wss://b:9001/mqtt", tls: { ca: "ca.der" } } });
		const set = (url: string): [broker: Settings["broker"], problems: string[]] => {
			const problems: string[] = [];
			const { broker } = overrideSettings(settings, { broker: { url } }, (problem) => problems.push(problem));
			return [flattenSettings({ ...settings, broker }).broker, problems];
		};
		const [other, none] = set("wss://other");
		assert.deepEqual(
			[other.host, other.port, other.transport, other.path, none],
			["other", 443, "wss", undefined, []],
		);
		for (const url of ["mqtt://other", "ws://other/mqtt", "mqtts://other"]) {
			const [{ host }, problems] = set(url);
			assert.equal(host, "b");
			assert.deepEqual(problems, [`settings.broker.url: "${url}" has another scheme than wss`]);
		}
		assert.deepEqual(override({ broker: { url: "mqtts://other" } }).problems, [
			'settings.broker.url: "mqtts://other" has another scheme than mqtt',
		]);
	});

	test("nothing given: the settings of the firmware", () => {
		assert.deepEqual(override({}).settings, flattenSettings(base()));
	});

	for (const [name, overrides, problem] of [
		["a wrong unit", { sleep: { awakeLimit: "20" } }, 'settings.sleep.awakeLimit: "20" is not a duration'],
		[
			"out of range",
			{ sleep: { awakeLimit: "20m" } },
			'settings.sleep.awakeLimit: "20m" is not between 1s and 10m',
		],
		["an unknown key", { sleep: { awake: 1 } }, "settings.sleep.awake: 1 is not a known key"],
		["an unknown group", { wlan: {} }, "settings.wlan: an object is not a known key"],
		["the identity", { id: "other" }, 'settings.id: "other" cannot be set by a command'],
		["the role", { role: "broker" }, 'settings.role: "broker" cannot be set by a command'],
		["the topic", { topic: "a/{id}" }, 'settings.topic: "a/{id}" cannot be set by a command'],
		["Wi-Fi", { wifi: { ssid: "x" } }, 'settings.wifi.ssid: "x" cannot be set by a command'],
		[
			"the passphrase, which is not repeated",
			{ wifi: { password: "s3cret" } },
			"settings.wifi.password: the password cannot be set by a command",
		],
		[
			"the broker's password",
			{ broker: { password: "s3cret" } },
			"settings.broker.password: the password cannot be set by a command",
		],
		["memory", { broker: { sendBuffer: 128 } }, "settings.broker.sendBuffer: 128 cannot be set by a command"],
		[
			"the commands themselves",
			{ commands: { topic: "x" } },
			'settings.commands.topic: "x" cannot be set by a command',
		],
		[
			"an impossible address",
			{ broker: { url: "http://x" } },
			'settings.broker.url: "http://x" does not begin with mqtt://, mqtts://, ws:// or wss://',
		],
		[
			"a sensor that is not there",
			{ sensors: [{ name: "x" }] },
			'settings.sensors[0].name: "x" is not the name of a sensor',
		],
		[
			"a driver",
			{ sensors: [{ name: "t", driver: "y" }] },
			'settings.sensors.t.driver: "y" cannot be set by a command',
		],
		[
			"a sensor's wrong value",
			{ sensors: [{ name: "t", every: 5 }] },
			"settings.sensors.t.every: 5 is not a string",
		],
		["a list for a group", { sleep: [] }, "settings.sleep: a list is not an object"],
		[
			"bounds in the wrong order",
			{ backoff: { minimum: "20m" } },
			"settings.backoff: maximum, 900000 ms, is less than minimum, 1200000 ms",
		],
		["null", { sleep: { awakeLimit: null } }, "settings.sleep.awakeLimit: null is not a string"],
		[
			"a prototype",
			JSON.parse('{"sleep":{"__proto__":{"awakeLimit":1}}}'),
			"settings.sleep.__proto__: an object is not a known key",
		],
		[
			"a prototype of a sensor",
			{ sensors: JSON.parse('[{"name":"t","__proto__":{"every":"5s"}}]') },
			"settings.sensors.t.__proto__: an object is not a known key",
		],
	] as const)
		test(`${name}: reported with its path, and left out`, () => {
			const { settings, problems } = override(overrides);
			assert.deepEqual(problems, [problem]);
			assert.deepEqual(settings, flattenSettings(base()));
		});

	test("the session outlasts the gaps that the new settings make, and the receive maximum follows the version", () => {
		const { settings } = override({
			broker: { version: 4 },
			sensors: [
				{ name: "t", heartbeat: "20d" },
				{ name: "h", every: "10d" },
			],
		});
		assert.equal(settings.broker.sessionExpiry, 3 * 10 * 86_400);
		assert.equal(settings.broker.receiveMaximum, 32);
	});
});

describe("the session of a node that takes commands", () => {
	const gap = (...list: object[]): number => longestReportGap(base({ sensors: list }).sensors);

	test("the gap is that of the sensor that reports most often, with a deadband its heartbeat", () => {
		const t = { name: "t", driver: "d", every: "7m" };
		assert.equal(gap(t), 7 * 60_000);
		assert.equal(gap({ ...t, delta: 1, heartbeat: "15m" }), 21 * 60_000);
		assert.equal(gap({ ...t, delta: 1 }), Infinity);
		assert.equal(gap({ ...t, delta: 1 }, { ...t, name: "u", every: "1h" }), 3_600_000);
		assert.equal(gap({ ...t, delta: 0 }), 7 * 60_000);
	});

	test("it is kept for three gaps, a day at least, for ever if there may be no report", () => {
		assert.equal(sessionExpirySeconds(base().sensors), 86_400);
		assert.equal(sessionExpirySeconds(base({ sensors: [{ ...sensors[1], every: "20h" }] }).sensors), 216_000);
		assert.equal(sessionExpirySeconds(base({ sensors: [{ ...sensors[1], delta: 1 }] }).sensors), 0xffff_ffff);
	});

	test("the broker keeps it whatever cleanStart says; a configured expiry holds", () => {
		const { broker, commands } = base({ broker: { url: "mqtt://b", cleanStart: true, sessionExpiry: "1h" } });
		assert.deepEqual([broker.cleanStart, broker.sessionExpiry, broker.receiveMaximum], [false, 3600, 8]);
		assert.deepEqual(commands, { topic: "firefly/n/command", answer: "firefly/n/answer", trialWakes: 5 });
		assert.equal(base({ role: "broker" }).commands, undefined);
		assert.equal(base({ role: "broker" }).broker.cleanStart, true);
		assert.equal(base({ commands: undefined }).broker.receiveMaximum, undefined);
	});
});
