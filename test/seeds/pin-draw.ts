import type { Fault } from "../../sim/faults/fault";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import { inOrder } from "./fault-draw";
import { type BoardPlan, PIN_PROPERTY, PIN_SENSOR, type SeedPlan, sensorsOf } from "./seed-plan";

/** Share of the sleeping nodes that a pin wakes. */
const SHARE = 0.15;
/** Times that its contact moves, at most. */
const MOVES = 6;
/** Quiet time before the first one, ms. */
const FIRST_MS = 25_000;
const LONGEST_CLOSED_MS = 60_000;

/** Nodes with a contact that wakes them, and what moves it: closed for a while, or bouncing. */
export function addPins(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "pins");
	const faults: Fault[] = [];
	const boards = plan.boards.map((board) => {
		const { role, sleep } = board.firefly;
		if (role !== "sensor" || (sleep as JSONObject).mode !== "deep" || !draw.chance(SHARE)) return board;
		for (let left = draw.integer(1, MOVES); left > 0; left--)
			faults.push(drawMove(draw, board.name, plan.active));
		return withPin(board, draw);
	});
	return { ...plan, boards, faults: inOrder([...plan.faults, ...faults]) };
}

function withPin(board: BoardPlan, draw: Draw): BoardPlan {
	const { firefly } = board;
	const sensor = {
		name: PIN_SENSOR,
		driver: "digital",
		property: PIN_PROPERTY,
		options: { pin: 4, activeLow: draw.chance(0.5) },
		wake: true,
		every: draw.pick(["30s", "60s"]),
		qos: 1,
	};
	const sleep = { ...(firefly.sleep as JSONObject), pinWakeLimit: draw.pick([6, 60, 600]) };
	return { ...board, firefly: { ...firefly, sleep, sensors: [...sensorsOf(board), sensor] } };
}

function drawMove(draw: Draw, board: string, active: number): Fault {
	const at = 100 * Math.floor(draw.integer(FIRST_MS, active - 5000) / 100);
	const longest = Math.min(draw.pick([1000, 10_000, LONGEST_CLOSED_MS]), active - at);
	const duration = 100 * Math.max(1, Math.floor(draw.integer(100, longest) / 100));
	return draw.chance(0.3)
		? { name: "bounce", amount: draw.pick([50, 500, 3000]), duration, at, board }
		: { name: "contact", duration, at, board };
}
