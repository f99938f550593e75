import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Scheduler } from "../../sim/clock/scheduler";
import { parseRecording, readRecording } from "../../sim/sensors/csv";
import type { Recording } from "../../sim/sensors/recording";
import { ReplaySensors } from "../../sim/sensors/replay";
import { ReplayError } from "../../sim/sensors/replay-error";
import { gridStepOf, Timeline } from "../../sim/sensors/timeline";

const MINUTE = 60_000;
const HEADER = '"date","Temperature","CO2"\n';

function assertRejected(text: string, message: RegExp): void {
	assert.throws(
		() => parseRecording(text, "x.csv"),
		(error: unknown) => error instanceof ReplayError && message.test(error.message),
		`${message}`,
	);
}

test("a recording: names from the header, the unnamed row number omitted, dates in UTC", () => {
	const recording = parseRecording(
		`${HEADER}"140","2015-02-02 14:19:00",23.7,749.2\n"141","2015-02-02 14:19:59",23.718,\n`,
		"x.csv",
	);
	assert.deepEqual(recording, {
		file: "x.csv",
		columns: ["Temperature", "CO2"],
		rows: [
			{ line: 2, time: Date.UTC(2015, 1, 2, 14, 19, 0), values: [23.7, 749.2] },
			{ line: 3, time: Date.UTC(2015, 1, 2, 14, 19, 59), values: [23.718, undefined] },
		],
		warnings: [],
	});
});

test("other positions and formats of dates, optional row numbers, CRLF and a byte order mark", () => {
	const recording = parseRecording(
		"\ufeffv,Timestamp\r\n1,2026-01-01T00:00:00Z\r\n2,2026-01-01T02:00:00.500+01:00\r\n3,1767232800\r\n4,1767236400000\r\n",
		"x.csv",
	);
	assert.deepEqual(
		recording.rows.map(({ time, values }) => [time - Date.UTC(2026, 0, 1), values[0]]),
		[
			[0, 1],
			[3_600_500, 2],
			[7_200_000, 3],
			[10_800_000, 4],
		],
	);
});

test("incomplete input is an error with its line", () => {
	const row = '"1","2015-02-02 14:19:00",23.7,749.2\n';
	assertRejected("", /x\.csv:1: a header/);
	assertRejected(HEADER, /x\.csv:1: a header and at least one row/);
	assertRejected("a,b\n1,2\n", /x\.csv:1: no column is called date/);
	assertRejected("date\n2015-02-02\n", /no column besides/);
	assertRejected("date,a,a\n2015-02-02,1,2\n", /two columns are called "a"/);
	assertRejected("date,\n2015-02-02,1\n", /a column has no name/);
	assertRejected(
		`${HEADER}${row}"2","2015-02-02 14:20:00",23`,
		/x\.csv:3: 3 fields where 4 are needed: the file is cut off here/,
	);
	assertRejected(`${HEADER}${row}"2","2015-02-02 14:2`, /x\.csv:\d: .*cut off/);
	assertRejected(`${HEADER}${row}"2","2015-02-02 14:20:00",1,2,3\n${row}`, /x\.csv:3: 5 fields where 4/);
	assertRejected(
		`${HEADER}${row}"2","2015-02-02 14:20:00",abc,1\n`,
		/x\.csv:3: Temperature is "abc", not a number/,
	);
	assertRejected(`${HEADER}${row}"2","yesterday",1,1\n`, /x\.csv:3: date is "yesterday", not a date/);
	assertRejected(`${HEADER}${row}"2","2015-13-02 14:20:00",1,1\n`, /not a date/);
	assertRejected(`${HEADER}${row}${row}`, /x\.csv:3: 2015-02-02 14:19:00 is not after the row before it/);
	assertRejected(
		"date,a\n2015-02-04,1\n2015-02-03,2\n2015-02-03,3\n2015-02-01,4\n",
		/x\.csv:4: 2015-02-03 is not before the row above it, as the others are/,
	);
	assertRejected(
		"date,a\n2015-02-04,1\n2015-02-04,2\n",
		/x\.csv:3: 2015-02-04 is not after the row before it/,
	);
	assert.throws(() => readRecording("/nonexistent/x.csv"), /no such file/);
	assert.throws(() => readRecording("/"), { message: "/: is a directory" });
	assertRejected("date,a\n2015-02-02,\0\n", /x\.csv:2: this is no text/);
	assertRejected("\0".repeat(1e6), /x\.csv:1: this is no text/);
});

test("any truncation of a recording is an error, a warning, or a recording of whole lines", () => {
	const rows = Array.from({ length: 4 }, (_, i) => `"${i}","2015-02-02 14:2${i}:00",2${i}.25,7${i}9\n`);
	const text = HEADER + rows.join("");
	fc.assert(
		fc.property(fc.integer({ min: 0, max: text.length - 1 }), (length) => {
			const cut = text.slice(0, length);
			try {
				const { warnings } = parseRecording(cut, "x.csv");
				assert.ok(cut.endsWith("\n") || warnings.length === 1);
			} catch (error) {
				assert.ok(error instanceof ReplayError, String(error));
				assert.match(error.message, /^x\.csv:\d+: /);
			}
		}),
	);
});

/** A recording with one row near each of the given times. */
function recordingOf(times: readonly number[]): Recording {
	return {
		file: "x.csv",
		columns: ["v"],
		rows: times.map((time, index) => ({ line: index + 2, time, values: [index] })),
		warnings: [],
	};
}

test("the chosen grid is the step nearest to the median distance", () => {
	assert.equal(gridStepOf(recordingOf([0, 59_000, 120_000, 180_000])), MINUTE);
	assert.equal(gridStepOf(recordingOf([0, 10_100, 19_900, 50_000])), 10_000);
	assert.equal(gridStepOf(recordingOf([0])), MINUTE);
});

test("each row within a third of a step of the grid is sampled once, also by late samples", () => {
	const row = fc.record({ present: fc.boolean(), jitter: fc.integer({ min: -20_000, max: 20_000 }) });
	fc.assert(
		fc.property(
			fc.array(row, { minLength: 1, maxLength: 200 }),
			fc.integer({ min: 1, max: 1_000_000 }),
			fc.integer({ min: -5000, max: 8000 }),
			(plan, first, late) => {
				const slots = plan
					.map((entry, index) => ({ ...entry, slot: first + index }))
					.filter(({ present }) => present);
				fc.pre(slots.length > 0);
				const recording = recordingOf(slots.map(({ slot, jitter }) => slot * MINUTE + jitter));
				const timeline = new Timeline(recording, MINUTE);
				assert.equal(timeline.start, slots[0]!.slot * MINUTE);
				assert.equal(timeline.end, slots.at(-1)!.slot * MINUTE);
				const matchedRows: number[] = [];
				for (let time = timeline.start; time <= timeline.end; time += MINUTE) {
					const found = timeline.at(time + late);
					if (found) matchedRows.push(found.values[0]!);
				}
				assert.deepEqual(
					matchedRows,
					recording.rows.map((_, index) => index),
				);
			},
		),
	);
});

test("two rows on one grid time are an error that names both", () => {
	assert.throws(
		() => new Timeline(recordingOf([0, 20_000]), MINUTE),
		/x\.csv:3: this row and line 2 both fall on 1970-01-01T00:00:00\.000Z/,
	);
});

test("sensors read the column of their name, and nothing between rows", () => {
	const recording = parseRecording(
		`${HEADER}2015-02-02 14:19:00,23.7,749\n2015-02-02 14:21:00,24,750\n`,
		"x.csv",
	);
	const timeline = new Timeline(recording, MINUTE);
	const scheduler = new Scheduler(timeline.start);
	const sensors = new ReplaySensors(scheduler, recording, timeline, [
		{ name: "air", property: ["thermometer", "temperature"] },
		{ name: "co2", property: ["co2"] },
	]);
	const read = (path: number): unknown =>
		(sensors.natives.sim_sensor_read as unknown as (instance: number, path: number) => unknown)(0, path);
	assert.deepEqual([read(0), read(1)], [23.7, 749]);
	scheduler.advance(timeline.start + MINUTE);
	assert.equal(read(0), undefined);
	scheduler.advance(timeline.start + 2 * MINUTE + 5000);
	assert.equal(read(1), 750);
	assert.throws(
		() => new ReplaySensors(scheduler, recording, timeline, [{ name: "h", property: ["humidity"] }]),
		/no column for humidity; there are Temperature, CO2/,
	);
});
