import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JSONDocument } from "../../cli/config/json";
import { ownBrokerWarnings } from "../../cli/config/own-broker";

const sensors = [{ name: "temperature", driver: "sht3x", property: "thermometer.temperature" }];

/** Warnings of a device that is broker and node. */
function warningsOf(firefly: object): string[] {
	const config = {
		firefly: { role: "both", id: "b", sensors, broker: { url: "mqtt://127.0.0.1" }, ...firefly },
	};
	const document = new JSONDocument("m.json", JSON.stringify({ config }, undefined, 1));
	return ownBrokerWarnings(document, {}).map(({ path, message }) => `${path}: ${message}`);
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
		for (const url of ["mqtt://192.168.1.10", "mqtt://127.0.0.1:1884", "mqtt://other.local"])
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
