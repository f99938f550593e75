import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Backoff, backoffDelay, EQUAL_JITTER, FULL_JITTER, NO_JITTER } from "../../src/backoff";

const backoff: Backoff = { minimum: 5000, maximum: 60_000 };

test("the wait lies between the jitter's share and the whole of a bound that doubles up to the maximum", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 100 }),
			fc.integer({ min: 100, max: 1e6 }),
			fc.integer({ min: 0, max: 1e9 }),
			fc.double({ min: 0, max: 1, noNaN: true }),
			fc.constantFrom(FULL_JITTER, EQUAL_JITTER, NO_JITTER),
			(failures, minimum, extra, random, jitter) => {
				const maximum = minimum + extra;
				const bound = Math.min(maximum, minimum * 2 ** (failures - 1));
				const wait = backoffDelay({ minimum, maximum }, failures, jitter, random);
				assert.ok(wait >= Math.floor(jitter * bound) && wait <= bound, `${wait} of ${bound}`);
			},
		),
	);
});

test("failures in a row: the largest wait is 5, 10, 20, 40, then 60 s", () => {
	for (const jitter of [FULL_JITTER, EQUAL_JITTER, NO_JITTER] as const)
		assert.deepEqual(
			[1, 2, 3, 4, 5, 1000].map((failures) => backoffDelay(backoff, failures, jitter, 1)),
			[5000, 10_000, 20_000, 40_000, 60_000, 60_000],
		);
});

test("third failure: the smallest wait is nothing, half or all of 20 s, by the jitter", () => {
	const smallest = ([FULL_JITTER, EQUAL_JITTER, NO_JITTER] as const).map((jitter) =>
		backoffDelay(backoff, 3, jitter, 0),
	);
	assert.deepEqual(smallest, [0, 10_000, 20_000]);
});
