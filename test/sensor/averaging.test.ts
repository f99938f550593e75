import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { SensorSettings } from "../../src/config/types";
import { SampleWindows } from "../../src/sensor/measure/sample-windows";
import {
	headerSize,
	LAYOUT_VERSION,
	WORD_FAILED_READINGS,
	WORD_SHAPE,
} from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import { addSample, clearWindow, windowSize, windowValue } from "../../src/sensor/retained/sample-window";
import { extensionOf } from "../../src/sensor/settings/extension";
import { ScriptedBroker } from "../client/scripted-broker";
import { MINUTE, payloads } from "./support/payloads";
import { settings, TestBoard } from "./support/test-board";

const SECOND = 1000;
type Aggregate = SensorSettings["aggregate"];

/** What a value is, by its definition. */
const definitions: Readonly<Record<Aggregate, (values: readonly number[]) => number>> = {
	mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
	median: (values) => {
		const sorted = values.toSorted((a, b) => a - b);
		const half = sorted.length / 2;
		return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!;
	},
	min: (values) => Math.min(...values),
	max: (values) => Math.max(...values),
	last: (values) => values.at(-1)!,
};

describe("a value of several samples, of which some may have failed", () => {
	for (const [name, definition] of Object.entries(definitions)) {
		const aggregate = name as Aggregate;
		test(`${aggregate} is what its definition says`, () => {
			const sample = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(NaN));
			fc.assert(
				fc.property(fc.array(sample, { minLength: 2, maxLength: 60 }), (samples) => {
					const state = new Float64Array(3 + windowSize(samples.length, aggregate));
					for (let round = 0; round < 2; round++) {
						clearWindow(state, 2);
						for (const value of samples) addSample(state, 2, aggregate, value);
						const good = samples.filter((value) => !Number.isNaN(value));
						const expected = good.length === 0 ? NaN : definition(good);
						assert.deepEqual(windowValue(state, 2, aggregate) + 0, expected + 0);
					}
					assert.deepEqual([state[0], state[1], state.at(-1)], [0, 0, 0], "nothing beside the window");
				}),
			);
		});
	}
});

test("samples spread over a period: one value and one report each period, Wi-Fi only for these", () => {
	for (const [aggregate, expected] of [
		["mean", ["2.5", "8.5"]],
		["median", ["2.5", "8.5"]],
		["min", ["0", "6"]],
		["max", ["5", "11"]],
		["last", ["5", "11"]],
	] as const) {
		const board = new TestBoard({ sensors: [{ samples: 6, aggregate, spacing: 10 * SECOND }] });
		const broker = new ScriptedBroker(board.network, 1883);
		board.sample = (time) => ({ temperature: Math.floor(time / (10 * SECOND)) });
		board.run(2 * MINUTE - 1);
		assert.equal(board.boots, 12);
		assert.equal(board.events("join").length, 2);
		assert.deepEqual(payloads(broker), expected, aggregate);
		assert.deepEqual(
			board.events("sample").map(({ at }) => at),
			[50 * SECOND, 110 * SECOND],
		);
		assert.equal(board.events("gathered").length, 12);
	}
});

test("samples up to 250 ms apart are taken in one wake, before Wi-Fi", () => {
	const board = new TestBoard({ sensors: [{ samples: 5, aggregate: "median", spacing: 50 }] });
	const broker = new ScriptedBroker(board.network, 1883);
	const readings = [20, 90, 20.2, 20.1, -40];
	board.sample = (time) => ({ temperature: readings[Math.round((time % MINUTE) / 50)] });
	board.run(3 * MINUTE - 1);
	assert.equal(board.boots, 3);
	assert.deepEqual(payloads(broker), ["20.1", "20.1", "20.1"]);
	assert.deepEqual(
		board.events("gathered").map(({ at }) => at % MINUTE),
		Array.from({ length: 15 }, (_, i) => (i % 5) * 50),
	);
	assert.deepEqual(
		board.events("join").map(({ at }) => at % MINUTE),
		[200, 200, 200],
	);
	assert.deepEqual(board.reportCounts, { accepted: 3, acknowledged: 3, dropped: 0, waiting: 0, lost: 0 });
});

test("on the grid a value begins at multiples of every", () => {
	const board = new TestBoard({ sensors: [{ grid: true, samples: 4, spacing: 15 * SECOND }] });
	const broker = new ScriptedBroker(board.network, 1883);
	board.wallErrorMs = 7 * SECOND;
	board.run(5 * MINUTE);
	const begun = board
		.events("gathered")
		.filter((_, i) => i % 4 === 0)
		.map(({ at }) => (at + 7 * SECOND) % MINUTE);
	assert.deepEqual(begun.slice(1), [0, 0, 0, 0, 0]);
	assert.equal(payloads(broker).length, 5);
});

test("deadband and decimals apply to the value, calibration to each sample", () => {
	const board = new TestBoard({
		sensors: [{ samples: 2, spacing: 30 * SECOND, decimals: 1, delta: 0.5, table: [0, 0, 10, 10, 20, 40] }],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	const readings = [10, 20, 10.1, 20.1, 11, 21];
	board.sample = (time) => ({ temperature: readings[Math.round(time / (30 * SECOND))] });
	board.run(3 * MINUTE - 1);
	assert.deepEqual(payloads(broker), ["25.0", "28.0"]);
	assert.equal(board.events("filtered").length, 1);
});

test("failed samples are left out and counted; a value fails when all of its samples have", () => {
	const board = new TestBoard({ sensors: [{ samples: 3, spacing: 20 * SECOND }] });
	const broker = new ScriptedBroker(board.network, 1883);
	const readings = [1, NaN, 3, NaN, NaN, NaN, 7, 8, 9];
	board.sample = (time) => ({ temperature: readings[Math.round(time / (20 * SECOND))] });
	board.run(3 * MINUTE - 1);
	assert.deepEqual(payloads(broker), ["2", "8"]);
	const retained = new RetainedState(board.retained.bytes, 1, 0, 256, 4);
	retained.words.set(new Uint32Array(board.retained.bytes.slice(0, 4 * (WORD_FAILED_READINGS + 1)).buffer));
	assert.equal(retained.words[WORD_FAILED_READINGS], 4);
});

test("samples whose sum is no finite number: the value has failed, and the next one is what it is", () => {
	for (const aggregate of ["mean", "median"] as const) {
		const board = new TestBoard({ sensors: [{ samples: 2, spacing: 30 * SECOND, aggregate }] });
		const broker = new ScriptedBroker(board.network, 1883);
		const readings = [1e308, 1.5e308, 3, 4];
		board.sample = (time) => ({ temperature: readings[Math.round(time / (30 * SECOND))] });
		board.run(2 * MINUTE - 1);
		assert.deepEqual(payloads(broker), ["3.5"]);
	}
});

test("several sensors of one driver: single samples, bursts and spread samples keep their own times", () => {
	const board = new TestBoard({
		payload: "json",
		topic: "home/{id}",
		sensors: [
			{ name: "single", property: ["t"] },
			{ name: "burst", property: ["t"], samples: 3, aggregate: "last", spacing: 100 },
			{ name: "spread", property: ["t"], samples: 2, aggregate: "max", spacing: 30 * SECOND },
		],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ t: time });
	board.run(2 * MINUTE - 1);
	assert.deepEqual(
		payloads(broker).map((text) => {
			const { seq: _, time, ...values } = JSON.parse(text);
			return [time.slice(14, 23), values];
		}),
		[
			["19:00.000", { single: 0 }],
			["19:00.200", { burst: 200 }],
			["19:30.000", { spread: 30_000 }],
			["20:00.000", { single: 60_000 }],
			["20:00.200", { burst: 60_200 }],
			["20:30.000", { spread: 90_000 }],
		],
	);
	assert.equal(board.events("join").length, 4, "a wake's single value waits for its burst");
});

test("bursts without end are left after half of awakeLimit, and nothing waits for ever", () => {
	const sensors = [0, 1].map((i) => ({ name: `s${i}`, every: 2000, samples: 10, spacing: 200 }));
	const board = new TestBoard({ sleep: { awakeLimit: 4000 }, sensors });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(5 * MINUTE + 70);
	assert.ok(payloads(broker).length > 50, `${payloads(broker).length}`);
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.events("limit").length, 0);
});

test("a reset between the samples of a value keeps those that a sleep has committed", () => {
	const board = new TestBoard({ sensors: [{ samples: 6, aggregate: "min", spacing: 10 * SECOND }] });
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ temperature: 100 + Math.floor(time / (10 * SECOND)) });
	board.run(25 * SECOND);
	board.reset("reset");
	board.run(2 * MINUTE);
	assert.equal(payloads(broker)[0], "100");
});

test("a value whose next sample is late by more than a period begins anew", () => {
	const { sensors } = settings({ sensors: [{ samples: 3, aggregate: "min", spacing: 20 * SECOND }] });
	const { size, windows } = extensionOf({ sensors });
	for (const [late, expected] of [
		[MINUTE, 1],
		[MINUTE + 1, 8],
	] as const) {
		const values = new SampleWindows(new Float64Array(size), windows, sensors);
		values.add(0, 1);
		assert.ok(values.isDue(0, 20 * SECOND, 20 * SECOND + late));
		values.add(0, 8);
		values.add(0, 9);
		assert.equal(values.take(0), expected);
	}
});

test("always on: samples go on while reports are sent", () => {
	const board = new TestBoard({
		sleep: { mode: "none" },
		sensors: [{ every: SECOND, samples: 10, spacing: 100, aggregate: "max" }],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ temperature: Math.floor(time / 100) });
	board.run(10 * SECOND - 1);
	assert.deepEqual(payloads(broker), ["9", "19", "29", "39", "49", "59", "69", "79", "89", "99"]);
});

describe("the retained state of other settings is recognised, and never misread", () => {
	const WINDOW = { samples: 4, aggregate: "min", spacing: 15 * SECOND } as const;
	const changes = [
		["fewer samples", { ...WINDOW, samples: 3, spacing: 20 * SECOND }],
		["another aggregate", { ...WINDOW, aggregate: "max" }],
		["another offset", { ...WINDOW, offset: 100 }],
		["the median, which takes more memory", { ...WINDOW, aggregate: "median" }],
		["a single sample", {}],
	] as const;
	for (const [name, sensor] of changes)
		test(`from four samples to ${name}`, () => {
			const board = new TestBoard({ sensors: [WINDOW] });
			const broker = new ScriptedBroker(board.network, 1883);
			board.sample = () => ({ temperature: -1000 });
			board.run(40 * SECOND);
			board.reset("reset");
			board.settings = new TestBoard({ sensors: [sensor] }).settings;
			Date.now = () => 1_422_886_740_000 + board.time;
			board.sample = () => ({ temperature: 5 });
			board.run(3 * MINUTE + 5 * SECOND);
			const values = payloads(broker).map(Number);
			assert.ok(values.length > 0);
			for (const value of values) assert.ok(value === 5 || value === 105, `${value}`);
			assert.equal(board.reportCounts.lost, 0);
		});

	test("a waiting report outlives a change of the samples that needs no other memory", () => {
		const board = new TestBoard({ sensors: [WINDOW] });
		board.run(2 * MINUTE);
		const { accepted } = board.reportCounts;
		assert.ok(accepted > 0);
		board.settings = new TestBoard({ sensors: [{ ...WINDOW, aggregate: "max" }] }).settings;
		Date.now = () => 1_422_886_740_000 + board.time;
		const broker = new ScriptedBroker(board.network, 1883);
		board.reset("reset");
		board.run(5 * MINUTE + 5 * SECOND);
		assert.ok(payloads(broker).length > accepted);
		assert.deepEqual([board.reportCounts.dropped, board.reportCounts.lost], [0, 0]);
	});

	test("without features the header is byte for byte that of version 3", () => {
		assert.equal(headerSize(3), 2 * (34 * 4 + 10 * 8 + 3 * 4 * 8) + 1);
		const retained = new RetainedState(new Uint8Array(2048), 3, 7, 256);
		retained.restore();
		assert.equal(retained.words[WORD_SHAPE], (LAYOUT_VERSION << 16) | 3);
		assert.equal(LAYOUT_VERSION, 3);
		assert.equal("extension" in retained, false);
	});
});
