import assert from "node:assert/strict";
import { test } from "node:test";
import { formatValue } from "../../sim/report/format";
import { defaults } from "../../src/config/defaults";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import { TestBoard } from "./support/test-board";

test("bare values: the node wakes each minute, reports under the sensor's topic, and sleeps", () => {
	const board = new TestBoard();
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ temperature: 20 + Math.floor(time / MINUTE) / 10 });
	board.run(HOUR - 1);
	assert.equal(board.boots, 60);
	assert.deepEqual(
		payloads(broker),
		Array.from({ length: 60 }, (_, i) => String(20 + i / 10)),
	);
	for (const packet of broker.packets)
		if (packet.cmd === "publish") {
			assert.equal(packet.topic, "home/node/temperature");
			assert.ok(packet.retain && packet.qos === 1 && !packet.dup);
		}
	assert.deepEqual(board.reportCounts, { accepted: 60, acknowledged: 60, dropped: 0, waiting: 0, lost: 0 });
	assert.deepEqual(
		board.events("sample").map(({ at }) => at),
		Array.from({ length: 60 }, (_, i) => i * MINUTE),
	);
	assert.ok(board.longestAwakeMs < 1000);
	assert.equal(board.events("failed").length, 0);
});

test("JSON: one report for all sensors of a wake if the topic has no {sensor}", () => {
	const board = new TestBoard({
		payload: "json",
		topic: "{mac}/{chip}/{id}",
		sensors: [
			{ name: "temperature" },
			{ name: "humidity", property: ["humidity"], decimals: 1 },
			{ name: "ratio", property: ["deep", "ratio"], every: 2 * MINUTE, qos: 0, retain: false },
			{ name: "missing", property: ["deep", "none", "at", "all"] },
		],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	let calls = 0;
	board.sample = () => {
		calls++;
		return { temperature: 23.7, humidity: 26.272, deep: { ratio: 0.00476416302416414 } };
	};
	board.run(2 * MINUTE - 1);
	assert.deepEqual(payloads(broker), [
		'{"seq":1,"time":"2015-02-02T14:19:00.000Z","temperature":23.7,"humidity":26.3,"ratio":0.00476416302416414}',
		'{"seq":2,"time":"2015-02-02T14:20:00.000Z","temperature":23.7,"humidity":26.3}',
	]);
	const publish = broker.packets.find((packet) => packet.cmd === "publish");
	assert.equal(publish?.cmd === "publish" && publish.topic, "a0b1c2d3e4f5/test/node");
	assert.equal(calls, 2, "sensors of one driver share its reading");
});

test("a sensor with decimals is published with exactly these, as a value and in JSON, as the console shows it", () => {
	const values = [1, 0, -0.04, -3, 20.25, 1e15, 99.949, 123_456.7, 1e20, 1e21];
	for (const decimals of [0, 1, 3, 6])
		for (const payload of ["value", "json"] as const) {
			const board = new TestBoard({ payload, sensors: [{ decimals }] });
			const broker = new ScriptedBroker(board.network, 1883);
			board.sample = (time) => ({ temperature: values[Math.floor(time / MINUTE)] });
			board.run(values.length * MINUTE - 1);
			const shown = board
				.events("sample")
				.map(({ details: [, value] }) => formatValue(value, undefined, decimals));
			assert.equal(shown.length, values.length);
			const published = payloads(broker).map((text) =>
				payload === "value" ? text : (/"temperature":(.*)\}$/.exec(text)?.[1] ?? ""),
			);
			assert.deepEqual(published, shown, `${payload}, ${decimals}`);
			for (const [i, text] of published.entries())
				assert.equal(Number(text), board.events("sample")[i].details[1] + 0);
		}
});

test("a wake without a report does not start Wi-Fi; the heartbeat does", () => {
	const board = new TestBoard({ sensors: [{ delta: 0.2, heartbeat: 15 * MINUTE }] });
	const broker = new ScriptedBroker(board.network, 1883);
	let value = 20;
	board.sample = () => ({ temperature: value });
	board.run(20 * MINUTE - 1);
	assert.equal(board.events("join").length, 2);
	assert.equal(board.events("filtered").length, 18);
	value = 20.1;
	board.run(5 * MINUTE);
	assert.equal(board.events("join").length, 2);
	value = 20.2;
	board.run(MINUTE);
	assert.deepEqual(payloads(broker), ["20", "20", "20.2"]);
});

test("the limits of the last CONNACK apply to the next first flight", () => {
	const board = new TestBoard({ sensors: Array.from({ length: 6 }, (_, i) => ({ name: `s${i}` })) });
	const broker = new ScriptedBroker(board.network, 1883, { connack: { properties: { receiveMaximum: 2 } } });
	board.run(2 * MINUTE - 1);
	const second = broker.commands.lastIndexOf("connect");
	const firstFlight = broker.packets
		.slice(second + 1)
		.filter((_, i) => broker.times[second + 1 + i] === broker.times[second]);
	assert.equal(firstFlight.length, 2);
	assert.deepEqual(board.reportCounts, { accepted: 12, acknowledged: 12, dropped: 0, waiting: 0, lost: 0 });
});

test("a property that throws when it is read is a failed reading, and other sensors are sampled in time", () => {
	class GetterDriver {
		configure() {}
		sample() {
			return {
				get temperature(): number {
					throw new Error("bus error");
				},
			};
		}
		close() {}
	}
	const board = new TestBoard({ sensors: [{ name: "a", driver: "getter" }, { name: "b" }] });
	const broker = new ScriptedBroker(board.network, 1883);
	board.drivers = { getter: GetterDriver };
	board.run(3 * MINUTE - 1);
	assert.deepEqual(payloads(broker), ["20", "20", "20"]);
	assert.equal(board.events("failed").length, 0);
	const failedReadings = board.events("sample").filter(({ details: [, value] }) => Number.isNaN(value));
	assert.equal(failedReadings.length, 3);
	assert.ok(board.traces.some((line) => line.includes("sensor a: Error: bus error")));
});

test("a driver that throws what has no text: its readings fail, and other sensors are reported", () => {
	for (const thrown of [Symbol("no text"), Object.create(null), { toString: () => ({}) }, undefined]) {
		class Thrower {
			configure() {}
			sample(): undefined {
				throw thrown;
			}
			close() {
				throw thrown;
			}
		}
		const board = new TestBoard({ sensors: [{}, { name: "b", driver: "thrower" }, { name: "c" }] });
		board.drivers = { thrower: Thrower };
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(3 * MINUTE - 1);
		assert.equal(payloads(broker).length, 6);
		assert.equal(board.boots, 3);
	}
});

test("drivers that throw, are missing or return nothing do not stop the node", () => {
	class ThrowingDriver {
		constructor() {
			throw new Error("no such chip");
		}
		configure() {}
		sample() {
			return undefined;
		}
		close() {}
	}
	class IntermittentDriver {
		#count = 0;
		configure() {}
		sample() {
			if (this.#count++ % 2 === 0) throw new Error("bus error");
			return { temperature: 1 };
		}
		close() {
			throw new Error("close");
		}
	}
	const board = new TestBoard({
		sensors: [
			{ name: "a", driver: "thrower" },
			{ name: "b", driver: "fickle" },
			{ name: "c", driver: "nowhere" },
			{ name: "d" },
			{ name: "e", property: ["nan"] },
			{ name: "f", property: ["on"] },
		],
	});
	board.drivers = { thrower: ThrowingDriver, fickle: IntermittentDriver };
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => (time < 5 * MINUTE ? { temperature: 2, nan: NaN, on: true } : undefined);
	board.run(10 * MINUTE - 1);
	assert.equal(board.boots, 10);
	assert.deepEqual(payloads(broker).sort(), [..."1111122222"]);
	assert.equal(
		board.events("sample").filter(({ details: [, value] }) => Number.isNaN(value)).length,
		60 - 10,
	);
	assert.equal(board.events("failed").length, 0);
});

test("a changed sensor list: waiting reports are dropped and counted, new ones are sent", () => {
	const board = new TestBoard();
	board.wifi = "fails";
	board.run(5 * MINUTE - 1);
	board.settings = {
		...board.settings,
		sensors: [...board.settings.sensors, { ...board.settings.sensors[0], name: "other" }],
	};
	board.wifi = "joins";
	new ScriptedBroker(board.network, 1883);
	board.run(20 * MINUTE);
	assert.equal(board.events("dropped").length, 5);
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.events("accepted").find(({ at }) => at >= 5 * MINUTE)?.details[0], 6);
});

test("values recorded together are all sent after the settings change to bare values", () => {
	const sensors = [{ name: "a" }, { name: "b" }];
	for (const policy of ["dropOldest", "thin"] as const) {
		const outbox = { ...defaults.outbox, policy, size: 256 };
		const board = new TestBoard({ payload: "json", topic: "home/{id}", sensors, outbox });
		board.wifi = "fails";
		board.run(5 * MINUTE - 1);
		board.settings = { ...board.settings, payload: "value", topic: "home/node/{sensor}" };
		board.wifi = "joins";
		new ScriptedBroker(board.network, 1883);
		board.run(20 * MINUTE);
		assert.equal(board.events("dropped").length, 5);
		assert.equal(board.reportCounts.lost, 0);
	}
});

test("no broker or no sensors: a trace, then sleep", () => {
	for (const overrides of [{ broker: { host: "" } }, { sensors: [] }]) {
		const board = new TestBoard(overrides);
		board.run(HOUR);
		assert.equal(board.boots, 1);
		assert.equal(board.longestAwakeMs, 0);
		assert.ok(board.traces.some((line) => line.startsWith("no ")));
		assert.equal(board.events("join").length, 0);
	}
});

test("too little retained memory: a trace, and the outbox is in RAM", () => {
	const board = new TestBoard();
	Object.assign(board, {
		retained: { memory: new Uint8Array(100), bytes: new Uint8Array(100), budget: Infinity, backwards: false },
	});
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(3 * MINUTE - 1);
	assert.equal(payloads(broker).length, 3);
	assert.ok(board.traces.some((line) => line.includes("too small")));
});

test("a configuration without a valid CONNECT: one trace, then sleep without Wi-Fi", () => {
	for (const [broker, why] of [
		[{ clientId: "\u0000" }, "U+0000"],
		[{ sendBuffer: 128, username: "u".repeat(120) }, "CONNECT takes 145 bytes, sendBuffer is 128"],
		[{ version: 4, password: "secret" }, "password without a user name"],
	] as const)
		for (const mode of ["deep", "none"] as const) {
			const board = new TestBoard({ broker, sleep: { mode } });
			new ScriptedBroker(board.network, 1883);
			board.run(24 * HOUR);
			assert.equal(board.boots, 1);
			assert.equal(board.events("join").length, 0);
			assert.deepEqual(
				board.events("failed").map(({ details }) => details),
				[["configuration", 0, 1]],
			);
			const errorTraces = board.traces.filter((line) =>
				line.startsWith("nothing can be reported with this configuration: "),
			);
			assert.equal(errorTraces.length, 1);
			assert.ok(errorTraces[0].includes(why), errorTraces[0]);
			assert.equal(board.events("accepted").length, 1);
			if (mode === "deep") assert.equal(board.reportCounts.lost, 0);
		}
});

test("a report recorded under an invalid configuration is sent after it is corrected", () => {
	const board = new TestBoard({ broker: { sendBuffer: 128, username: "u".repeat(120) } });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(HOUR);
	board.settings = { ...board.settings, broker: { ...board.settings.broker, sendBuffer: 256 } };
	board.reset("reset");
	board.run(MINUTE / 2);
	assert.ok(payloads(broker).length >= 2);
	assert.equal(board.reportCounts.lost, 0);
});

test("deep sleep: a driver is closed before the connection is opened, and made anew in the next wake", () => {
	const open: string[] = [];
	class CountedDriver {
		constructor() {
			open.push("made");
		}
		configure() {}
		sample() {
			return { temperature: 1 };
		}
		close() {
			open.push("closed");
		}
	}
	const board = new TestBoard({ sensors: [{ driver: "counted" }] });
	board.drivers = { counted: CountedDriver };
	new ScriptedBroker(board.network, 1883, { accept: () => open.push("connected") });
	board.run(2 * MINUTE - 1);
	const wake = ["made", "closed", "connected"];
	assert.deepEqual(open, [...wake, ...wake]);
});
