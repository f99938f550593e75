import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BatteryGuard } from "../../src/sensor/measure/battery-guard";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { type Overrides, TestBoard } from "./support/test-board";

const battery = {
	sensor: "battery",
	low: 3.5,
	slowdown: 4,
	empty: 3.2,
	recovery: 0.1,
	checkEvery: 6 * HOUR,
};

const EVERY = MINUTE;

function start(voltage: (time: number) => number, overrides: Overrides = {}) {
	const board = new TestBoard({
		battery,
		sensors: [
			{ name: "temperature" },
			{ name: "battery", property: ["battery", "voltage"], delta: 0.5, decimals: 2 },
		],
		...overrides,
	});
	board.sample = (time) => ({ temperature: 20, battery: { voltage: voltage(time) } });
	return { board, broker: new ScriptedBroker(board.network, 1883) };
}

function reports(broker: ScriptedBroker, sensor: string, from: number, to: number): string[] {
	return broker.packets.flatMap((packet, i) => {
		const at = broker.times[i]!;
		return packet.cmd === "publish" && packet.topic === `home/node/${sensor}` && at >= from && at < to
			? [packet.payload.toString()]
			: [];
	});
}

describe("what the battery's state becomes", () => {
	const [NORMAL, LOW, EMPTY, SILENT] = [EVERY, 4 * EVERY, 4 * EVERY, 6 * HOUR];
	for (const [name, values, period] of [
		["full", [4.2], NORMAL],
		["at low: not yet below", [3.5], NORMAL],
		["below low", [3.49], LOW],
		["a little above low again: not charged yet", [3.49, 3.59], LOW],
		["above low and recovery", [3.49, 3.6], NORMAL],
		["below empty", [3.19], EMPTY],
		["below empty, last try over", [3.19, NaN], SILENT],
		["a little above empty again", [3.19, NaN, 3.29], SILENT],
		["above empty and recovery", [3.19, NaN, 3.31], LOW],
		["charged at once", [3.19, NaN, 4.1], NORMAL],
		["recovers before its last report", [3.19, 3.4], LOW],
	] as const)
		test(name, () => {
			const guard = new BatteryGuard(battery, 0, new Float64Array(1), 0);
			// NaN: a try to report ends.
			for (const value of values) Number.isNaN(value) ? guard.endTry() : guard.update(value);
			assert.equal(guard.period(EVERY), period);
			assert.equal(guard.isSilent, period === SILENT);
		});
});

test("low: the time between values is four times longer, on the grid too, and the change is reported", () => {
	const { board, broker } = start((time) => (time < HOUR ? 3.9 : 3.4), {
		sensors: [
			{ name: "temperature", grid: true },
			{ name: "battery", property: ["battery", "voltage"], delta: 0.6, decimals: 2 },
		],
	});
	board.run(3 * HOUR + 30_000);
	assert.equal(reports(broker, "temperature", 0, HOUR).length, 60);
	const later = reports(broker, "temperature", HOUR, 3 * HOUR);
	assert.ok(later.length >= 29 && later.length <= 31, `${later.length}`);
	assert.deepEqual(reports(broker, "battery", 0, 3 * HOUR), ["3.90", "3.40"]);
	assert.ok(board.boots <= 60 + 2 * 31, `${board.boots}`);
	for (const { at, details } of board.events("sample")) if (details[0] === 0) assert.equal(at % MINUTE, 0);
});

test("empty: a last report, then no Wi-Fi, and a measurement every six hours, until it is charged", () => {
	const DAY = 24 * HOUR;
	const { board, broker } = start((time) => (time < HOUR ? 3.9 : time < 3 * DAY ? 3.1 : 4));
	board.run(3 * DAY);
	assert.deepEqual(reports(broker, "battery", HOUR, 3 * DAY), ["3.10"]);
	assert.equal(reports(broker, "temperature", HOUR, 3 * DAY).length, 1);
	const joins = board.events("join").filter(({ at }) => at > HOUR + MINUTE);
	assert.deepEqual(joins, []);
	const wakes = board.events("wake").filter(({ at }) => at > HOUR + MINUTE);
	assert.ok(wakes.length >= 11 && wakes.length <= 12, `${wakes.length}`);
	const sampled = board.events("sample").filter(({ at }) => at > HOUR + MINUTE);
	assert.ok(sampled.every(({ details: [sensor] }) => sensor === 1));
	board.run(DAY - 1);
	assert.ok(reports(broker, "temperature", 3 * DAY, 4 * DAY).length > 1000);
	assert.equal(reports(broker, "battery", 3 * DAY, 4 * DAY).at(-1), "4.00");
	assert.equal(board.reportCounts.lost, 0);
});

test("empty without a broker: one try, then silence; what waits is sent when it is charged", () => {
	const { board } = start((time) => (time < 10 * MINUTE ? 3.9 : time < 20 * HOUR ? 3.1 : 4));
	board.wifi = "fails";
	board.run(10 * MINUTE - 1);
	const before = board.events("join").length;
	board.run(19 * HOUR);
	assert.equal(board.events("join").length, before + 1);
	board.wifi = "joins";
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(10 * HOUR);
	assert.ok(reports(broker, "temperature", 0, 30 * HOUR).length > 10);
	assert.deepEqual([board.reportCounts.lost, board.reportCounts.dropped], [0, 0]);
});

test("the state survives sleep and reset: an empty battery has no second last report", () => {
	const { board, broker } = start((time) => (time < 10 * MINUTE ? 3.9 : 3.1));
	board.run(HOUR);
	board.reset("brown-out");
	board.run(10 * HOUR);
	assert.deepEqual(reports(broker, "battery", 0, 11 * HOUR), ["3.90", "3.10"]);
});

test("a failed measurement changes nothing", () => {
	const { board, broker } = start((time) => (time < 10 * MINUTE ? 3.9 : NaN));
	board.run(HOUR - 1);
	assert.equal(reports(broker, "temperature", 0, HOUR).length, 60);
});

test("an empty battery keeps diagnostics from raising Wi-Fi too", () => {
	const { board } = start((time) => (time < HOUR ? 3.9 : 3.1), {
		diagnostics: { every: HOUR, topic: "home/{id}/state" },
	});
	board.run(30 * HOUR);
	assert.deepEqual(
		board.events("join").filter(({ at }) => at > HOUR + MINUTE),
		[],
	);
});
