import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import type { BoardPlan, SeedPlan } from "./seed-plan";

/** Share of the plain seeds whose broker has too little of something, and of each pool in these. */
const SHARE = 0.06;
const POOL_SHARE = 0.5;

/** Settings of a pool that is too small for what the clients of a seed want, by what it holds. */
const POOLS: readonly ((draw: Draw, listen: JSONObject) => JSONObject)[] = [
	(draw) => {
		const connections = draw.integer(2, 4);
		const sessions = connections + draw.integer(0, 1);
		return { connections, sessions, sessionBytes: 32 * sessions, handshakes: draw.integer(1, 2) };
	},
	(draw, { sessions }) => {
		const queuedMessages = Number(sessions) * draw.integer(1, 2);
		return {
			queuedPerClient: draw.integer(1, 3),
			queuedMessages,
			queuedBytes: Math.max(128, 32 * queuedMessages),
		};
	},
	(draw) => ({ retainedTopics: draw.integer(1, 3), retainedBytes: draw.pick([64, 128, 256]) }),
	// A share has what the probe of the pools subscribes to: # and $SYS/broker/#.
	(draw, { connections }) => ({
		subscriptions: 2 * Number(connections) + draw.integer(0, 4),
		filterLevels: 4 * Number(connections) + draw.integer(0, 8),
		filterBytes: 14 * Number(connections) + draw.integer(0, 32),
	}),
	(draw) => ({ inFlight: 1, receiveMaximum: 16, assemblyBytes: draw.integer(16, 64), topicAliases: 0 }),
];

/** A broker with pools so small that it refuses, evicts and drops all the time; see `lossesAreCounted`. */
export function addTinyPools(plan: SeedPlan): SeedPlan {
	const { hub, commands, guests, boards } = plan;
	if (hub ?? commands ?? guests) return plan;
	if (boards.some(({ firefly }) => firefly.discovery !== undefined)) return plan;
	const draw = new Draw(plan.seed, "tiny pools");
	if (!draw.chance(SHARE)) return plan;
	const [broker, ...others] = boards as [BoardPlan, ...BoardPlan[]];
	let listen = broker.firefly.listen as JSONObject;
	for (const pool of POOLS) if (draw.chance(POOL_SHARE)) listen = { ...listen, ...pool(draw, listen) };
	return {
		...plan,
		boards: [{ ...broker, firefly: { ...broker.firefly, listen } }, ...others],
		isTiny: true,
	};
}
