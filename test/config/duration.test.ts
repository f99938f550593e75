import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, formatPause, parseDuration } from "../../src/config/duration";

test("durations are parsed and formatted", () => {
	const rows: readonly (readonly [string, number | undefined])[] = [
		["250ms", 250],
		["60s", 60_000],
		["15m", 900_000],
		["1h", 3_600_000],
		["30d", 2_592_000_000],
		["0s", 0],
		["0.3s", 300],
		["1.5h", 5_400_000],
		["1.0015s", 1002],
		["007s", 7000],
		["", undefined],
		["s", undefined],
		["60", undefined],
		["60 s", undefined],
		[" 60s", undefined],
		["60s ", undefined],
		["-1s", undefined],
		["+1s", undefined],
		["1e3s", undefined],
		["1.s", undefined],
		[".5s", undefined],
		["1.2.3s", undefined],
		["1,5s", undefined],
		["60S", undefined],
		["60sec", undefined],
		["1w", undefined],
		["٣s", undefined],
		["Infinitys", undefined],
	];
	for (const [text, expected] of rows) assert.equal(parseDuration(text), expected, text);
});

test("a formatted duration is parsed back unchanged", () => {
	fc.assert(
		fc.property(fc.maxSafeNat(), (milliseconds) =>
			assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds),
		),
	);
	assert.deepEqual([0, 90_000, 3_600_000, 86_400_000, 1001].map(formatDuration), [
		"0s",
		"90s",
		"1h",
		"1d",
		"1001ms",
	]);
});

test("a pause for people: rounded up, to what matters of it", () => {
	const rows: readonly (readonly [number, string])[] = [
		[0, "0s"],
		[1, "1s"],
		[37_402, "38s"],
		[59_001, "1m"],
		[100_000, "100s"],
		[600_001, "11m"],
		[3_600_000, "1h"],
		[36_000_001, "11h"],
		[86_400_000, "1d"],
	];
	for (const [milliseconds, text] of rows) assert.equal(formatPause(milliseconds), text);
});

test("no text makes the parser throw", () => {
	fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => (parseDuration(text) ?? 0) >= 0));
});
