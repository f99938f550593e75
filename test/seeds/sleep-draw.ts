import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import type { SeedPlan } from "./seed-plan";

/** Share of the nodes that stay connected while their chips sleep lightly. */
const SHARE = 0.08;

/** Nodes with light sleep. */
export function addLightSleep(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "light sleep");
	const boards = plan.boards.map((board) => {
		const { role, sleep } = board.firefly;
		if (role !== "sensor" || !draw.chance(SHARE)) return board;
		return { ...board, firefly: { ...board.firefly, sleep: { ...(sleep as JSONObject), mode: "light" } } };
	});
	return { ...plan, boards };
}
