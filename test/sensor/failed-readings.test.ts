import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headerSize, MARK_DRIVER } from "../../src/sensor/retained/layout";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

/** Payloads by the last level of their topic. */
function reportsOf(broker: ScriptedBroker, sensor: string): string[] {
	return broker.packets.flatMap((packet) =>
		packet.cmd === "publish" && packet.topic.endsWith(`/${sensor}`) ? [packet.payload.toString()] : [],
	);
}

const sensors = [
	{ name: "first" },
	{ name: "bad", driver: "bad" },
	{ name: "worse", driver: "bad", property: ["humidity"] },
	{ name: "last" },
].map((sensor) => ({ property: ["temperature"], ...sensor }));

/** A board with a driver whose sample() runs `run`. */
function boardWith(run: (board: TestBoard) => object | undefined, mode: "deep" | "none" = "deep") {
	const board = new TestBoard({ sensors, sleep: { mode } });
	board.drivers = {
		bad: class {
			configure() {}
			sample() {
				return run(board);
			}
			close() {}
		},
	};
	return { board, broker: new ScriptedBroker(board.network, 1883) };
}

/** The chip stops during a driver's call: nothing is written any more until it boots again. */
function hang(board: TestBoard): undefined {
	board.retained.writeBudget = 0;
	board.network.clock.after(1, () => {
		board.retained.writeBudget = Infinity;
	});
	return undefined;
}

const failedSamples = (board: TestBoard) =>
	board.events("sample").filter(({ details: [, value] }) => Number.isNaN(value));

describe("a driver that fails each time: the other sensors report each minute", () => {
	for (const [name, run] of [
		[
			"throws",
			() => {
				throw new Error("bus");
			},
		],
		["returns nothing", () => undefined],
		["returns NaN", () => ({ temperature: NaN, humidity: Infinity })],
		["returns text", () => ({ temperature: "20", humidity: {} })],
	] as const)
		test(name, () => {
			const { board, broker } = boardWith(run);
			board.run(10 * MINUTE - 1);
			assert.deepEqual([reportsOf(broker, "first").length, reportsOf(broker, "last").length], [10, 10]);
			assert.deepEqual([reportsOf(broker, "bad"), reportsOf(broker, "worse")], [[], []]);
			assert.equal(failedSamples(board).length, 20);
			assert.equal(board.boots, 10);
		});
});

describe("a driver that never returns", () => {
	test("is called again after a quarter of an hour, and the others report meanwhile", () => {
		const { board, broker } = boardWith(hang);
		board.run(HOUR - 1);
		// The node before the chip stopped has nothing of that wake.
		assert.ok(reportsOf(broker, "first").length >= 55, `${reportsOf(broker, "first").length}`);
		assert.equal(reportsOf(broker, "last").length, reportsOf(broker, "first").length);
		assert.deepEqual([reportsOf(broker, "bad"), reportsOf(broker, "worse")], [[], []]);
		assert.ok(failedSamples(board).length >= 4 && failedSamples(board).length <= 5);
		assert.match(board.traces.join("\n"), /sensor bad: the driver bad takes too long; paused for 900000 ms/);
		assert.equal(board.reportCounts.lost, 0);
	});

	test("once: its sensors report again after the pause", () => {
		let calls = 0;
		const { board, broker } = boardWith((chip) =>
			calls++ === 3 ? hang(chip) : { temperature: 1, humidity: 2 },
		);
		board.run(30 * MINUTE);
		const [bad, worse, first] = ["bad", "worse", "first"].map((name) => reportsOf(broker, name).length);
		assert.deepEqual([bad, worse], [first! - 15, first! - 15]);
	});

	test("in a call that a reset by hand has ended: no driver is paused", () => {
		const { board, broker } = boardWith(() => ({ temperature: 1, humidity: 2 }));
		board.run(5 * MINUTE - 1);
		board.retained.bytes[headerSize(sensors.length) - 1] = MARK_DRIVER + 1;
		board.reset("reset");
		board.run(6 * MINUTE);
		assert.ok(reportsOf(broker, "bad").length >= 10);
		assert.deepEqual(
			board.traces.filter((text) => text.includes("paused")),
			[],
		);
	});
});

test("a driver that returns just before awakeLimit is paused, and what was sampled is reported", () => {
	const { board, broker } = boardWith((chip) => {
		const { scheduler } = chip.network.clock;
		scheduler.advance(scheduler.now + 7900);
		return { temperature: 1, humidity: 2 };
	});
	board.run(HOUR - 1);
	assert.equal(reportsOf(broker, "bad").length, 4);
	assert.equal(reportsOf(broker, "worse").length, 4);
	assert.ok(reportsOf(broker, "first").length >= 58, `${reportsOf(broker, "first").length}`);
	assert.ok(board.longestAwakeMs <= 8000);
	assert.equal(board.reportCounts.lost, 0);
});
