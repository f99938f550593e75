import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reportsInFlash } from "../../src/sensor/outbox/flash-copy";
import { FIXED_SIZE, WORD_GENERATION, WORD_HEAD, WORD_RING_START } from "../../src/sensor/retained/layout";
import { ScriptedBroker } from "../client/scripted-broker";
import { FlashBoard } from "./support/flash-board";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import type { Overrides, TestBoard } from "./support/test-board";

const sensors = ["a", "b"].map((name) => ({ name, property: [name], every: 10 * MINUTE }));

function start(overrides: Overrides = {}) {
	const flash = new FlashBoard({ payload: "json", sensors, ...overrides });
	const { board } = flash;
	board.sample = (time) => ({ a: Math.floor(time / MINUTE), b: Math.floor(time / MINUTE) + 1000 });
	const broker = new ScriptedBroker(board.network, 1883);
	return { flash, board, broker };
}

/** The header in retained memory that counts, and which of both it is. */
function newestHeader({ retained: { bytes } }: TestBoard) {
	const header = (copy: number) =>
		new Uint32Array(bytes.slice(copy * FIXED_SIZE, (copy + 1) * FIXED_SIZE).buffer);
	const copy = header(1)[WORD_GENERATION] > header(0)[WORD_GENERATION] ? 1 : 0;
	return { bytes, copy, words: header(copy) };
}

function sequences(broker: ScriptedBroker): number[] {
	return payloads(broker).map((payload) => JSON.parse(payload).seq as number);
}

describe('outbox.storage "flash"', () => {
	test("the power fails during an outage: what waited arrives once it is over, and numbers go on", () => {
		const { board, broker } = start();
		board.run(5 * MINUTE);
		board.wifi = "fails";
		board.run(HOUR);
		const accepted = board.events("accepted").length;
		assert.equal(accepted, 14);
		board.losePower();
		board.run(5 * MINUTE);
		assert.equal(board.events("wake").at(-1)?.details[0], 14);
		board.wifi = "joins";
		board.run(HOUR);
		const numbers = sequences(broker);
		assert.deepEqual(
			numbers,
			Array.from({ length: numbers.length }, (_, i) => i + 1),
		);
		assert.equal(board.reportCounts.dropped, 0);
	});

	for (const reason of ["reset", "power-on"] as const)
		test(`off and on again, each after "${reason}": what waited when it was turned off is not sent again`, () => {
			const { board, broker } = start();
			board.wifi = "fails";
			board.run(35 * MINUTE);
			const waiting = board.events("accepted").length;
			assert.ok(waiting >= 8);
			const flash = board.settings;
			board.settings = { ...flash, outbox: { ...flash.outbox, storage: "rtc" } };
			board.wifi = "joins";
			if (reason === "power-on") board.losePower();
			else board.reset(reason);
			board.run(HOUR);
			const sent = payloads(broker).length;
			board.settings = flash;
			board.losePower();
			board.run(MINUTE - 1);
			assert.equal(board.events("wake").at(-1)?.details[0], 0, "nothing is taken from flash");
			assert.equal(payloads(broker).length, sent + 2);
		});

	test("everything was acknowledged before the power failed: no report again, and no number again", () => {
		const { board, broker } = start();
		board.run(5 * MINUTE);
		board.losePower();
		board.run(5 * MINUTE);
		assert.deepEqual(sequences(broker), [1, 2, 3, 4]);
	});

	for (const tornWrite of ["old", "part", "none"] as const)
		test(`the power fails at any byte of any write to flash, which leaves "${tornWrite}": no accepted report is lost`, () => {
			const run = (byte: number) => {
				const { flash, board, broker } = start();
				flash.cutAt(byte, tornWrite);
				board.wifi = "fails";
				board.run(15 * MINUTE);
				board.wifi = "joins";
				board.run(30 * MINUTE);
				return { flash, board, broker };
			};
			const { starts } = run(Infinity).flash;
			assert.ok(starts.length > 20, `${starts.length} writes`);
			for (const [index, at] of starts.slice(0, -1).entries())
				for (const byte of new Set([at, at + 1, (at + starts[index + 1]) >> 1, starts[index + 1] - 1])) {
					const { flash, board, broker } = run(byte);
					assert.equal(flash.cuts, 1, `byte ${byte}`);
					const acknowledged = new Set(board.events("acknowledged").map(({ details }) => details[0]));
					for (const { details } of board.events("accepted")) {
						assert.ok(acknowledged.has(details[0]), `byte ${byte}: report ${details[0]}`);
						assert.ok(sequences(broker).includes(details[0]), `byte ${byte}: report ${details[0]}`);
					}
					assert.equal(board.reportCounts.waiting, 0);
					assert.equal(board.reportCounts.dropped, 0);
				}
		});

	test("a reset before, in and after each write to retained memory, and then a loss of power: nothing is lost", () => {
		const run = (budget: number) => {
			const { board, broker } = start();
			board.run(9 * MINUTE);
			board.wifi = "fails";
			board.retained.writeBudget = budget;
			board.run(4 * MINUTE);
			const wasReset = board.retained.writeBudget === Infinity;
			board.retained.writeBudget = Infinity;
			board.losePower();
			board.run(3 * MINUTE);
			board.wifi = "joins";
			board.run(30 * MINUTE);
			return { board, broker, wasReset };
		};
		const ample = 1_000_000;
		const starts = run(ample).board.retained.writes.map((left) => ample - left);
		assert.ok(starts.length > 10, String(starts.length));
		for (const [index, at] of starts.slice(0, -1).entries())
			for (const budget of new Set([at, (at + starts[index + 1]) >> 1])) {
				const { board, broker, wasReset } = run(budget);
				assert.ok(wasReset, `byte ${budget}`);
				for (const { details } of board.events("accepted"))
					assert.ok(sequences(broker).includes(details[0]), `byte ${budget}: report ${details[0]}`);
				assert.equal(board.reportCounts.waiting, 0);
			}
	});

	for (const policy of ["dropOldest", "thin"] as const)
		test(`${policy}: more reports than flash holds give way, are counted, and stay counted without power`, () => {
			const most = reportsInFlash(14 + 10);
			assert.equal(most, 120);
			const { board, broker } = start({ outbox: { storage: "flash", policy, size: 6000 } });
			board.wifi = "fails";
			board.run(12 * HOUR + MINUTE);
			assert.ok(board.events("dropped").length >= 146 - most);
			const waiting = board.events("sleep").at(-1)!.details[1];
			assert.ok(waiting <= most && waiting > most / 2, `${waiting}`);
			board.losePower();
			board.run(MINUTE);
			assert.equal(board.events("wake").at(-1)!.details[2], board.events("dropped").length);
			board.wifi = "joins";
			board.run(HOUR);
			const gone = new Set([
				...board.events("acknowledged").map(({ details }) => details[0]),
				...board.events("dropped").map(({ details }) => details[0]),
			]);
			for (const { details } of board.events("accepted").slice(0, -2))
				assert.ok(gone.has(details[0]), `${details[0]}`);
			assert.ok(payloads(broker).every((payload) => JSON.parse(payload).dropped > 0));
		});

	test("samples of before the time was known have no time once the power has failed", () => {
		const { board, broker } = start({ time: { server: "time" } });
		board.clockIsSet = false;
		board.wifi = "fails";
		board.run(15 * MINUTE);
		board.losePower();
		board.clockIsSet = true;
		board.wifi = "joins";
		board.run(5 * MINUTE);
		const reports = payloads(broker).map((payload) => JSON.parse(payload) as { seq: number; time: unknown });
		assert.deepEqual(
			reports.filter(({ time }) => time === null).map(({ seq }) => seq),
			[1, 2, 3, 4],
		);
		assert.ok(reports.length >= 6);
	});

	test("and have none either when a brown-out makes them come from flash once more", () => {
		const { board, broker } = start({ time: { server: "time" } });
		board.clockIsSet = false;
		board.wifi = "fails";
		board.run(15 * MINUTE);
		board.losePower();
		board.run(15 * MINUTE);
		const accepted = board.events("accepted").length;
		const { words, bytes } = newestHeader(board);
		bytes[words[WORD_RING_START] + words[WORD_HEAD] + 2] ^= 0x10;
		board.reset("brown-out");
		board.run(MINUTE);
		board.clockIsSet = true;
		board.wifi = "joins";
		board.run(15 * MINUTE);
		const reports = payloads(broker).map((payload) => JSON.parse(payload) as { seq: number; time: unknown });
		assert.ok(reports.length > accepted);
		assert.deepEqual(
			reports.filter(({ time }) => time === null).map(({ seq }) => seq),
			[1, 2, 3, 4],
		);
	});

	test("other sensors after a loss of power: their reports are dropped and counted, numbers go on", () => {
		const { board, broker } = start();
		board.wifi = "fails";
		board.run(15 * MINUTE);
		board.settings = { ...board.settings, sensors: [{ ...board.settings.sensors[0], name: "c" }] };
		board.losePower();
		board.wifi = "joins";
		board.run(MINUTE / 2);
		assert.equal(board.events("dropped").length, 4);
		assert.deepEqual(sequences(broker), [5]);
	});

	test("flash has reports of other sensors, from before it was turned off: they are not taken for those of these", () => {
		const { board, broker } = start();
		board.wifi = "fails";
		board.run(15 * MINUTE);
		const { outbox } = board.settings;
		const others = [{ ...board.settings.sensors[0], name: "c" }];
		board.settings = { ...board.settings, sensors: others, outbox: { ...outbox, storage: "rtc" } };
		board.reset("reset");
		board.run(MINUTE);
		board.settings = { ...board.settings, outbox };
		board.wifi = "joins";
		board.reset("power-on");
		board.run(15 * MINUTE);
		const numbers = sequences(broker);
		assert.ok(numbers.length >= 2 && Math.min(...numbers) === 5, `${numbers}`);
	});

	test("a brown-out damages records in retained memory: they arrive from flash, and none is counted as dropped", () => {
		for (const qos of [1, 2] as const) {
			const { board, broker } = start({ sensors: sensors.map((sensor) => ({ ...sensor, qos })) });
			board.wifi = "fails";
			board.run(35 * MINUTE);
			const { words, bytes } = newestHeader(board);
			const from = words[WORD_RING_START] + words[WORD_HEAD];
			for (const offset of [2, 30, 100]) bytes[from + offset] ^= 0x10;
			board.reset("brown-out");
			board.run(MINUTE);
			board.wifi = "joins";
			board.run(30 * MINUTE);
			const accepted = board.events("accepted").map(({ details }) => details[0]);
			assert.deepEqual(sequences(broker).slice(0, accepted.length), accepted);
			assert.ok(payloads(broker).every((payload) => !payload.includes("dropped")));
			assert.equal(board.reportCounts.waiting, 0);
		}
	});

	test("a brown-out damages the newest header while reports are in flight: no number stands for two samples", () => {
		const { board, broker } = start();
		board.run(5 * MINUTE);
		while (board.events("publish").length < 4) board.run(1);
		const { bytes, copy } = newestHeader(board);
		bytes[copy * FIXED_SIZE + 20] ^= 0x10;
		board.reset("brown-out");
		board.run(35 * MINUTE);
		const reports = new Map<number, string>();
		for (const payload of payloads(broker)) {
			const { seq } = JSON.parse(payload) as { seq: number };
			assert.equal(payload, reports.get(seq) ?? payload);
			reports.set(seq, payload);
		}
		for (const { details } of board.events("accepted")) assert.ok(reports.has(details[0]), `${details[0]}`);
		assert.equal(board.reportCounts.waiting, 0);
	});

	test("storage that fails, or none: reports wait in retained memory, and the console says so once a wake", () => {
		for (const storage of [
			undefined,
			{
				open: () => {
					throw new Error("ESP_ERR_NVS");
				},
			},
		]) {
			const { board, broker } = start();
			board.storage = storage;
			board.wifi = "fails";
			board.run(15 * MINUTE);
			board.wifi = "joins";
			board.run(30 * MINUTE);
			assert.equal(board.reportCounts.lost, 0);
			assert.equal(new Set(sequences(broker)).size, board.events("acknowledged").length);
			assert.ok(board.traces.some((line) => line.includes("a loss of power loses reports")));
		}
	});
});
