import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { calibrated, interpolated } from "../../src/sensor/measure/calibration";
import { ScriptedBroker } from "../client/scripted-broker";
import { MINUTE, payloads } from "./support/payloads";
import { TestBoard } from "./support/test-board";

describe("a table of points", () => {
	const table = [0, 0.4, 50, 49, 100, 98.7];
	for (const [x, y, where] of [
		[0, 0.4, "at the first point"],
		[50, 49, "at a point between"],
		[100, 98.7, "at the last point"],
		[25, 24.7, "halfway between two points"],
		[75, 73.85, "in the second segment"],
		[-50, -48.2, "before the first point: its segment goes on"],
		[200, 198.1, "after the last point: its segment goes on"],
	] as const)
		test(`${where}: ${x} is ${y}`, () => assert.ok(Math.abs(interpolated(x, table) - y) < 1e-9));

	test("every point is exact, and between two points a value lies between theirs", () => {
		const coordinate = fc.double({ min: -1e9, max: 1e9, noNaN: true });
		const points = fc
			.uniqueArray(fc.tuple(coordinate, coordinate), {
				minLength: 2,
				maxLength: 16,
				comparator: "SameValueZero",
				selector: ([x]) => x,
			})
			.map((pairs) => pairs.sort(([a], [b]) => a - b));
		fc.assert(
			fc.property(points, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (pairs, part, nth) => {
				const flat = pairs.flat();
				// Not assert.equal, for which 0 and −0 differ
				for (const [x, y] of pairs) assert.ok(interpolated(x, flat) === y, `${x} is not ${y}`);
				const at = nth % (pairs.length - 1);
				const [[x0, y0], [x1, y1]] = [pairs[at]!, pairs[at + 1]!];
				const x = Math.min(x1, Math.max(x0, x0 + part * (x1 - x0)));
				const y = interpolated(x, flat);
				const error = 1e-12 * (Math.abs(y0) + Math.abs(y1));
				assert.ok(y >= Math.min(y0, y1) - error && y <= Math.max(y0, y1) + error, `${x} is ${y}`);
			}),
		);
	});
});

test("table, then scale, then offset; each alone; none", () => {
	assert.equal(calibrated(10, { table: [0, 0, 10, 20], scale: 3, offset: 1 }), 61);
	assert.equal(calibrated(10, { table: [0, 0, 10, 20] }), 20);
	assert.equal(calibrated(10, { scale: 3 }), 30);
	assert.equal(calibrated(10, { offset: -1 }), 9);
	assert.equal(calibrated(10, {}), 10);
});

test("a failed reading stays one, and a result that is no finite number is one", () => {
	assert.ok(Number.isNaN(calibrated(NaN, { table: [0, 0, 1, 1], scale: 2, offset: 1 })));
	assert.ok(Number.isNaN(calibrated(1e300, { scale: 1e9 })));
	assert.ok(Number.isNaN(calibrated(Infinity, {})));
});

test("the node publishes calibrated values; deadband and decimals apply to them", () => {
	const board = new TestBoard({
		sensors: [
			{ scale: 0.01, offset: -0.5, decimals: 1, delta: 1 },
			{ name: "level", property: ["level"], table: [0, 100, 4, 0], decimals: 0 },
		],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	const readings = [1000, 1060, 1110, NaN];
	board.sample = (time) => ({ temperature: readings[Math.floor(time / MINUTE)], level: 1 });
	board.run(4 * MINUTE - 1);
	assert.deepEqual(payloads(broker), ["9.5", "75", "75", "10.6", "75", "75"]);
});
