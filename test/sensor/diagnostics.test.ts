import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION } from "../../src/version";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { EPOCH, type Overrides, TestBoard } from "./support/test-board";

const diagnostics = { every: HOUR, topic: "home/{id}/{mac}/state" };
const TOPIC = "home/node/a0b1c2d3e4f5/state";

interface Message {
	readonly at: number;
	readonly text: string;
	readonly values: Readonly<Record<string, unknown>>;
}

function start(overrides: Overrides = {}, script = {}) {
	const board = new TestBoard({ diagnostics, ...overrides });
	const broker = new ScriptedBroker(board.network, 1883, script);
	return { board, broker };
}

function messagesOf(broker: ScriptedBroker): Message[] {
	return broker.packets.flatMap((packet, i) => {
		if (packet.cmd !== "publish" || packet.topic !== TOPIC) return [];
		assert.ok(packet.retain && packet.qos === 0);
		const text = packet.payload.toString();
		return [{ at: broker.times[i]!, text, values: JSON.parse(text) }];
	});
}

test("a message holds what the node knows of itself", () => {
	const { board, broker } = start({
		sensors: [
			{ name: "temperature" },
			{ name: "bad", property: ["none"] },
			{ name: "voltage", property: ["battery", "voltage"] },
		],
	});
	board.sample = () => ({ temperature: 20, battery: { voltage: 3.81 } });
	board.run(2 * HOUR);
	const [first, second] = messagesOf(broker);
	assert.deepEqual(first!.values, {
		time: new Date(EPOCH + 220).toISOString(),
		version: VERSION,
		wakes: 1,
		uptime: 0,
		resetReason: "power-on",
		resets: 1,
		wakeCause: "power-on",
		awakeTime: 220,
		totalAwakeTime: 0,
		waiting: 2,
		dropped: 0,
		failedReadings: 1,
		battery: 3.81,
		failedSensors: { bad: 1 },
	});
	const { wakes, failedReadings, failedSensors, totalAwakeTime, uptime } = second!.values;
	assert.equal(wakes, failedReadings);
	assert.deepEqual(failedSensors, { bad: failedReadings });
	assert.equal(uptime, (Number(wakes) - 1) * 60);
	const awake = board.events("sleep").slice(0, Number(wakes) - 1);
	const total = awake.reduce((sum, { details }) => sum + details[2], 220);
	assert.equal(totalAwakeTime, Math.floor(total / 1000));
});

test("messages go along with reports, a quarter early at most, and never cost a connection then", () => {
	const { board, broker } = start();
	board.run(24 * HOUR - 1);
	const { length } = messagesOf(broker);
	assert.ok(length >= 24 && length <= 32, `${length}`);
	assert.equal(board.events("join").length, 24 * 60);
	assert.equal(board.boots, 24 * 60);
	for (const [i, { at }] of messagesOf(broker).entries())
		if (i > 0) assert.ok(at - messagesOf(broker)[i - 1]!.at >= 0.75 * HOUR - 1);
});

test("without anything to report a message is sent when it is due", () => {
	const { board, broker } = start({ sensors: [{ delta: 1 }] });
	board.run(24 * HOUR - 1);
	assert.equal(messagesOf(broker).length, 24);
	assert.equal(board.events("join").length, 24);
	assert.ok(board.boots <= 24 * 60 + 24);
});

test("a message that no connection has confirmed is sent again, after the backoff", () => {
	const { board, broker } = start({ sensors: [{ delta: 1 }] });
	board.run(30 * MINUTE);
	board.wifi = "fails";
	board.run(2 * HOUR);
	assert.equal(messagesOf(broker).length, 1);
	board.wifi = "joins";
	board.run(30 * MINUTE);
	assert.equal(messagesOf(broker).length, 2);
	assert.ok(board.events("join").length < 30);
});

test("a refused connection confirms nothing", () => {
	const { board, broker } = start(
		{ sensors: [{ delta: 1 }], broker: { pipeline: true } },
		{ connack: { reasonCode: 0x88 } },
	);
	board.run(10 * MINUTE);
	assert.ok(messagesOf(broker).length >= 3, `${messagesOf(broker).length}`);
});

test("always on: with each period one message, on the open connection", () => {
	const { board, broker } = start({ sleep: { mode: "none" } });
	board.run(12 * HOUR);
	const { length } = messagesOf(broker);
	assert.ok(length >= 12 && length <= 17, `${length}`);
	assert.equal(broker.commands.filter((command) => command === "connect").length, 1);
});

describe("the last reset and their number survive sleep", () => {
	for (const reason of ["reset", "brown-out", "watchdog"] as const)
		test(reason, () => {
			const { board, broker } = start({ diagnostics: { ...diagnostics, every: MINUTE } });
			board.run(5 * MINUTE);
			board.reset(reason);
			board.run(5 * MINUTE);
			const { values } = messagesOf(broker).at(-1)!;
			assert.deepEqual([values.resetReason, values.resets], [reason, 2]);
		});

	test("a crash after which the firmware sleeps before it starts the node", () => {
		const { board, broker } = start({ diagnostics: { ...diagnostics, every: MINUTE } });
		board.crashPauseMs = MINUTE;
		board.run(5 * MINUTE + 100);
		board.reset("crash");
		board.run(5 * MINUTE);
		const { values } = messagesOf(broker).at(-1)!;
		assert.deepEqual([values.resetReason, values.resets], ["crash", 2]);
	});
});

test("failed sensors are named as far as the packet has room, and none of them in a packet too small", () => {
	const sensors = Array.from({ length: 16 }, (_, i) => ({
		name: `a-sensor-with-quite-a-long-name-${String(i).padStart(1, "0")}`.slice(0, 32),
		property: ["none"],
	}));
	for (const [maximumPacketSize, most] of [
		[1024, 14],
		[350, 3],
	] as const) {
		const { board, broker } = start(
			{ sensors, broker: { sendBuffer: 800 }, diagnostics: { ...diagnostics, every: MINUTE } },
			{ connack: { properties: { maximumPacketSize } } },
		);
		board.run(3 * MINUTE);
		const { values, text } = messagesOf(broker).at(-1)!;
		const named = Object.keys(Object(values.failedSensors)).length;
		assert.ok(named > 0 && named <= most, `${named}`);
		assert.ok(text.length < Math.min(800, maximumPacketSize));
		assert.ok(Number(values.failedReadings) >= 16);
	}
});

test("a broker whose packets are too small for a message gets none, reports are sent, and the console says so", () => {
	const { board, broker } = start({}, { connack: { properties: { maximumPacketSize: 60 } } });
	board.run(HOUR);
	// Before the first CONNACK nothing is known of the broker.
	assert.ok(messagesOf(broker).length <= 1);
	assert.ok(broker.commands.filter((command) => command === "publish").length >= 55);
	const traces = board.traces.filter((text) => text.startsWith("diagnostics of "));
	assert.ok(traces.length >= 1 && traces.length <= 2, `${traces.length}`);
	assert.equal(board.events("failed").length, 0);
});

test("without diagnostics there is nothing of them", () => {
	const board = new TestBoard();
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(HOUR);
	assert.ok(broker.packets.every((packet) => packet.cmd !== "publish" || packet.topic !== TOPIC));
});
