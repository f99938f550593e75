import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimedEvent } from "../../sim/report/events";
import { acknowledgedArrives } from "./checks/messages";
import { drawPlan } from "./plan-draw";
import { type BoardPlan, PIN_SENSOR, type SeedPlan, sensorsOf } from "./seed-plan";
import type { ReceivedMessage } from "./well-behaved-client";
import { type SeedRun, START_TIME } from "./world";

const PIN_REPORT = '{"seq":1,"time":null,"d0":1}';

function isPinNode(board: BoardPlan): boolean {
	const { firefly } = board;
	const storage = (firefly.outbox as { readonly storage?: string } | undefined)?.storage;
	const sensors = sensorsOf(board);
	return (
		firefly.payload === "json" &&
		storage === undefined &&
		sensors.some(({ name }) => name === PIN_SENSOR) &&
		sensors.every(({ qos }) => qos !== 0)
	);
}

function findPinPlan(): SeedPlan {
	for (let seed = 1; ; seed++) {
		const plan = drawPlan(seed);
		if (plan.hub === undefined && plan.commands === undefined && plan.boards.some(isPinNode))
			return { ...plan, faults: [] };
	}
}

const plan = findPinPlan();
const node = plan.boards.find(isPinNode)!.name;

/**
 * A run in which a node reports once from each start without memory.
 * @param starts minutes
 * @param arrivals minutes, payload and retain of what the subscriber receives
 */
function reports(
	starts: readonly number[],
	...arrivals: readonly (readonly [minute: number, payload: string, retain?: boolean])[]
): SeedRun {
	const at = (minute: number): number => START_TIME + minute * 60_000;
	const events = starts.flatMap((minute): TimedEvent[] => [
		{ time: at(minute), node, type: "boot", reason: minute === 0 ? "power-on" : "brown-out" },
		{ time: at(minute) + 1000, node, type: "acknowledged", sequence: 1, waiting: 0 },
	]);
	const received = arrivals.map(
		([minute, payload, retain = false]): ReceivedMessage => ({
			time: at(minute) + 1000,
			topic: `home/${node}/d0`,
			payload,
			qos: 1,
			retain,
		}),
	);
	return {
		plan,
		events,
		subscriber: { received, subscribedAt: START_TIME, connections: [] },
		publisher: { published: [], connections: [] },
		recoveredAt: at(60),
	} as unknown as SeedRun;
}

test("a node without the time loses its memory and reports its pin under the same number: two reports", () => {
	assert.deepEqual(acknowledgedArrives.run(reports([0, 5], [0, PIN_REPORT], [5, PIN_REPORT])), []);
});

test("a report of a pin that does not arrive, one of two alike: a violation", () => {
	assert.equal(acknowledgedArrives.run(reports([0, 5], [0, PIN_REPORT])).length, 1);
	assert.equal(acknowledgedArrives.run(reports([0, 5], [0, PIN_REPORT], [6, PIN_REPORT, true])).length, 1);
});

test("a report arrives twice: one report where it has a time or a counted value, or the node one life", () => {
	const timed = '{"seq":1,"time":"2026-01-01T00:00:00.000Z","d0":1}';
	const counted = '{"seq":1,"time":null,"s0":1,"d0":1}';
	for (const payload of [timed, counted])
		assert.equal(acknowledgedArrives.run(reports([0, 5], [0, payload], [5, payload])).length, 1, payload);
	const twice = reports([0], [0, PIN_REPORT], [5, PIN_REPORT]);
	const acknowledged = { ...twice.events[1]!, type: "acknowledged", sequence: 2, waiting: 0 } as TimedEvent;
	assert.equal(acknowledgedArrives.run({ ...twice, events: [...twice.events, acknowledged] }).length, 1);
});
