import assert from "node:assert/strict";
import { test } from "node:test";
import { pinsAreNoticed } from "./checks/pins";
import { drawPlan } from "./plan-draw";
import { type BoardPlan, PIN_SENSOR, type SeedPlan, sensorsOf } from "./seed-plan";
import { type SeedRun, START_TIME } from "./world";

const MINUTE = 60_000;

function pinBoardOf({ boards }: SeedPlan): BoardPlan | undefined {
	return boards.find((board) => sensorsOf(board).some(({ name }) => name === PIN_SENSOR));
}

/**
 * A run in which a pin that was 1 is 0 for 50 ms after an hour, and 1 from then on.
 * @param samples of the pin: minutes from the start, and the value
 */
function bounce(...samples: readonly (readonly [minute: number, value: number])[]): SeedRun {
	let seed = 1;
	while (pinBoardOf(drawPlan(seed)) === undefined) seed++;
	const plan = { ...drawPlan(seed), faults: [] };
	const node = pinBoardOf(plan)!.name;
	const at = START_TIME + 60 * MINUTE;
	return {
		plan,
		recoveredAt: at + 60 * MINUTE,
		pins: new Map([
			[
				node,
				[
					{ time: START_TIME, value: 1 },
					{ time: at, value: 0 },
					{ time: at + 50, value: 1 },
				],
			],
		]),
		events: samples.map(([minute, value]) => ({
			time: START_TIME + minute * MINUTE,
			node,
			type: "sample",
			sensor: PIN_SENSOR,
			value,
		})),
	} as unknown as SeedRun;
}

test("a pin changes and changes back within one wake, in which it is not sampled: no violation, the value is known", () => {
	assert.deepEqual(pinsAreNoticed.run(bounce([59, 1])), []);
});

test("a pin changes back, and the last sample has the other value: a violation, unless it is sampled soon", () => {
	assert.equal(pinsAreNoticed.run(bounce([59, 0])).length, 1);
	assert.equal(pinsAreNoticed.run(bounce([59, 0], [62, 1])).length, 1);
	assert.equal(pinsAreNoticed.run(bounce()).length, 1);
	assert.deepEqual(pinsAreNoticed.run(bounce([59, 0], [60.02, 1])), []);
});

test("a pin changes back, and what it was before is a sample of an earlier time: only the last one counts", () => {
	assert.equal(pinsAreNoticed.run(bounce([58, 1], [59, 0])).length, 1);
});
