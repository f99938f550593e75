import type { Fault } from "../../sim/faults/fault";
import { Draw } from "./draw";
import { inOrder } from "./fault-draw";
import type { SeedPlan } from "./seed-plan";

/** Share of the nodes whose sensors read nonsense for a while. */
const SHARE = 0.1;
/** Quiet time before, and how long it lasts at most, ms. */
const FIRST_MS = 25_000;
const LONGEST_MS = 120_000;

/** Sensors that read nonsense. */
export function addGarbledSensors(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "garbled sensors");
	const faults = plan.boards.flatMap(({ name, firefly }): Fault[] => {
		if (firefly.sensors === undefined || !draw.chance(SHARE)) return [];
		const at = 100 * Math.floor(draw.integer(FIRST_MS, plan.active - 1000) / 100);
		const longest = Math.min(LONGEST_MS, plan.active - at);
		return [
			{
				name: "garbled",
				duration: 100 * Math.max(1, Math.floor(draw.integer(100, longest) / 100)),
				at,
				board: name,
			},
		];
	});
	return faults.length === 0 ? plan : { ...plan, faults: inOrder([...plan.faults, ...faults]) };
}
