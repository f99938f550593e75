import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { withRoom } from "./discovery-draw";
import { Draw } from "./draw";
import { type BoardPlan, type SeedPlan, sensorsOf } from "./seed-plan";

/** Share of the plain seeds with nodes of the Homie convention, and of these nodes. */
const SHARE = 0.06;
const NODES = 0.7;
/** Topics with a value beside those that a node has anyway: its state and its description. */
const TOPICS = 2;

/** Nodes of the Homie convention, which has topics, values and a will of its own. */
export function addHomie(plan: SeedPlan): SeedPlan {
	const { hub, commands, isTiny, boards } = plan;
	if ((hub ?? commands ?? isTiny) || boards.some(({ firefly }) => firefly.discovery !== undefined))
		return plan;
	const draw = new Draw(plan.seed, "Homie");
	if (!draw.chance(SHARE)) return plan;
	const [broker, ...others] = boards as [BoardPlan, ...BoardPlan[]];
	const nodes = others.map((board) =>
		board.firefly.role === "sensor" && draw.chance(NODES) ? withHomie(board) : board,
	);
	const room = withRoom(broker.firefly.listen as JSONObject, TOPICS * nodes.length);
	return { ...plan, boards: [{ ...broker, firefly: { ...broker.firefly, listen: room } }, ...nodes] };
}

export function isHomie({ firefly }: BoardPlan): boolean {
	return firefly.discovery === "homie";
}

function withHomie(board: BoardPlan): BoardPlan {
	const { topic: _, broker, ...firefly } = board.firefly;
	const { will: __, ...others } = broker as JSONObject;
	const sensors = sensorsOf(board).map(({ retain: ___, ...sensor }) => sensor);
	return { ...board, firefly: { ...firefly, broker: others, payload: "value", discovery: "homie", sensors } };
}
