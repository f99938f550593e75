import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JSONDocument } from "../../cli/config/json";
import type { Overrides } from "../../cli/config/overrides";
import { ownBrokerWarnings } from "../../cli/config/own-broker";
import { deterministicHash } from "../../sim/password";

const sensors = [{ name: "temperature", driver: "sht3x", property: "thermometer.temperature" }];

/** Warnings of a device that is broker and node. */
function warningsOf(firefly: object, overrides: Overrides = {}): string[] {
	const config = {
		firefly: { role: "both", id: "b", sensors, broker: { url: "mqtt://127.0.0.1" }, ...firefly },
	};
	const document = new JSONDocument("m.json", JSON.stringify({ config }, undefined, 1));
	return ownBrokerWarnings(document, overrides).map(({ path, message }) => `${path}: ${message}`);
}

describe("a node with a broker of its own: what it announces", () => {
	const discovery = "homeassistant";
	const small = /is less than what this node announces itself with, up to (\d+) bytes/;

	test("less than one byte of packetSize too little: a warning with the size that fits", () => {
		const listen = { packetSize: 128, retainedBytes: 8192 };
		const [warning] = warningsOf({ discovery, listen });
		assert.match(warning!, /^config\.firefly\.listen\.packetSize: 128 is less/);
		const needed = Number(small.exec(warning!)![1]);
		assert.ok(warning!.endsWith(`its own broker refuses that; set packetSize to ${needed} or more`), warning);
		assert.deepEqual(warningsOf({ discovery, listen: { ...listen, packetSize: needed } }), []);
		assert.equal(warningsOf({ discovery, listen: { ...listen, packetSize: needed - 1 } }).length, 1);
	});

	test("the default of packetSize, with more sensors than it has room for: a warning", () => {
		const many = ["a", "b", "c", "d"].map((name) => ({ ...sensors[0], name }));
		for (const listen of [undefined, { anonymous: true }])
			assert.match(
				warningsOf({ discovery, sensors: many, listen }).join(),
				/^config\.firefly\.(listen|discovery): packetSize, 512, is less/,
			);
	});

	test("no place for it among retained values: a warning", () => {
		const listen = { packetSize: 2048, retainedBytes: 200 };
		assert.match(
			warningsOf({ discovery, listen }).join(),
			/^config\.firefly\.listen\.retainedBytes: 200 is less/,
		);
	});

	test("another broker, no discovery, another role: no warning", () => {
		const listen = { packetSize: 128, mdns: "firefly" };
		for (const url of ["mqtt://192.168.1.10", "mqtt://firefly2.local", "mqtt://other.local"])
			assert.deepEqual(warningsOf({ discovery, listen, broker: { url } }), [], url);
		assert.deepEqual(warningsOf({ listen }), []);
		assert.deepEqual(warningsOf({ discovery, listen, role: "sensor" }), []);
	});

	test("its broker by any name of its own: a warning", () => {
		const listen = { packetSize: 128, mdns: "firefly" };
		for (const url of ["mqtt://localhost", "mqtt://127.1.2.3:1883", "mqtt://firefly.local"])
			assert.equal(warningsOf({ discovery, listen, broker: { url } }).length, 1, url);
		const wifi = { ssid: "x", mode: "accessPoint" };
		assert.equal(warningsOf({ discovery, listen, wifi, broker: { url: "mqtt://192.168.4.1" } }).length, 1);
	});
});

describe("a node with a broker of its own: a WebSocket by name", () => {
	const listen = { webSocket: 8080, mdns: "firefly", hosts: ["greenhouse.example"] };
	for (const name of ["localhost", "firefly.local", "greenhouse.example", "127.0.0.1", "[::1]"])
		test(`${name}: no warning`, () => {
			assert.deepEqual(warningsOf({ listen, broker: { url: `ws://${name}:8080` } }), []);
		});

	test("a name that the broker does not answer by: a warning", () => {
		assert.deepEqual(warningsOf({ listen, broker: { url: "ws://other.example:8080" } }), [
			'config.firefly.broker.url: "other.example" is no name that this device\'s own broker answers a WebSocket by; add it to listen.hosts',
		]);
		assert.deepEqual(warningsOf({ listen, broker: { url: "ws://other.example:8081" } }), []);
		assert.deepEqual(warningsOf({ listen, broker: { url: "mqtt://other.example:8080" } }), []);
	});
});

describe("a node with a broker of its own: how it gets there", () => {
	test("a port that the broker does not have: a warning with those that it has", () => {
		const listen = { port: 1884, webSocket: 8080, mdns: "firefly" };
		for (const [url, asked] of [
			["mqtt://127.0.0.1", "mqtt:// at 1883"],
			["mqtt://firefly.local:8080", "mqtt:// at 8080"],
			["ws://localhost:1884", "ws:// at 1884"],
			["mqtts://localhost", "mqtts:// at 8883"],
		] as const)
			assert.deepEqual(warningsOf({ listen, broker: { url } }), [
				`config.firefly.broker.url: ${new URL(url).hostname} is this device, whose own broker has port 1884, and 8080 for ws://, not ${asked}`,
			]);
		for (const url of ["mqtt://127.0.0.1:1884", "ws://localhost:8080"])
			assert.deepEqual(warningsOf({ listen, broker: { url } }), [], url);
	});

	test("its login: none, of nobody, without or with another password: a warning; the right one: none", () => {
		const listen = { users: { anna: deterministicHash("anna", "secret") } };
		const warning = (broker_username?: string, broker_password?: string, more = {}): string =>
			warningsOf(
				{ listen: { ...listen, ...more } },
				{
					...(broker_username === undefined ? {} : { broker_username }),
					...(broker_password === undefined ? {} : { broker_password }),
				},
			).join();
		assert.match(
			warning(),
			/^config\.firefly\.broker: has no username, and .* the users of listen\.users only/,
		);
		assert.match(warning("bert", "secret"), /^config\.firefly\.broker: "bert", its username, is no user of/);
		assert.match(warning("anna"), /^config\.firefly\.broker: has no password for "anna"/);
		assert.match(warning("anna", "Secret"), /the password is not that of "anna" in listen\.users/);
		assert.equal(warning("anna", "secret"), "");
		assert.equal(warning(undefined, undefined, { anonymous: true }), "");
		assert.match(warning("bert", "secret", { anonymous: true }), /is no user of/);
	});
});

describe("a node with a broker of its own: what the rules allow it", () => {
	const more = { ...sensors[0], name: "other" };
	const allow = (topic: string, action = "publish", rest = {}) => ({ allow: action, topic, ...rest });
	const rulesOf = (acl: object[], firefly = {}) =>
		warningsOf({
			id: "b-{mac}",
			topic: "home/{id}/{sensor}",
			sensors: [sensors[0], more],
			...firefly,
			listen: { anonymous: true, acl },
		});

	test("reports that no rule allows: one warning with a rule that would", () => {
		const [warning, ...others] = rulesOf([allow("garden/#")]);
		assert.equal(
			warning,
			'config.firefly.listen.acl: no rule allows this device\'s own node to publish reports of temperature, "home/b-{mac}/temperature" and 1 more; add one such as {"allow": "publish", "topic": "home/+/temperature"}',
		);
		assert.deepEqual(others, []);
		assert.match(
			rulesOf([allow("home/+/temperature")]).join(),
			/publish reports of other, [^;]*other"; add one/,
		);
	});

	test("rules that allow them, by any of their forms: no warning", () => {
		for (const acl of [
			[],
			[allow("#")],
			[allow("home/{id}/#")],
			[allow("home/#", "all")],
			[allow("home/b-a0b1c2d3e4f5/+")],
			[allow("home/#", "publish", { client: "b-a0b1c2d3e4f5" })],
			[{ deny: "publish", topic: "home/x/#" }, allow("home/#")],
		])
			assert.deepEqual(rulesOf(acl), [], JSON.stringify(acl));
	});

	test("what else a node sends and asks for: a warning each", () => {
		const firefly = {
			commands: {},
			diagnostics: {},
			discovery: ["homeassistant", "homie"],
			broker: { url: "mqtt://127.0.0.1", will: { topic: "gone/{id}" } },
		};
		const warnings = rulesOf([allow("home/+/temperature"), allow("home/+/other")], firefly).join("\n");
		for (const what of [
			/publish diagnostics, /,
			/publish its will, /,
			/publish answers to commands, /,
			/subscribe to its commands, .*\{"allow": "subscribe", /,
			/publish what announces it, /,
		])
			assert.match(warnings, what);
		const all = { allow: "all", topic: "#" };
		assert.deepEqual(
			rulesOf([all], firefly).filter((text) => text.includes("no rule")),
			[],
		);
	});
});

describe("a node with a broker of its own: what it keeps", () => {
	test("a packet size below a report of one sensor, retained topics below the node's own: a warning each", () => {
		const topic = `${"x".repeat(100)}/{sensor}`;
		const [large] = warningsOf({ topic, listen: { packetSize: 128 } });
		assert.match(
			large!,
			/^config\.firefly\.listen\.packetSize: 128 is less than what a report of one sensor takes/,
		);
		const needed = Number(/set packetSize to (\d+) or more$/.exec(large!)![1]);
		assert.deepEqual(warningsOf({ topic, listen: { packetSize: needed } }), []);
		assert.equal(warningsOf({ topic, listen: { packetSize: needed - 1 } }).length, 1);

		const three = ["a", "b", "c"].map((name) => ({ ...sensors[0], name, retain: true }));
		const of = (retainedTopics: number, rest = {}) =>
			warningsOf({ sensors: three, listen: { retainedTopics, packetSize: 4096 }, ...rest });
		assert.deepEqual(of(2), [
			"config.firefly.listen.retainedTopics: 2 is less than what this node alone retains, 3 topics: its own broker refuses that; set retainedTopics to 3 or more",
		]);
		assert.deepEqual(of(3), []);
		assert.deepEqual(of(1, { topic: "home/{id}", payload: "json" }), []);
		assert.match(of(3, { discovery: "homeassistant" }).join(), /retains, 4 topics/);
		assert.deepEqual(of(0, { sensors: three.map((sensor) => ({ ...sensor, retain: false })) }), []);
	});
});
