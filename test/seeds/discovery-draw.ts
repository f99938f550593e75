import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import type { BoardPlan, SeedPlan } from "./seed-plan";

/** Share of the seeds whose nodes announce themselves to Home Assistant, and of these nodes. */
const SHARE = 0.12;
const ANNOUNCED = 0.7;
/** Share of the brokers that have room for an announcement. */
const ROOMY = 0.8;
/** Longer than any announcement of a seed, in bytes; and what its topic takes besides. */
const ANNOUNCEMENT_BYTES = 2048;
const RETAINED_BYTES = ANNOUNCEMENT_BYTES + 320;

/** Nodes that announce themselves, to a broker that may be too small for it. */
export function addDiscovery(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "discovery");
	if (!draw.chance(SHARE)) return plan;
	const isRoomy = draw.chance(ROOMY);
	const [broker, ...others] = plan.boards as [BoardPlan, ...BoardPlan[]];
	const boards = others.map((board) =>
		board.firefly.role === "sensor" && draw.chance(ANNOUNCED)
			? { ...board, firefly: { ...board.firefly, discovery: "homeassistant" } }
			: board,
	);
	const listen = broker.firefly.listen as JSONObject;
	const roomy = isRoomy ? { ...broker.firefly, listen: withRoom(listen, others.length) } : broker.firefly;
	return { ...plan, boards: [{ ...broker, firefly: roomy }, ...boards] };
}

/** Whether a board announces itself, and whether its broker has room for that. */
export function announces({ boards }: SeedPlan, { firefly }: BoardPlan): boolean {
	const { packetSize } = boards[0]!.firefly.listen as JSONObject;
	return firefly.discovery !== undefined && Number(packetSize) >= ANNOUNCEMENT_BYTES;
}

/** @param nodes whose announcements a broker has room for */
export function withRoom(listen: JSONObject, nodes: number): JSONObject {
	const { retainedTopics, retainedBytes, sessions, queuedBytes } = listen;
	return {
		...listen,
		packetSize: 2 * ANNOUNCEMENT_BYTES,
		retainedTopics: Number(retainedTopics) + nodes,
		retainedBytes: Number(retainedBytes) + nodes * RETAINED_BYTES,
		// An announcement that waits takes no place of what else does
		queuedBytes: Number(queuedBytes) + Number(sessions) * nodes * ANNOUNCEMENT_BYTES,
	};
}
