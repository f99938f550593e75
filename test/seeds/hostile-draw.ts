import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import { HOSTILE_CLIENT_KINDS } from "./odd-client-kinds";
import { type BoardPlan, LOGINS, type OddClientPlan, type SeedPlan } from "./seed-plan";

/** Share of the seeds with neighbours that mean harm, and how many these are at most. */
const SHARE = 0.2;
const MOST = 2;
const HARMS = HOSTILE_CLIENT_KINDS.filter((kind) => kind !== "impostor");
/** When a neighbour comes first, and how long it stays at most, ms. */
const EARLIEST_MS = 15_000;
const LONGEST_STAY_MS = 40_000;
/** Of each pool of the broker, what one more client needs for its share. */
const PLACES: Readonly<Record<string, number>> = {
	connections: 1,
	sessions: 1,
	subscriptions: 4,
	sessionBytes: 96,
	filterLevels: 16,
	filterBytes: 96,
};
/** Of which each session has a share. */
const SHARED = ["queuedMessages", "queuedBytes"] as const;

/** Neighbours that mean harm, and places for them at the first broker. */
export function addHostileClients(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "hostile clients");
	if (!draw.chance(SHARE)) return plan;
	const [broker, ...others] = plan.boards as [BoardPlan, ...BoardPlan[]];
	const listen = broker.firefly.listen as JSONObject;
	const hasUsers = listen.anonymous === false;
	const clients = Array.from({ length: draw.integer(1, MOST) }, () =>
		drawHostileClient(draw, plan.active, hasUsers),
	);
	const firefly = { ...broker.firefly, listen: withPlaces(listen, clients.length) };
	return {
		...plan,
		boards: [{ ...broker, firefly }, ...others],
		oddClients: [...plan.oddClients, ...clients],
	};
}

function drawHostileClient(draw: Draw, active: number, hasUsers: boolean): OddClientPlan {
	const at = draw.integer(EARLIEST_MS, Math.floor(active * 0.7));
	// Without users, MQTT gives a client identifier to whoever asks for it last
	const kind = hasUsers && draw.chance(0.5) ? "impostor" : draw.pick(HARMS);
	return {
		kind,
		at,
		duration: Math.min(draw.integer(5000, LONGEST_STAY_MS), active - at),
		login: hasUsers ? draw.pick([LOGINS[0], LOGINS[1], undefined]) : undefined,
	};
}

function withPlaces(listen: JSONObject, clients: number): JSONObject {
	const grown: Record<string, unknown> = { ...listen };
	for (const [key, count] of Object.entries(PLACES)) grown[key] = Number(listen[key]) + clients * count;
	for (const key of SHARED)
		grown[key] = Number(listen[key]) + clients * Math.ceil(Number(listen[key]) / Number(listen.sessions));
	return grown as JSONObject;
}
