import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { passesDeadband, roundTo } from "../../src/sensor/measure/filter";
import {
	alignRetryWithSample,
	awakeWait,
	earlyTolerance,
	isDue,
	LONGEST_SLEEP_MS,
	nextDue,
	nextDueOnGrid,
	realignedDue,
	SHORTEST_SLEEP_MS,
	sleepLength,
} from "../../src/sensor/time/schedule";
import { Decimal } from "../../src/text/decimal";

test("the deadband passes values that differ by at least delta, compared as decimals", () => {
	assert.ok(passesDeadband(23.7, NaN, 0, 0.2, undefined), "the first value");
	assert.ok(passesDeadband(23.7, 23.7, 0, undefined, undefined), "without a deadband everything");
	assert.ok(passesDeadband(23.9, 23.7, 0, 0.2, undefined));
	assert.ok(passesDeadband(23.5, 23.7, 0, 0.2, undefined));
	assert.ok(!passesDeadband(23.89, 23.7, 0, 0.2, undefined));
	assert.ok(!passesDeadband(23.7, 23.7, 0, 0, undefined), "delta 0: any change");
	assert.ok(passesDeadband(23.70001, 23.7, 0, 0, undefined));
	fc.assert(
		fc.property(
			fc.integer({ min: -1e6, max: 1e6 }),
			fc.integer({ min: -1e4, max: 1e4 }),
			fc.integer({ min: 1, max: 1e4 }),
			(last, change, delta) => {
				assert.equal(
					passesDeadband((last + change) / 1000, last / 1000, 0, delta / 1000, undefined),
					Math.abs(change) >= delta,
				);
			},
		),
	);
});

test("the heartbeat passes a value that did not change", () => {
	assert.ok(!passesDeadband(1, 1, 899_999, 0.2, 900_000));
	assert.ok(passesDeadband(1, 1, 900_000, 0.2, 900_000));
});

test("values are rounded to decimals", () => {
	const decimal = new Decimal();
	assert.equal(roundTo(23.748, 1), 23.7);
	assert.equal(roundTo(23.75, 1), 23.8);
	assert.equal(roundTo(-0.4, 0), -0);
	assert.equal(roundTo(1e300, 6), 1e300);
	assert.ok(Number.isNaN(roundTo(NaN, 2)));
	fc.assert(
		fc.property(
			fc.double({ min: -1e6, max: 1e6, noNaN: true }),
			fc.integer({ min: 0, max: 6 }),
			(value, decimals) => {
				const result = roundTo(value, decimals);
				assert.ok(Math.abs(result - value) <= 0.5000001 / 10 ** decimals);
				assert.ok(decimal.set(result) && decimal.scale <= decimals);
			},
		),
	);
});

test("the next sample keeps the interval, and missed ones are skipped", () => {
	assert.equal(nextDue(1000, 1000, 60_000), 61_000);
	assert.equal(nextDue(1000, 1400, 60_000), 61_000);
	assert.equal(nextDue(1000, 900, 60_000), 61_000, "one taken early does not move the next");
	assert.equal(nextDue(1000, 200_000, 60_000), 260_000);
});

const intervalMs = fc.integer({ min: 100, max: 86_400_000 });
test("on the grid samples lie at multiples of every, and an early wake causes no second sample", () => {
	fc.assert(
		fc.property(
			intervalMs,
			fc.integer({ min: 0, max: 1e6 }),
			fc.double({ min: -1, max: 3, noNaN: true }),
			fc.integer({ min: 0, max: 1e9 }),
			(every, index, off, now) => {
				const at = index * every + 1_600_000_000_000 - (1_600_000_000_000 % every);
				// From the earliest permitted time to almost three intervals late.
				const wallMs = Math.ceil(at + (off < 0 ? off * earlyTolerance(every) : off * every * 0.7));
				const next = wallMs + (nextDueOnGrid(now, wallMs, every) - now);
				assert.equal(next % every, 0);
				assert.ok(
					next - wallMs >= earlyTolerance(every) - 1 && next - wallMs <= every + earlyTolerance(every),
				);
				if (off <= 0) assert.equal(next, at + every);
			},
		),
	);
});

test("after a jump of wall time samples return to the grid, none within half an interval", () => {
	fc.assert(
		fc.property(
			intervalMs,
			fc.integer({ min: 0, max: 1e12 }),
			fc.integer({ min: 0, max: 1e9 }),
			fc.double({ min: 0, max: 1, noNaN: true }),
			(every, wallMs, now, passed) => {
				// The last sample was up to one interval ago.
				const due = now + every * (1 - passed);
				const next = realignedDue(due, now, wallMs, every);
				assert.ok(
					Math.abs(((wallMs + (next - now)) / every) % 1) < 1e-6 ||
						Math.abs((((wallMs + (next - now)) / every) % 1) - 1) < 1e-6,
				);
				assert.ok(next - (due - every) >= every / 2 - 1);
				assert.ok(next - now <= 1.5 * every + 1);
			},
		),
	);
});

test("a sample that is due soon is taken early, awaited when near, and slept for otherwise", () => {
	assert.ok(
		isDue(1000, 1000, 60_000, false) && isDue(6000, 1000, 60_000, false) && !isDue(6001, 1000, 60_000, false),
	);
	assert.ok(isDue(1000, 1000, 60_000, true) && !isDue(1001, 1000, 60_000, true), "on the grid none is early");
	assert.ok(isDue(1025, 1000, 100, false) && !isDue(1026, 1000, 100, false));
	assert.equal(awakeWait(1250, 1000), 250);
	assert.equal(awakeWait(1251, 1000), 0);
	assert.equal(awakeWait(1000, 1000), 0);
	assert.equal(awakeWait(Infinity, 0), 0);
	assert.equal(alignRetryWithSample(1000, 6000), 6000);
	assert.equal(alignRetryWithSample(1000, 6001), 1000);
	assert.equal(alignRetryWithSample(1000, 900), 1000);
});

test("sleep is corrected for drift and stays within the range of the timer", () => {
	assert.equal(sleepLength(61_000, 1000, 0), 60_000);
	assert.equal(sleepLength(61_000, 1000, 0.05), 57_143);
	assert.equal(sleepLength(0, 1000, 0), SHORTEST_SLEEP_MS);
	assert.equal(sleepLength(1019, 1000, 0), SHORTEST_SLEEP_MS);
	assert.equal(sleepLength(1021, 1000, 0), 21);
	assert.equal(sleepLength(Infinity, 0, 0), LONGEST_SLEEP_MS);
});
