import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseReadings, parseRecording, type ReadingOptions } from "../../sim/sensors/csv";
import type { NumericSeries } from "../../sim/sensors/numeric-series";
import { ReplayError } from "../../sim/sensors/replay-error";

const START = Date.UTC(2024, 2, 14, 9);
const MINUTE = 60_000;

function seriesOf(text: string, options: ReadingOptions = {}): NumericSeries {
	const readings = parseReadings(text, "x", options);
	assert.ok("series" in readings, "taken for a table");
	return readings.series;
}

/** Series, minutes from the start, value. */
function pointsOf(series: NumericSeries): readonly unknown[] {
	return series.points.map((point) => [point.series, (point.time - START) / MINUTE, point.value]);
}

const iso = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();
const ns = (minutes: number): string => `${START + minutes * MINUTE}000000`;

function assertRejected(text: string, message: RegExp): void {
	assert.throws(
		() => parseRecording(text, "x"),
		(error: unknown) => {
			assert.ok(error instanceof ReplayError, String(error));
			assert.match(error.message, message);
			return true;
		},
	);
}

const climate = [
	["sensor.hall_temperature", 0, 21.4],
	["sensor.hall_temperature", 1, undefined],
	["sensor.hall_temperature", 2, 21.6],
	["sensor.hall_humidity", 1, 55],
];
const climateUnits = [
	["sensor.hall_temperature", "°C"],
	["sensor.hall_humidity", "%"],
];

describe("histories of Home Assistant", () => {
	test("GET /api/history/period: a list of states for each entity", () => {
		const state = (id: string, value: string, minutes: number, unit: string): object => ({
			entity_id: id,
			state: value,
			attributes: { unit_of_measurement: unit, friendly_name: "Hall" },
			last_changed: iso(minutes).replace("Z", "+00:00"),
			last_updated: iso(minutes + 9).replace("Z", "+00:00"),
		});
		const series = seriesOf(
			JSON.stringify([
				[
					state("sensor.hall_temperature", "21.4", 0, "°C"),
					state("sensor.hall_temperature", "unavailable", 1, "°C"),
					state("sensor.hall_temperature", "21.6", 2, "°C"),
				],
				[],
				[state("sensor.hall_humidity", "55", 1, "%")],
			]),
		);
		assert.deepEqual(pointsOf(series), climate);
		assert.deepEqual([...series.units], climateUnits);
		assert.equal(series.held, true);
	});

	test("with minimal_response: entity and attributes in the first state only", () => {
		const series = seriesOf(
			JSON.stringify([
				[
					{
						entity_id: "sensor.hall_temperature",
						state: "21.4",
						attributes: { unit_of_measurement: "°C" },
						last_changed: iso(0),
						last_updated: iso(0),
					},
					{ state: "unknown", last_changed: iso(1) },
					{ state: "21.6", last_changed: iso(2) },
				],
				[
					{
						entity_id: "sensor.hall_humidity",
						state: "55",
						attributes: { unit_of_measurement: "%" },
						last_changed: iso(1),
					},
				],
			]),
		);
		assert.deepEqual(pointsOf(series), climate);
		assert.deepEqual([...series.units], climateUnits);
	});

	test("history/history_during_period by WebSocket: compressed states in seconds", () => {
		const at = (minutes: number): number => (START + minutes * MINUTE) / 1000;
		const series = seriesOf(
			JSON.stringify({
				id: 7,
				type: "result",
				success: true,
				result: {
					"sensor.hall_temperature": [
						{ s: "21.4", a: { unit_of_measurement: "°C" }, lu: at(0) },
						{ s: "unavailable", a: {}, lu: at(1) },
						{ s: "21.6", lc: at(2), lu: at(5) },
					],
					"sensor.hall_humidity": [{ s: "55", a: { unit_of_measurement: "%" }, lu: at(1) }],
				},
			}),
		);
		assert.deepEqual(pointsOf(series), climate);
		assert.deepEqual([...series.units], climateUnits);
	});

	test("statistics: means of periods; a period that is left out is a gap; a warning says what they lack", () => {
		const hour = (index: number, mean: number | null): object => ({
			start: START + index * 60 * MINUTE,
			end: START + (index + 1) * 60 * MINUTE,
			mean,
			min: 0,
			max: 99,
		});
		const expected = [
			["sensor.t", 0, 20.5],
			["sensor.t", 60, 20.75],
			["sensor.t", 120, undefined],
			["sensor.t", 240, 21],
		];
		const rows = { "sensor.t": [hour(0, 20.5), hour(1, 20.75), hour(4, 21)] };
		const socket = seriesOf(JSON.stringify({ id: 1, type: "result", success: true, result: rows }));
		assert.deepEqual(pointsOf(socket), expected);
		assert.match(socket.warnings.join(), /means of hours or days/);
		const action = { changed_states: [], service_response: { statistics: rows } };
		assert.deepEqual(pointsOf(seriesOf(JSON.stringify(action))), expected);
		const table = `statistic_id\tunit\tstart\tmin\tmax\tmean\nsensor.t\t°C\t14.03.2024 09:00\t20\t21\t20.5\nsensor.t\t°C\t14.03.2024 10:00\t20\t21\t20.75\n`;
		const { units, ...read } = seriesOf(table);
		assert.deepEqual(pointsOf({ units, ...read }), expected.slice(0, 2));
		assert.deepEqual([...units], [["sensor.t", "°C"]]);
	});

	test("what is wrong is named with its line", () => {
		assertRejected(
			'[[{"entity_id": "sensor.t",\n"state": "21", "last_changed"',
			/^x:2: this is not JSON .*cut off/,
		);
		assertRejected('[[\n{"state": "21"}]]', /^x:2: this state has no entity_id/);
		assertRejected('[[\n{"entity_id": "sensor.t", "state": "21"}]]', /^x:2: sensor\.t has no time here/);
		assertRejected(
			'{"a":\n[{"s": "warm", "lu": 1710406800},\n{"s": "7", "lu": 1710406801}]}',
			/^x:2: a is "warm", not/,
		);
		assertRejected('{"a":\n[{"s": "1", "lu": "noon"}]}', /^x:2: time is "noon", not a date/);
		assertRejected('{"a":\n7}', /^x:2: a has no list of states/);
		assertRejected("[]", /^x:1: no history or statistics/);
		assertRejected('{"results": [{"statement_id": 0}]}', /^x:1: this answer of InfluxDB has no values/);
	});

	test("lists nested without end: an error, not a crash", () => {
		assertRejected("[".repeat(200_000), /^x:1: /);
	});
});

describe("exports of InfluxDB", () => {
	const expected = [
		["temp", 0, 21.4],
		["hum", 0, 40],
		["temp", 1, 21.5],
	];

	test("line protocol, with what influx_inspect writes in front, escapes and fields of each type", () => {
		const series = seriesOf(
			[
				"# DDL",
				"CREATE DATABASE home WITH NAME autogen",
				"# DML",
				"# CONTEXT-DATABASE:home",
				`my\\ air,room=living\\ room,a\\=b=c\\,d temp=21.4,hum=40i,note="a, \\"b\\"\nc",ok=true ${ns(0)}`,
				"",
				`my\\ air,room=living\\ room,a\\=b=c\\,d temp=21.5 ${ns(1)}`,
				"",
			].join("\n"),
		);
		assert.deepEqual(pointsOf(series), expected);
		assert.deepEqual(
			series.points.map(({ line }) => line),
			[5, 5, 8],
		);
		assert.deepEqual(series.warnings, [
			"x: note has no numbers and is left out",
			"x: ok has no numbers and is left out",
		]);
	});

	test("what Home Assistant wrote: series are entities, measurements units", () => {
		const point = (unit: string, id: string, value: number): string =>
			`${unit},domain=sensor,entity_id=${id} value=${value},device_class_str="x" ${ns(0)}`;
		const series = seriesOf(`${point("°C", "hall_temperature", 21.4)}\n${point("%", "hall_humidity", 55)}\n`);
		assert.deepEqual(pointsOf(series), [
			["sensor.hall_temperature", 0, 21.4],
			["sensor.hall_humidity", 0, 55],
		]);
		assert.deepEqual([...series.units], climateUnits);
	});

	test("influx -format csv of 1.x: a header for each series, tags in one column", () => {
		assert.deepEqual(
			pointsOf(seriesOf(`name,time,temp,hum\nair,${ns(0)},21.4,40\nair,${ns(1)},21.5,\n`)).filter(
				(point) => (point as readonly unknown[])[2] !== undefined,
			),
			expected,
		);
		const tagged = seriesOf(
			[
				"name,tags,time,temp",
				`air,"floor=1,room=a",${iso(0)},1`,
				"name,tags,time,temp",
				`air,"floor=1,room=b",${iso(0)},2`,
				"",
			].join("\n"),
		);
		assert.deepEqual(pointsOf(tagged), [
			["temp.1.a.air", 0, 1],
			["temp.1.b.air", 0, 2],
		]);
	});

	test("JSON of 1.x", () => {
		const columns = ["time", "temp", "hum"];
		const series = (values: unknown[][]): string =>
			JSON.stringify({ results: [{ series: [{ name: "air", tags: { room: "a" }, columns, values }] }] });
		assert.deepEqual(
			pointsOf(
				seriesOf(
					series([
						[iso(0), 21.4, 40],
						[iso(1), 21.5, null],
					]),
				),
			),
			[...expected, ["hum", 1, undefined]],
		);
		assertRejected(series([[iso(0), 1]]), /^x:1: not 3 values/);
	});

	test("what is wrong is named with its line", () => {
		const good = `air temp=1 ${ns(0)}\n`;
		assertRejected(`${good}air temp=1\n`, /^x:2: this point has no time$/);
		assertRejected(`${good}air temp 1\n`, /^x:2: temp has no value$/);
		assertRejected(`${good}air,room temp=1 1\n`, /^x:2: room has no value$/);
		assertRejected(`${good}air temp=1 ${ns(0)} 7\n`, /^x:2: more follows/);
		assertRejected(`${good}air temp="a`, /^x:2: no value of a field/);
		assertRejected(`${good}air`, /^x:2: no field where .*cut off here$/);
		assertRejected(`${good}air temp=x1 ${ns(0)}\n`, /^x:2: temp is "x1", not a number$/);
		assertRejected(`name,time,t\nair,${ns(0)},1\nair,${ns(1)},warm\n`, /^x:3: t is "warm", not a number$/);
	});
});

/** Each format as a program that writes points of series in it. */
const writers: Readonly<Record<string, (points: readonly Reading[]) => string>> = {
	"line protocol": (points) =>
		points.map(({ id, at, value }) => `m ${id}=${value} ${START + at}000000\n`).join(""),
	"history page": (points) =>
		`entity_id,state,last_changed\n${points
			.map(({ id, at, value }) => `${id},${value},${new Date(START + at).toISOString()}\n`)
			.join("")}`,
	"history API": (points) =>
		JSON.stringify([
			points.map(({ id, at, value }) => ({
				entity_id: id,
				state: `${value}`,
				last_changed: new Date(START + at).toISOString(),
			})),
		]),
	"influx -format csv": (points) =>
		points.map(({ id, at, value }) => `name,time,${id}\nm,${START + at}000000,${value}\n`).join(""),
	"JSON of InfluxDB": (points) =>
		JSON.stringify({
			results: [
				{
					series: points.map(({ id, at, value }) => ({
						name: "m",
						columns: ["time", id],
						values: [[START + at, value]],
					})),
				},
			],
		}),
};

interface Reading {
	readonly id: string;
	/** ms */
	readonly at: number;
	readonly value: number;
}

const readings = fc.array(
	fc.record(
		{
			id: fc.constantFrom("a", "b_2", "c-d"),
			at: fc.nat({ max: 1e9 }),
			value: fc.integer({ min: -1e6, max: 1e6 }).map((value) => value / 100),
		},
		{ noNullPrototype: true },
	),
	{ minLength: 1, maxLength: 20 },
);

for (const [name, write] of Object.entries(writers)) {
	test(`${name}: any points are read as they were written`, () => {
		fc.assert(
			fc.property(readings, (points) => {
				assert.deepEqual(
					seriesOf(write(points)).points.map(({ series, time, value }) => ({
						id: series,
						at: time - START,
						value,
					})),
					points,
				);
			}),
		);
	});

	test(`${name}: cut off or changed anywhere, it is readings or an error with its line`, () => {
		fc.assert(
			fc.property(
				readings,
				fc.nat(),
				fc.nat({ max: 5 }),
				fc.string({ maxLength: 3 }),
				(points, at, drop, more) => {
					const text = write(points);
					const from = at % (text.length + 1);
					for (const damaged of [text.slice(0, from), text.slice(0, from) + more + text.slice(from + drop)])
						try {
							parseRecording(damaged, "x");
						} catch (error) {
							assert.ok(error instanceof ReplayError, String((error as Error).stack));
							assert.match(error.message, /^x:\d+: /);
						}
				},
			),
			{ numRuns: 500 },
		);
	});
}

describe("times without a zone", () => {
	const times = (text: string, zone: string): readonly string[] => {
		const readings = parseReadings(text, "x", { zone });
		assert.ok("table" in readings);
		return readings.table.rows.map(({ time }) => new Date(time).toISOString().slice(0, 16));
	};

	test("are those of the zone that is named, in summer and winter", () => {
		const text = "time,t\n2024-01-14 09:00,1\n2024-07-14 09:00,1\n";
		assert.deepEqual(times(text, "Europe/Berlin"), ["2024-01-14T08:00", "2024-07-14T07:00"]);
		assert.deepEqual(times(text, "America/New_York"), ["2024-01-14T14:00", "2024-07-14T13:00"]);
		assert.deepEqual(times(text, "UTC"), ["2024-01-14T09:00", "2024-07-14T09:00"]);
	});

	test("the hour that clocks show twice: told apart by the row before", () => {
		const text = "time,t\n2024-10-27 02:30,1\n2024-10-27 02:45,1\n2024-10-27 02:00,1\n2024-10-27 03:00,1\n";
		assert.deepEqual(times(text, "Europe/Berlin"), [
			"2024-10-27T00:30",
			"2024-10-27T00:45",
			"2024-10-27T01:00",
			"2024-10-27T02:00",
		]);
	});

	test("times with a zone and seconds since 1970 stay what they are", () => {
		const text = "time,t\n2024-03-14T09:00Z,1\n2024-03-14T11:00+01:00,1\n1710414000,1\n";
		assert.deepEqual(times(text, "Asia/Tokyo"), ["2024-03-14T09:00", "2024-03-14T10:00", "2024-03-14T11:00"]);
	});
});
