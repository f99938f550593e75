import type { Fault } from "../../sim/faults/fault";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import { inOrder } from "./fault-draw";
import type { SeedPlan } from "./seed-plan";

/** Share of the nodes with their outbox in flash that cannot read it for a while. */
const SHARE = 0.5;
/** Quiet time before that, ms. */
const FIRST_MS = 25_000;
const LONGEST_MS = 60_000;

/** Times in which nodes cannot read flash, each with a start of the firmware, which reads it. */
export function addUnreadableFlash(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "unreadable flash");
	const faults = plan.boards.flatMap(({ name, firefly }): Fault[] => {
		const { storage } = (firefly.outbox ?? {}) as JSONObject;
		// What a command has set is in flash, too: while it cannot be read, other settings hold
		if (firefly.role !== "sensor" || storage !== "flash" || firefly.commands !== undefined) return [];
		if (!draw.chance(SHARE)) return [];
		const at = tenths(draw.integer(FIRST_MS, plan.active - 5000));
		const duration = Math.max(200, tenths(draw.integer(200, Math.min(LONGEST_MS, plan.active - at))));
		const start = at + tenths(draw.integer(0, duration - 100));
		return [
			{ name: "storage-read", duration, at, board: name },
			draw.chance(0.5)
				? { name: "power", duration: 100, at: start, board: name }
				: { name: draw.pick(["reset", "brown-out"]), at: start, board: name },
		];
	});
	return faults.length === 0 ? plan : { ...plan, faults: inOrder([...plan.faults, ...faults]) };
}

function tenths(ms: number): number {
	return Math.floor(ms / 100) * 100;
}
