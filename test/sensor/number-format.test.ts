import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ReportRecord } from "../../src/sensor/outbox/report-record";
import { Decimal, NUMBER_LENGTH, writeInteger, writeNumber } from "../../src/text/decimal";
import { ISO8601_LENGTH, isIso8601Time, writeIso8601 } from "../../src/text/iso8601";

const decimal = new Decimal();

function formatDecimal(value: number): string {
	const bytes = new Uint8Array(NUMBER_LENGTH + 2).fill(0xff);
	const end = writeNumber(bytes, 1, value, decimal);
	assert.equal(bytes[0], 0xff);
	assert.ok(end - 1 <= NUMBER_LENGTH);
	assert.ok(bytes.subarray(end).every((byte) => byte === 0xff));
	return Buffer.from(bytes.subarray(1, end)).toString("latin1");
}

/** Writes a number to a record and reads it back. */
function storeInRecord(value: number): { text: string; value: number; size: number } {
	const record = new ReportRecord();
	record.reset(0, false);
	assert.ok(record.addValue(7, value));
	record.seal(1);
	assert.ok(record.parse());
	assert.ok(record.nextValue());
	assert.equal(record.sensor, 7);
	const { mantissa, scale } = record.decimal;
	const read = record.isDecimal ? mantissa / 10 ** scale : record.float;
	assert.ok(!record.nextValue());
	return { text: formatDecimal(read), value: read, size: record.length };
}

test("a record has its first value as it was added, read from its bytes, after others, and after its decimal was lent", () => {
	const read = (record: ReportRecord): [number, number] => {
		record.readFirstValue();
		const { isDecimal, sensor } = record;
		const { mantissa, scale } = record.decimal;
		return [sensor, isDecimal ? mantissa / 10 ** scale : record.float];
	};
	for (const value of [21.3, -7, 0, Math.E, 1e300]) {
		const record = new ReportRecord();
		const expected: [number, number] = [3, value];
		record.reset(0, false);
		assert.ok(record.addValue(3, value));
		record.seal(1);
		assert.deepEqual(read(record), expected);
		assert.deepEqual(read(record), expected);
		record.borrowDecimal().set(99.5);
		assert.deepEqual(read(record), expected);
		assert.ok(record.parse());
		assert.deepEqual(read(record), expected);
		record.reset(0, false);
		assert.ok(record.addValue(3, value) && record.addValue(4, 0.25));
		record.seal(2);
		assert.deepEqual(read(record), expected);
		assert.ok(record.nextValue());
		assert.equal(record.sensor, 4);
		assert.deepEqual(read(record), expected);
		// Bytes of another record
		const other = new ReportRecord();
		other.reset(0, false);
		assert.ok(other.addValue(5, 1.5));
		other.seal(3);
		record.bytes.set(other.bytes);
		assert.ok(record.parse());
		assert.deepEqual(read(record), [5, 1.5]);
	}
});

const decimals = fc
	.tuple(fc.maxSafeInteger(), fc.integer({ min: -25, max: 25 }))
	.map(([mantissa, exponent]) => Number(`${mantissa}e${exponent}`));
const numbers = fc.oneof(
	fc.double({ noNaN: true, noDefaultInfinity: true }),
	fc.integer(),
	decimals,
	fc
		.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 5 }))
		.map(([mantissa, scale]) => mantissa / 10 ** scale),
	fc.constantFrom(
		0,
		-0,
		1e15,
		1e15 - 1,
		999999999999999.9,
		1e21,
		1e20,
		123e20,
		1e22,
		1e23,
		1e-6,
		1e-7,
		1.5e-7,
		-1.0702056624301601e-6,
		5e-324,
		2 ** 53,
		2 ** 31,
		2 ** 31 - 1,
		0.1 + 0.2,
		1e300,
	),
);

test("a number is written as String() writes it", () => {
	fc.assert(
		fc.property(numbers, (value) => {
			assert.equal(formatDecimal(value), String(value));
		}),
		{ numRuns: 5000 },
	);
});

test("a number that is not finite is written as null", () => {
	for (const value of [NaN, Infinity, -Infinity]) assert.equal(formatDecimal(value), "null");
});

test("an integer is written in decimal", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 1e15 }), (value) => {
			const bytes = new Uint8Array(20);
			assert.equal(Buffer.from(bytes.subarray(0, writeInteger(bytes, 0, value))).toString(), String(value));
		}),
	);
});

test("a record keeps a number without loss, and a decimal of 15 digits takes at most 9 bytes", () => {
	fc.assert(
		fc.property(numbers, (value) => {
			const { text, size, value: read } = storeInRecord(value);
			assert.equal(text, String(value));
			assert.ok(Object.is(read, value === 0 ? 0 : value));
			assert.ok(size <= 14 + 10);
			if (decimal.set(value) && decimal.scale >= 0) assert.ok(size <= 14 + 9);
		}),
		{ numRuns: 5000 },
	);
	assert.equal(storeInRecord(0).size, 16);
	assert.equal(storeInRecord(23.7).size, 18);
	assert.equal(storeInRecord(-0.5).size, 17);
});

const officeRecording = new URL("../../../shared/data/office-sensors.csv", import.meta.url);
test("the values of a real data set are kept without loss", () => {
	// The project does not include the data set: a few rows stand in.
	const rows = existsSync(officeRecording)
		? readFileSync(officeRecording, "utf8")
		: 'header\n"140","2015-02-02 14:19:00",23.7,26.272,585.2,749.2,0.00476416302416414,1\n';
	let count = 0;
	for (const line of rows.trim().split("\n").slice(1)) {
		for (const text of line.split(",").slice(2)) {
			const value = Number(text);
			assert.equal(formatDecimal(value), String(value));
			assert.equal(storeInRecord(value).value, value);
			count++;
		}
	}
	assert.ok(count > 0);
});

test("wall time is written as toISOString() writes it", () => {
	const last = 253_402_300_799_999;
	const times = fc.oneof(
		fc.integer({ min: 0, max: last }),
		fc.constantFrom(
			0,
			951_782_400_000,
			951_868_799_999,
			4_107_542_400_000,
			1_422_886_740_000,
			last,
			1_709_164_800_000,
			1_735_689_599_999,
		),
		// Times around each change of month.
		fc
			.tuple(
				fc.integer({ min: 1970, max: 9998 }),
				fc.integer({ min: 0, max: 11 }),
				fc.integer({ min: -1, max: 1 }),
			)
			.map(([year, month, by]) => Math.max(0, Date.UTC(year, month) + by)),
	);
	fc.assert(
		fc.property(times, (time) => {
			const bytes = new Uint8Array(ISO8601_LENGTH);
			assert.equal(writeIso8601(bytes, 0, time), ISO8601_LENGTH);
			assert.equal(Buffer.from(bytes).toString(), new Date(time).toISOString());
			assert.ok(isIso8601Time(time));
		}),
		{ numRuns: 3000 },
	);
	assert.ok(!isIso8601Time(NaN) && !isIso8601Time(-1) && !isIso8601Time(last + 1));
});
