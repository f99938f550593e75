import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { parseRecording, readRecording } from "../../sim/sensors/csv";
import { decodeText } from "../../sim/sensors/csv-text";
import type { Recording } from "../../sim/sensors/recording";
import { ReplayError } from "../../sim/sensors/replay-error";
import { gridStepOf, Timeline } from "../../sim/sensors/timeline";

const folder = mkdtempSync(join(tmpdir(), "firefly-recording-"));
after(() => rmSync(folder, { recursive: true }));

function read(bytes: Uint8Array): Recording {
	const path = join(folder, "x.csv");
	writeFileSync(path, bytes);
	return readRecording(path);
}

/** Columns, then the times as ISO 8601 without what is the same for all, and the values. */
function contentOf({ columns, rows }: Recording): readonly unknown[] {
	return [columns, ...rows.map(({ time, values }) => [new Date(time).toISOString().slice(0, 19), ...values])];
}

const T1 = "2024-03-14T09:00:00";
const T2 = "2024-03-14T09:01:00";
const usual = [
	["t", "h"],
	[T1, 28.9, 40],
	[T2, 29, undefined],
];

describe("the newest row first", () => {
	test("what it has is the same as with the oldest first, with the lines of the file", () => {
		const rows = [`${T1},28.9,40\n`, `${T2},29,\n`];
		const recording = parseRecording(`time,t,h\n${rows.toReversed().join("")}`, "x.csv");
		assert.deepEqual(contentOf(recording), usual);
		assert.deepEqual(
			recording.rows.map(({ line }) => line),
			[3, 2],
		);
	});

	test("an hour that clocks show twice: the same times as with the oldest first", () => {
		const shown = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"];
		const rows = shown.map((time, i) => `2026-10-25 ${time},${i}\n`);
		const options = { zone: "Europe/Berlin" };
		const forwards = parseRecording(`time,t\n${rows.join("")}`, "x.csv", options);
		const backwards = parseRecording(`time,t\n${rows.toReversed().join("")}`, "x.csv", options);
		assert.deepEqual(contentOf(backwards), contentOf(forwards));
		assert.equal(new Set(forwards.rows.map(({ time }) => time)).size, shown.length);
	});
});

describe("dialects of CSV", () => {
	const dialects: Readonly<Record<string, string>> = {
		commas: "time,t,h\n2024-03-14 09:00:00,28.9,40\n2024-03-14 09:01:00,29,\n",
		"semicolons and decimal commas": "time;t;h\n2024-03-14 09:00:00;28,9;40\n2024-03-14 09:01:00;29,0;\n",
		tabs: "time\tt\th\n2024-03-14 09:00\t28.9\t40\n2024-03-14 09:01\t29\t\n",
		bars: "time|t|h\n2024-03-14 09:00|28.9|40\n2024-03-14 09:01|29|\n",
		"quoted decimal commas": 'time,t,h\n2024-03-14 09:00,"28,9","40"\n2024-03-14 09:01,"29,0",""\n',
		"Excel in German": "sep=;\r\nDatum;t;h\r\n14.03.2024 09:00;28,9;40\r\n14.03.2024 09:01;29;\r\n",
		"date and time": "Date;Time;t;h\n14.03.24;09:00:00;28,9;40\n14.03.24;09:01:00;29;\n",
		"time before date": "time,t,date,h\n9:00 AM,28.9,3/14/2024,40\n9:01 AM,29,3/14/2024,\n",
		"day first": "date/time,t,h\n14/03/2024 09:00,28.9,40\n14/03/2024 09:01,29,\n",
		last_changed: "last_changed,t,h\n2024-03-14T10:00:00.000+01:00,28.9,40\n2024-03-14T10:01:00+0100,29,\n",
		"a name of no use": "when,t,h\n2024-03-14 09:00 UTC,28.9,40\n2024-03-14 09:01 UTC,29,\n",
		"a unit in the name": "Timestamp (UTC),t,h\n1710406800,28.9,40\n1710406860,29,\n",
		nanoseconds: "_time,t,h\n1710406800000000000,28.9,40\n1710406860000000000,29,\n",
		pandas: ",date,t,h\n0,2024-03-14 09:00:00,28.9,40\n1,2024-03-14 09:01:00,29.0,nan\n",
		"separators at the line ends": "time;t;h;\n2024-03-14 09:00;28,9;40;\n2024-03-14 09:01;29;;\n",
		"separators at the ends of rows only": "time;t;h\n2024-03-14 09:00;28,9;40;\n2024-03-14 09:01;29;;\n",
		comments: "# logger 7\n\n# room 3\ntime,t,h\n2024-03-14 09:00:00,28.9,40\n2024-03-14 09:01:00,29,\n",
		"a device": "device,time,t,h\nkitchen,2024-03-14 09:00,28.9,40\nkitchen,2024-03-14 09:01,29,\n",
		"two times":
			"last_updated,last_changed,t,h\n2024-03-14 09:00,2024-03-14 09:00,28.9,40\n2024-03-14 09:01,2024-03-14 09:00,29,\n",
		"old Macintosh": "time,t,h\r2024-03-14 09:00,28.9,40\r2024-03-14 09:01,29,\r",
	};
	for (const [name, text] of Object.entries(dialects))
		test(name, () => assert.deepEqual(contentOf(parseRecording(text, "x.csv")), usual));

	test("tokens for no value are gaps", () => {
		for (const token of [
			"nan",
			"NaN",
			"-",
			"--",
			"NA",
			"N/A",
			"#N/A",
			"null",
			"None",
			"unavailable",
			"unknown",
			"?",
		]) {
			const text = `time,t\n2024-03-14 09:00,1\n2024-03-14 09:01,${token}\n`;
			assert.deepEqual(parseRecording(text, "x.csv").rows[1]!.values, [undefined], token);
		}
	});

	test("numbers with groups of thousands, signs and exponents", () => {
		const values = (separator: string, ...numbers: string[]): unknown =>
			parseRecording(
				`time${separator}v\n${numbers.map((number, i) => `2024-03-14 09:0${i}${separator}${number}\n`).join("")}`,
				"x.csv",
			).rows.map(({ values }) => values[0]);
		assert.deepEqual(values(";", "1.234,5", "-7", "12.345"), [1234.5, -7, 12_345]);
		assert.deepEqual(values(",", '"1,234.5"', '"2,345"', "1e3"), [1234.5, 2345, 1000]);
		assert.deepEqual(values(";", "1'234,5", "+0,25", "\u22123,5"), [1234.5, 0.25, -3.5]);
		assert.deepEqual(values(";", "1.234", ".5", "5."), [1.234, 0.5, 5]);
	});

	test("UTF-8 and UTF-16 with and without byte order mark, and Windows-1252", () => {
		const text = "time;°C\n2024-03-14 09:00;28,9\n";
		const little = Buffer.from(text, "utf16le");
		const big = Buffer.from(little).swap16();
		for (const bytes of [
			Buffer.from(text),
			Buffer.from(`\ufeff${text}`),
			little,
			Buffer.concat([Buffer.of(0xff, 0xfe), little]),
			big,
			Buffer.concat([Buffer.of(0xfe, 0xff), big]),
			Buffer.from(text, "latin1"),
		])
			assert.deepEqual(contentOf(read(bytes)), [["°C"], [T1, 28.9]]);
	});
});

describe("what is not understood is named with its line and column", () => {
	const rows: Readonly<Record<string, readonly [string, RegExp]>> = {
		"a word": [
			"time,t\n2024-03-14 09:00,1\n2024-03-14 09:01,warm\n",
			/^x\.csv:3: t is "warm", not a number$/,
		],
		"a unit": ["time,t\n2024-03-14 09:00,28.9 °C\n", /^x\.csv:2: t is "28\.9 °C", not a number$/],
		"a comma that may be two things": [
			'time,t\n2024-03-14 09:00,"1,234"\n',
			/^x\.csv:2: t is "1,234", and nothing in the file tells whether that separates decimals or thousands$/,
		],
		"a point that may be two things": [
			"time;t\n2024-03-14 09:00;1,5\n2024-03-14 09:01;1.234\n",
			/^x\.csv:3: t is "1\.234", and nothing in the file tells/,
		],
		"a date that may be two days": [
			"date,t\n03/04/2024,1\n",
			/^x\.csv:2: date is "03\/04\/2024", and nothing in the file tells day and month apart/,
		],
		"a time of day without a date": ["time,t\n09:00,1\n", /^x\.csv:2: time is "09:00", not a date/],
		"a line after comments": [
			"# a\n# b\ntime,t\n2024-03-14,x y z\n2024-03-15,1\n",
			/^x\.csv:4: t is "x y z"/,
		],
		"words only": ["time,state\n2024-03-14 09:00,on\n", /^x\.csv:1: no column has numbers: state$/],
		"no times": [
			"a,b\n1,2\n",
			/^x\.csv:1: no column is called date, time, .*, and none has dates; there are a, b$/,
		],
		"another separator": [
			"time:t\n2024-03-14:1\n",
			/^x\.csv:1: no column besides "time:t"$|no column is called/,
		],
	};
	for (const [name, [text, message]] of Object.entries(rows))
		test(name, () => {
			assert.throws(
				() => parseRecording(text, "x.csv"),
				(error: unknown) => {
					assert.ok(error instanceof ReplayError, String(error));
					assert.match(error.message, message);
					return true;
				},
			);
		});

	test("a column of words beside numbers is left out, and named", () => {
		const { columns, warnings } = parseRecording("time,room,t\n2024-03-14 09:00,kitchen,1\n", "x.csv");
		assert.deepEqual([columns, warnings], [["t"], ["x.csv:1: room has no numbers and is left out"]]);
	});
});

describe("exports with one value a row", () => {
	test("a history of Home Assistant: a column per entity, whose state holds until the next", () => {
		const text = [
			"entity_id,state,last_changed",
			"sensor.hall_temperature,21.4,2024-03-14T09:00:00.000Z",
			"sensor.hall_temperature,21.6,2024-03-14T09:01:02.345Z",
			"sensor.hall_temperature,unavailable,2024-03-14T09:04:01.000Z",
			"sensor.hall_temperature,21.5,2024-03-14T09:05:00.100Z",
			"binary_sensor.door,on,2024-03-14T09:00:00.000Z",
			"sensor.hall_humidity,55,2024-03-14T09:02:00.000Z",
			"",
		].join("\n");
		const recording = parseRecording(text, "x.csv");
		assert.deepEqual(contentOf(recording), [
			["sensor.hall_temperature", "sensor.hall_humidity"],
			["2024-03-14T09:00:00", 21.4, undefined],
			["2024-03-14T09:01:00", 21.6, undefined],
			["2024-03-14T09:02:00", 21.6, 55],
			["2024-03-14T09:03:00", 21.6, 55],
			["2024-03-14T09:04:00", undefined, 55],
			["2024-03-14T09:05:00", 21.5, 55],
		]);
		assert.deepEqual(recording.warnings, ["x.csv: binary_sensor.door has no numbers and is left out"]);
		assert.equal(gridStepOf(recording), 60_000);
		assert.equal(recording.rows[2]!.line, 7);
	});

	test("InfluxDB's annotated CSV: a column per field, and per tag where fields have the same name", () => {
		const table = (number: number, field: string, host: string, ...values: string[]): string =>
			[
				"#group,false,false,true,true,false,false,true,true,true",
				"#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string",
				"#default,_result,,,,,,,,",
				",result,table,_start,_stop,_time,_value,_field,_measurement,host",
				...values.map(
					(value, i) =>
						`,,${number},2024-03-14T08:00:00Z,2024-03-14T10:00:00Z,2024-03-14T09:0${i}:00.5Z,${value},${field},air,${host}`,
				),
				"",
			].join("\r\n");
		const one = table(0, "temp", "a", "21.4", "21.5");
		assert.deepEqual(
			contentOf(parseRecording(`${one}\r\n${table(1, "hum", "a", "40", "", "41")}`, "x.csv")),
			[
				["temp", "hum"],
				["2024-03-14T09:00:00", 21.4, 40],
				["2024-03-14T09:01:00", 21.5, undefined],
				["2024-03-14T09:02:00", undefined, 41],
			],
		);
		assert.deepEqual(parseRecording(`${one}\r\n${table(1, "temp", "b", "7")}`, "x.csv").columns, [
			"temp.a.air",
			"temp.b.air",
		]);
		const plain =
			"result,table,_time,_value,_field\n,0,2024-03-14T09:00:00Z,1,t\n,0,2024-03-14T09:01:00Z,x1,t\n";
		assert.throws(() => parseRecording(plain, "x.csv"), /^ReplayError: x\.csv:3: t is "x1", not a number$/);
	});

	test("a pivoted answer of InfluxDB: without the columns about the query", () => {
		const text = [
			"#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,string,double",
			",result,table,_start,_stop,_time,_measurement,temp",
			",,0,2024-03-14T08:00:00Z,2024-03-14T10:00:00Z,2024-03-14T09:00:00Z,air,21.4",
			",,0,2024-03-14T08:00:00Z,2024-03-14T10:00:00Z,2024-03-14T09:01:00Z,air,21.5",
			"",
		].join("\n");
		const recording = parseRecording(text, "x.csv");
		assert.deepEqual(contentOf(recording), [["temp"], [T1, 21.4], [T2, 21.5]]);
		assert.deepEqual(recording.warnings, []);
	});

	test("values closer than the grid: the last counts, the others are counted", () => {
		const seconds = [0, 60, 120, 121, 122, 180, 240];
		const text = `entity_id,state,last_changed\n${seconds
			.map((second, i) => `sensor.t,${i},${new Date(Date.UTC(2024, 2, 14, 9, 0, second)).toISOString()}\n`)
			.join("")}`;
		const { rows, warnings } = parseRecording(text, "x.csv");
		assert.deepEqual(
			rows.map(({ values }) => values[0]),
			[0, 1, 4, 5, 6],
		);
		assert.deepEqual(warnings, ["x.csv: 2 values are left out: later ones follow within the same 60 s"]);
	});

	test("any history: the rows lie on one grid, which a timeline accepts", () => {
		const point = fc.record({ id: fc.constantFrom("a", "b"), at: fc.nat({ max: 400_000 }), value: fc.nat() });
		fc.assert(
			fc.property(fc.array(point, { minLength: 1, maxLength: 50 }), (points) => {
				const text = `entity_id,state,last_changed\n${points
					.map(({ id, at, value }) => `${id},${value},${new Date(1.71e12 + at * 100).toISOString()}\n`)
					.join("")}`;
				const recording = parseRecording(text, "x.csv");
				const timeline = new Timeline(recording, gridStepOf(recording));
				for (const row of recording.rows) assert.equal(timeline.at(row.time), row);
				const last = points.reduce((best, each) => (each.at >= best.at ? each : best));
				const column = recording.columns.indexOf(last.id);
				assert.equal(recording.rows.at(-1)!.values[column], last.value);
			}),
		);
	});
});

test("any bytes are a recording or an error that names the file", () => {
	const piece = fc.oneof(
		fc.constantFrom(
			"time",
			"date",
			",",
			";",
			"\n",
			"\t",
			'"',
			"2024-03-14",
			" 09:00",
			"1,5",
			"-",
			"#",
			"entity_id",
		),
		fc.string({ maxLength: 5 }),
	);
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
			const text = decodeText(Buffer.from(pieces.join("")));
			try {
				parseRecording(text, "x.csv");
			} catch (error) {
				assert.ok(error instanceof ReplayError, String((error as Error).stack));
				assert.match(error.message, /^x\.csv:\d+: /);
			}
		}),
		{ numRuns: 2000 },
	);
});
