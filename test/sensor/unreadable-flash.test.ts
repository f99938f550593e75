import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DROPPED_CORRUPTED } from "../../src/device-events";
import {
	FIXED_SIZE,
	WORD_DROPPED,
	WORD_GENERATION,
	WORD_HEAD,
	WORD_RING_START,
	WORD_USED,
} from "../../src/sensor/retained/layout";
import { ScriptedBroker } from "../client/scripted-broker";
import { DamagedValues } from "../support/damaged-values";
import { FlashBoard } from "./support/flash-board";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import type { Overrides } from "./support/test-board";

const sensors = [{ name: "a", property: ["a"], every: 10 * MINUTE }];

/** A board whose samples count from 1, and which has waited for its broker so long. */
function afterOutage(outageMs: number, overrides: Overrides = {}) {
	const flash = new FlashBoard({ payload: "json", sensors, ...overrides });
	const { board } = flash;
	let samples = 0;
	board.sample = () => ({ a: ++samples });
	const broker = new ScriptedBroker(board.network, 1883);
	board.wifi = "fails";
	board.run(outageMs);
	/** Values of the samples that were taken, and of the reports that have arrived, each once. */
	const taken = () => Array.from({ length: samples }, (_, i) => i + 1);
	const arrived = () => {
		const values = payloads(broker).map((payload) => JSON.parse(payload).a as number);
		return [...new Set(values)].sort((a, b) => a - b);
	};
	return { flash, board, broker, taken, arrived };
}

/** Words of the newer of the two headers in retained memory. */
function newestHeader(bytes: Uint8Array): Uint32Array {
	const [first, second] = [0, FIXED_SIZE].map(
		(at) => new Uint32Array(bytes.slice(at, at + FIXED_SIZE).buffer),
	);
	return second[WORD_GENERATION] > first[WORD_GENERATION] ? second : first;
}

const KEYS: Readonly<Record<string, (key: string) => boolean>> = {
	"all of flash": () => true,
	"the summary": (key) => key.startsWith("m"),
	"one key of the summary": (key) => key === "ma",
	"one record": (key) => key === "r1",
	"most records": (key) => key.startsWith("r") && key !== "r0",
};

describe("flash that cannot be read for a while", () => {
	for (const [what, isUnreadable] of Object.entries(KEYS))
		for (const reason of ["power-on", "reset"] as const)
			test(`${what}, at ${reason}: it is not touched meanwhile, and all reports arrive in the end`, () => {
				const { flash, board, taken, arrived } = afterOutage(57 * MINUTE);
				const before = new Map(flash.storage.values);
				flash.isUnreadable = isUnreadable;
				if (reason === "power-on") board.losePower();
				else board.reset(reason);
				board.run(25 * MINUTE);
				for (const [key, value] of before)
					if (isUnreadable(key)) assert.deepEqual(flash.storage.values.get(key), value, key);
				flash.isUnreadable = () => false;
				board.wifi = "joins";
				board.run(10 * HOUR);
				assert.deepEqual(arrived(), taken());
				const left = [...flash.storage.values.keys()].filter((key) => key.startsWith("r"));
				assert.deepEqual(left, []);
				assert.equal(board.events("dropped").length, 0);
			});

	for (const key of ["ma", "mb", "r1"])
		test(`flash has damaged ${key}: all other reports arrive, and keep their numbers`, () => {
			const { flash, board, broker, taken, arrived } = afterOutage(57 * MINUTE);
			// Reports that arrive are what changes the summary, under the other key.
			board.wifi = "joins";
			board.run(HOUR);
			board.wifi = "fails";
			board.run(HOUR);
			assert.ok(flash.storage.values.has(key));
			const { length } = taken();
			board.storage = new DamagedValues(board.storage!, [key]);
			board.losePower();
			board.wifi = "joins";
			board.run(HOUR + 5 * MINUTE);
			const missing = taken().filter((value) => !arrived().includes(value));
			assert.equal(missing.length, key === "r1" ? 1 : 0, `${missing}`);
			assert.ok(taken().length > length && missing.every((value) => value <= length));
			for (const payload of payloads(broker)) {
				const { seq, a } = JSON.parse(payload) as { seq: number; a: number };
				assert.equal(seq, a, key);
			}
			assert.ok(!board.traces.some((line) => line.includes("cannot be read")), `${board.traces}`);
		});

	test("one record for long: the others arrive at the next try, and what is sampled meanwhile is in flash", () => {
		const { flash, board, taken, arrived } = afterOutage(57 * MINUTE);
		flash.isUnreadable = (key) => key === "r1";
		const kept = flash.storage.values.get("r1");
		board.losePower();
		board.wifi = "joins";
		board.run(HOUR + 5 * MINUTE);
		assert.deepEqual(
			arrived(),
			taken().filter((value) => value !== 2),
		);
		board.wifi = "fails";
		board.run(12 * HOUR);
		assert.equal(flash.storage.values.get("r1"), kept);
		board.losePower();
		board.wifi = "joins";
		board.run(HOUR + 5 * MINUTE);
		assert.deepEqual(
			arrived(),
			taken().filter((value) => value !== 2),
		);
		flash.isUnreadable = () => false;
		board.run(60 * HOUR);
		assert.deepEqual(arrived(), taken());
		assert.equal(board.events("dropped").length, 0);
	});

	test("the power fails again meanwhile: what was in flash arrives, what was not does not, and the console says so", () => {
		const { flash, board, taken, arrived } = afterOutage(57 * MINUTE);
		const stored = taken();
		flash.isUnreadable = () => true;
		board.losePower();
		board.run(25 * MINUTE);
		assert.ok(board.traces.some((line) => line.includes("a loss of power loses reports")));
		assert.ok(board.traces.some((line) => line.includes("cannot be read: they are kept")));
		const unstored = taken().slice(stored.length);
		assert.ok(unstored.length >= 2);
		board.losePower();
		flash.isUnreadable = () => false;
		board.wifi = "joins";
		board.run(HOUR + 5 * MINUTE);
		assert.deepEqual(
			arrived(),
			taken().filter((value) => !unstored.includes(value)),
		);
	});

	test("samples of before the time was known, found after the power has failed: they have no time", () => {
		const { flash, board, broker, taken } = afterOutage(0, { time: { server: "time" } });
		board.clockIsSet = false;
		board.losePower();
		board.run(37 * MINUTE);
		// The first one was taken while the clock was set
		const stored = taken().slice(1);
		flash.isUnreadable = () => true;
		board.losePower();
		board.run(15 * MINUTE);
		flash.isUnreadable = () => false;
		board.clockIsSet = true;
		board.wifi = "joins";
		board.run(3 * HOUR);
		const reports = payloads(broker).map((payload) => JSON.parse(payload) as { a: number; time: unknown });
		assert.deepEqual(
			reports
				.filter(({ time }) => time === null)
				.map(({ a }) => a)
				.sort((a, b) => a - b),
			stored,
		);
		assert.ok(reports.length > stored.length + 2);
	});

	test("it is never readable again: what is sampled arrives, and nothing is dropped", () => {
		const { flash, board, taken, arrived } = afterOutage(57 * MINUTE);
		const stored = taken().length;
		flash.isUnreadable = () => true;
		board.losePower();
		board.wifi = "joins";
		board.run(100 * HOUR + 5 * MINUTE);
		assert.deepEqual(arrived(), taken().slice(stored));
		assert.equal(board.events("dropped").length, 0);
	});

	test("power that fails once flash can be read again and the node has tried to report: nothing is lost", () => {
		for (const qos of [1, 2] as const)
			for (const readableAfter of [5, 35, 65, 125]) {
				const { flash, board, taken, arrived } = afterOutage(37 * MINUTE, {
					sensors: sensors.map((sensor) => ({ ...sensor, qos })),
				});
				flash.isUnreadable = () => true;
				board.losePower();
				board.run(readableAfter * MINUTE);
				flash.isUnreadable = () => false;
				const tries = board.events("join").length;
				while (board.events("join").length === tries) board.run(MINUTE);
				board.run(MINUTE);
				board.losePower();
				board.wifi = "joins";
				board.run(HOUR + 5 * MINUTE);
				assert.deepEqual(arrived(), taken(), `QoS ${qos}, readable after ${readableAfter} minutes`);
				assert.equal(board.events("dropped").length, 0);
			}
	});

	test("tries to read all of it become rare while one record cannot be read", () => {
		const { flash, board } = afterOutage(27 * MINUTE);
		let reads = 0;
		let others = 0;
		flash.isUnreadable = (key) => {
			if (key === "r254") others++;
			return key === "r1" && ++reads > 0;
		};
		board.losePower();
		board.wifi = "joins";
		board.run(HOUR + 5 * MINUTE);
		reads = others = 0;
		board.run(600 * HOUR);
		const wakes = board.events("wake").filter(({ at }) => at > board.time - 600 * HOUR).length;
		assert.ok(wakes > 3000, `${wakes} wakes`);
		// Each report looks for a place too, and a value is read three times
		assert.ok(reads < 3 * 3 * wakes, `${reads} reads in ${wakes} wakes`);
		assert.ok(others < wakes / 100, `${others} reads of the last slot in ${wakes} wakes`);
	});

	test("a brown-out has damaged records in retained memory: they arrive once flash can be read", () => {
		for (const qos of [1, 2] as const) {
			const { flash, board, taken, arrived } = afterOutage(57 * MINUTE, {
				sensors: sensors.map((sensor) => ({ ...sensor, qos })),
			});
			const { bytes } = board.retained;
			const words = newestHeader(bytes);
			const from = words[WORD_RING_START] + words[WORD_HEAD];
			for (const offset of [2, 30, 60]) bytes[from + offset] ^= 0x10;
			flash.isUnreadable = () => true;
			board.reset("brown-out");
			board.run(25 * MINUTE);
			flash.isUnreadable = () => false;
			board.wifi = "joins";
			board.run(HOUR + 5 * MINUTE);
			assert.deepEqual(arrived(), taken());
		}
	});

	for (const [when, isUnreadable, alsoReset] of [
		["at the start only", () => true, false],
		["at two starts, one of them of the damaged ones", (key: string) => key === "r1", true],
	] as const)
		test(`${when}, after a brown-out has damaged records that it has: they arrive from flash, and none counts as dropped`, () => {
			for (const qos of [1, 2] as const) {
				const { flash, board, taken, arrived } = afterOutage(57 * MINUTE, {
					sensors: sensors.map((sensor) => ({ ...sensor, qos })),
				});
				const { bytes } = board.retained;
				const words = newestHeader(bytes);
				const start = words[WORD_RING_START];
				const second = words[WORD_HEAD] + bytes[start + words[WORD_HEAD]];
				const third = second + bytes[start + second];
				// The time of one record, the CRC of another
				bytes[start + second + 8] ^= 0x10;
				bytes[start + third + 2] ^= 0x10;
				flash.isUnreadable = isUnreadable;
				board.reset("brown-out");
				board.run(1);
				if (alsoReset) {
					board.reset("reset");
					board.run(1);
				}
				flash.isUnreadable = () => false;
				board.run(HOUR);
				board.wifi = "joins";
				board.run(HOUR + 5 * MINUTE);
				assert.deepEqual(arrived(), taken(), `QoS ${qos}`);
				assert.equal(board.events("dropped").length, 0, `QoS ${qos}`);
				assert.deepEqual(
					[...flash.storage.values.keys()].filter((key) => key.startsWith("r")),
					[],
				);
			}
		});

	for (const next of ["nothing", "a loss of power"])
		test(`a brown-out once it was taken over, and ${next} after it: what was in retained memory only is not lost either`, () => {
			for (const qos of [1, 2] as const) {
				const { flash, board, taken, arrived } = afterOutage(37 * MINUTE, {
					sensors: sensors.map((sensor) => ({ ...sensor, qos })),
				});
				flash.isUnreadable = () => true;
				board.losePower();
				board.run(25 * MINUTE);
				flash.isUnreadable = () => false;
				board.run(HOUR);
				const { bytes } = board.retained;
				const words = newestHeader(bytes);
				// In the newest ones, which are in flash
				const end = words[WORD_RING_START] + words[WORD_HEAD] + words[WORD_USED];
				bytes[end - 5] ^= 0x10;
				board.reset("brown-out");
				board.run(5 * MINUTE);
				if (next !== "nothing") board.losePower();
				board.wifi = "joins";
				board.run(HOUR + 5 * MINUTE);
				assert.deepEqual(arrived(), taken(), `QoS ${qos}`);
			}
		});

	test("a brown-out while it is full: what is in retained memory only stays there, and all reports arrive once", () => {
		for (const isWrittenLater of [true, false])
			for (const hasUnstored of [true, false]) {
				const { flash, board, broker, taken } = afterOutage(57 * MINUTE);
				if (hasUnstored) flash.isUnreadable = () => true;
				if (hasUnstored) board.reset("reset");
				board.run(25 * MINUTE);
				flash.isFull = true;
				board.run(20 * MINUTE);
				const { bytes } = board.retained;
				const words = newestHeader(bytes);
				bytes[words[WORD_RING_START] + words[WORD_HEAD] + 2] ^= 0x10;
				flash.isUnreadable = () => false;
				board.reset("brown-out");
				board.run(5 * MINUTE);
				flash.isFull = !isWrittenLater;
				board.wifi = "joins";
				board.run(3 * HOUR + 5 * MINUTE);
				const values = payloads(broker).map((payload) => JSON.parse(payload).a as number);
				assert.deepEqual(
					values.sort((a, b) => a - b),
					taken(),
				);
			}
	});

	test("a brown-out has taken the newest report, and flash has no room for another: it comes again, and its number counts as dropped", () => {
		const { flash, board, taken, arrived } = afterOutage(37 * MINUTE);
		flash.isFull = true;
		board.run(10 * MINUTE);
		flash.isFull = false;
		board.run(10 * MINUTE);
		const { bytes } = board.retained;
		const words = newestHeader(bytes);
		const start = words[WORD_RING_START] + words[WORD_HEAD];
		// Its length; all records have the same
		bytes[start + words[WORD_USED] - bytes[start]] ^= 0x40;
		flash.isFull = true;
		board.reset("brown-out");
		board.run(5 * MINUTE);
		flash.isFull = false;
		board.wifi = "joins";
		board.run(3 * HOUR + 5 * MINUTE);
		assert.deepEqual(arrived(), taken());
		assert.equal(newestHeader(bytes)[WORD_DROPPED + DROPPED_CORRUPTED], 1);
	});

	test("a brown-out while it takes neither writes nor deletions: what was delivered is not taken for what waits", () => {
		const { flash, board, taken, arrived } = afterOutage(27 * MINUTE);
		flash.isFull = flash.isWorn = true;
		board.wifi = "joins";
		board.run(10 * MINUTE);
		assert.deepEqual(arrived(), taken());
		board.wifi = "fails";
		board.run(20 * MINUTE);
		board.reset("brown-out");
		board.run(5 * MINUTE);
		flash.isFull = flash.isWorn = false;
		board.wifi = "joins";
		board.run(3 * HOUR + 5 * MINUTE);
		assert.deepEqual(arrived(), taken());
	});

	test("with other sensors since: what it has is counted as dropped once it can be read, and not taken for theirs", () => {
		const { flash, board, taken, broker } = afterOutage(57 * MINUTE);
		const stored = taken().length;
		flash.isUnreadable = () => true;
		const { outbox } = board.settings;
		board.settings = { ...board.settings, sensors: [{ ...board.settings.sensors[0], name: "c" }], outbox };
		board.losePower();
		board.wifi = "joins";
		board.run(25 * MINUTE);
		assert.equal(board.events("dropped").length, 0);
		flash.isUnreadable = () => false;
		board.run(HOUR);
		assert.equal(board.events("dropped").length, stored);
		const values = payloads(broker).map((payload) => JSON.parse(payload).c as number);
		assert.deepEqual(values, taken().slice(stored));
		board.losePower();
		board.run(MINUTE);
		assert.equal(board.events("wake").at(-1)?.details[0], 0);
	});

	test("with other sensors since the power was lost: all of it is counted as dropped in the end, and nothing is deleted before", () => {
		const { flash, board, taken, broker } = afterOutage(57 * MINUTE);
		const stored = [...flash.storage.values].filter(([key]) => key.startsWith("r"));
		flash.isUnreadable = () => true;
		board.losePower();
		board.run(25 * MINUTE);
		const { outbox } = board.settings;
		board.settings = { ...board.settings, sensors: [{ ...board.settings.sensors[0], name: "c" }], outbox };
		const before = taken().length;
		board.reset("reset");
		board.wifi = "joins";
		board.run(25 * MINUTE);
		for (const [key, value] of stored) assert.deepEqual(flash.storage.values.get(key), value, key);
		flash.isUnreadable = () => false;
		board.run(3 * HOUR);
		assert.equal(board.events("dropped").length, before);
		const values = payloads(broker).map((payload) => JSON.parse(payload).c as number);
		assert.deepEqual(values, taken().slice(before));
	});

	test("a node that stays connected: what it could not read arrives with a later try", () => {
		const { flash, board, taken, arrived } = afterOutage(57 * MINUTE, { sleep: { mode: "none" } });
		flash.isUnreadable = () => true;
		board.losePower();
		board.wifi = "joins";
		board.run(25 * MINUTE);
		flash.isUnreadable = () => false;
		board.run(3 * HOUR);
		assert.deepEqual(arrived(), taken());
	});

	test("a reset or a loss of power comes at each change of flash while it is taken over: nothing is lost", () => {
		const run = (resetAt: number, cutAtChange: number) => {
			const { flash, board, taken, arrived } = afterOutage(37 * MINUTE);
			const stored = taken().length;
			flash.isUnreadable = () => true;
			board.losePower();
			board.wifi = "joins";
			board.run(15 * MINUTE);
			flash.isUnreadable = () => false;
			flash.starts.length = 0;
			flash.resetAt = resetAt;
			flash.cutAtChange = cutAtChange;
			board.run(HOUR + 5 * MINUTE);
			const changes = flash.starts.length;
			flash.resetAt = flash.cutAtChange = Infinity;
			board.run(3 * HOUR + 2 * MINUTE);
			return {
				changes,
				cuts: flash.cuts,
				arrived: arrived(),
				taken: taken(),
				stored,
			};
		};
		const { changes } = run(Infinity, Infinity);
		assert.ok(changes > 10, `${changes} changes`);
		for (let at = 1; at <= Math.min(changes, 25); at++)
			for (const [resetAt, cutAtChange] of [
				[at, Infinity],
				[Infinity, at],
			] as const) {
				const { arrived, taken, cuts, stored } = run(resetAt, cutAtChange);
				assert.equal(cuts, 1);
				const missing = taken.filter((value) => !arrived.includes(value));
				// A sample of the wake that ends so may be in retained memory only, or not accepted yet
				const excused = missing.length === 1 && missing[0]! > stored;
				assert.ok(
					missing.length === 0 || excused,
					`${cutAtChange === at ? "power" : "reset"} at ${at}: ${missing}`,
				);
			}
	});
});
