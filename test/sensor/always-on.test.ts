import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import { TestBoard } from "./support/test-board";

const alwaysOn = { sleep: { mode: "none" } } as const;

const OUTAGES = (["none", "light"] as const).flatMap((mode) =>
	(["ends", "refused", "silent", "wifi", "join"] as const).map((outage) => [mode, outage] as const),
);

function count(board: TestBoard): { accepted: number; acknowledged: number } {
	return {
		accepted: board.events("accepted").length,
		acknowledged: new Set(board.events("acknowledged").map(({ details: [sequence] }) => sequence)).size,
	};
}

test("always on: one connection, a report for each sample, a constant number of timers", () => {
	for (const [mode, qos] of [
		["none", 0],
		["none", 1],
		["light", 1],
	] as const) {
		const board = new TestBoard({ sleep: { mode }, sensors: [{ qos, every: 10_000 }] });
		// The ticks of the host wrap during the run.
		board.network.clock.ticksOffset = 0x7fffffff - HOUR / 2;
		const broker = new ScriptedBroker(board.network, 1883);
		board.sample = (time) => ({ temperature: time / 1000 });
		board.run(MINUTE);
		const { timersCreated } = board.network.clock;
		board.run(HOUR - MINUTE - 1);
		assert.equal(board.boots, 1);
		assert.deepEqual(
			payloads(broker),
			Array.from({ length: 360 }, (_, i) => String(i * 10)),
		);
		assert.equal(broker.commands.filter((command) => command === "connect").length, 1);
		assert.deepEqual(count(board), { accepted: 360, acknowledged: 360 });
		assert.equal(board.network.clock.timersCreated, timersCreated);
	}
});

test("always on: outages of broker and Wi-Fi: sampling goes on, every report is delivered later", () => {
	for (const [mode, outage] of OUTAGES) {
		const board = new TestBoard({ sleep: { mode }, broker: { acknowledgeTimeout: 2000 } });
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(10 * MINUTE - 1);
		const accept = board.network.listeners.get(1883);
		if (outage === "silent") {
			for (const { peer } of broker.connections) peer.onData = () => {};
			board.network.serve(1883, () => {});
		} else if (outage === "wifi" || outage === "join") {
			board.wifi = outage === "wifi" ? "fails" : "silent";
			board.dropWiFi();
		} else {
			if (outage === "refused") board.network.listeners.delete(1883);
			for (const connection of broker.connections) connection.end();
		}
		board.run(HOUR / 2);
		if (accept) board.network.listeners.set(1883, accept);
		board.wifi = "joins";
		board.run(HOUR);
		assert.equal(board.boots, 1);
		assert.equal(board.events("sample").length, 100);
		assert.deepEqual(count(board), { accepted: 100, acknowledged: 100 }, outage);
		const failures = board.events("failed").length;
		assert.ok(failures >= 1 && failures <= 30, `${outage}: ${failures} failures`);
	}
});

test("always on: a report waits for room in flight while others are sampled: each is sent as it was accepted", () => {
	const board = new TestBoard({
		...alwaysOn,
		sensors: [{ qos: 1, every: 10_000 }],
		broker: { inFlight: 1, acknowledgeTimeout: 60_000 },
	});
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish") return false;
			const messageId = packet.messageId as number;
			board.network.clock.after(25_000, () => connection.send({ cmd: "puback", messageId, reasonCode: 0 }));
			return true;
		},
	});
	board.sample = (time) => ({ temperature: time / 1000 });
	board.run(5 * MINUTE - 1);
	assert.deepEqual(
		payloads(broker),
		Array.from({ length: 12 }, (_, i) => String(i * 10)),
	);
	assert.equal(count(board).accepted, 30);
});

test("always on: no new values: PINGREQ keeps the connection open", () => {
	const board = new TestBoard({ ...alwaysOn, sensors: [{ delta: 1 }], broker: { keepAlive: 40 } });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(HOUR);
	assert.equal(payloads(broker).length, 1);
	assert.ok(broker.commands.filter((command) => command === "pingreq").length > 100);
	assert.equal(board.events("failed").length, 0);
});

test("light sleep: the host is asked once a boot, only for a sensor in this mode", () => {
	for (const [sleep, role, calls] of [
		["light", "sensor", 2],
		["light", "both", 0],
		["none", "sensor", 0],
		["deep", "sensor", 0],
	] as const) {
		const board = new TestBoard({ sleep: { mode: sleep }, role });
		new ScriptedBroker(board.network, 1883);
		let count = 0;
		board.light = () => {
			count++;
		};
		board.run(MINUTE / 2);
		board.reset("reset");
		board.run(MINUTE / 2);
		assert.equal(count, calls, `${sleep} ${role}`);
		assert.deepEqual(board.traces, []);
	}
});

test("light sleep that the image lacks: a line on the console, and the node stays awake and connected", () => {
	const board = new TestBoard({ sleep: { mode: "light" } });
	board.light = () => {
		throw new Error("no module");
	};
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(10 * MINUTE - 1);
	assert.deepEqual(board.traces, ["firefly: no light sleep, the chip stays awake: Error: no module"]);
	assert.equal(board.boots, 1);
	assert.equal(payloads(broker).length, 10);
});

test("always on: a clock set at run time corrects times and moves samples onto the grid", () => {
	const board = new TestBoard({
		...alwaysOn,
		payload: "json",
		sensors: [{ grid: true }],
		time: { server: "time" },
	});
	board.clockIsSet = false;
	board.wallErrorMs = -1_400_000_000_000;
	board.setClock = (_, callback) => {
		board.network.clock.after(3000, () => {
			board.clockIsSet = true;
			board.wallErrorMs = 25_000;
			callback(true);
		});
	};
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(10 * MINUTE);
	const samples = board.events("sample");
	assert.ok(samples.length >= 10 && samples.length <= 11);
	for (const { at } of samples.slice(1)) assert.equal((at + 25_000) % MINUTE, 0);
	assert.ok(payloads(broker).every((payload) => payload.includes('"time":"2015-')));
});

test("a broker on the same chip keeps the node awake", () => {
	const board = new TestBoard({ role: "both" });
	new ScriptedBroker(board.network, 1883);
	board.run(HOUR);
	assert.equal(board.boots, 1);
	assert.equal(board.events("sleep").length, 0);
});

test("always on: exceptions of Wi-Fi are traced and retried, the node goes on", () => {
	const board = new TestBoard(alwaysOn);
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(5 * MINUTE - 1);
	board.wifi = "throws";
	board.dropWiFi();
	board.run(10 * MINUTE);
	assert.ok(board.traces.some((line) => line.includes("no radio")));
	board.wifi = "joins";
	board.run(20 * MINUTE);
	assert.equal(payloads(broker).length, 35);
	assert.equal(board.boots, 1);
});

test("a program fault: attempts become rare, samples are kept, no boot loop", () => {
	for (const mode of ["deep", "none"] as const) {
		const board = new TestBoard({ sleep: { mode }, time: undefined as never });
		new ScriptedBroker(board.network, 1883);
		board.run(HOUR - 1);
		assert.ok(board.boots <= 70);
		assert.ok(board.events("accepted").length >= 58);
		const faults = board.events("failed").length;
		assert.ok(faults >= 3 && faults <= 30, `${faults} faults`);
		assert.ok(board.traces[0].includes("'server'"));
	}
});

test("always on: a driver that fails is closed, releases its pins and is opened again", () => {
	let openInstances = 0;
	let instances = 0;
	class ExclusiveDriver {
		readonly #instance = ++instances;
		#readings = 0;
		constructor() {
			if (openInstances > 0) throw new Error("pin in use");
			openInstances++;
		}
		configure() {
			if (this.#instance === 1) throw new Error("no answer");
		}
		sample() {
			if (this.#instance === 2 && ++this.#readings > 2) throw new Error("bus hangs");
			return { temperature: this.#instance };
		}
		close() {
			openInstances--;
		}
	}
	const board = new TestBoard({ ...alwaysOn, sensors: [{ driver: "exclusive" }] });
	board.drivers = { exclusive: ExclusiveDriver };
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(6 * MINUTE - 1);
	assert.deepEqual(payloads(broker), [..."2233"]);
	assert.equal(openInstances, 1);
});

test("always on: QoS 1 sent before a CONNACK with maximum QoS 0 does not count as delivered", () => {
	const board = new TestBoard({
		...alwaysOn,
		sensors: [
			{ name: "a", qos: 1 },
			{ name: "b", qos: 0 },
		],
	});
	let first = true;
	const broker = new ScriptedBroker(board.network, 1883, {
		connack: { properties: { maximumQoS: 0 } },
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || !first) return false;
			first = false;
			connection.send({ cmd: "disconnect", reasonCode: 0x9b });
			connection.end();
			return true;
		},
	});
	board.run(MINUTE - 1);
	const again = broker.packets.filter(
		(packet) => packet.cmd === "publish" && packet.topic.endsWith("/a") && packet.qos === 0,
	);
	assert.equal(again.length, 1);
});
