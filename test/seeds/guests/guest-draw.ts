import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { Draw } from "../draw";
import { type BoardPlan, LOGINS, type SeedPlan } from "../seed-plan";
import { GUEST_KINDS, type GuestPlan } from "./guest-plan";

/** Share of the seeds with guests, and how many these are at most. */
const SHARE = 0.1;
const MOST = 2;
/** When the first episode begins, ms: before that the subscriber connects. */
const EARLIEST_MS = 15_000;
const LATEST_MS = 25_000;
const SHORTEST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 50_000;
/** Connections, and sessions, of one guest at one time; those that it has just left may still be there. */
const CONNECTIONS = 4;
/** What each connection of the broker must have a share of, for the filters of a guest. */
const SHARES: Readonly<Record<string, number>> = { subscriptions: 6, filterLevels: 24, filterBytes: 120 };
/** Bytes of client identifiers and wills, for each of its sessions. */
const SESSION_BYTES = 96;
/** Topics with a value, and their bytes. */
const TOPICS = 10;
const TOPIC_BYTES = 320;
/** Of which each session has a share. */
const SHARED = ["queuedMessages", "queuedBytes"] as const;

/** Guests of the first broker, and places for them. */
export function addGuests(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "guests");
	if (!draw.chance(SHARE)) return plan;
	const kinds = [...GUEST_KINDS];
	const [broker, ...others] = plan.boards as [BoardPlan, ...BoardPlan[]];
	const listen = broker.firefly.listen as JSONObject;
	const login = listen.anonymous === false ? LOGINS[1] : undefined;
	const guests = Array.from({ length: draw.integer(1, MOST) }, (): GuestPlan => {
		const [kind] = kinds.splice(draw.integer(0, kinds.length - 1), 1);
		return {
			kind: kind!,
			at: draw.integer(EARLIEST_MS, LATEST_MS),
			pause: draw.integer(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS),
			login,
		};
	});
	const firefly = { ...broker.firefly, listen: withPlaces(listen, guests.length) };
	return { ...plan, boards: [{ ...broker, firefly }, ...others], guests };
}

function withPlaces(listen: JSONObject, guests: number): JSONObject {
	const more = CONNECTIONS * guests;
	const connections = Number(listen.connections) + more;
	const grown: Record<string, unknown> = {
		...listen,
		connections,
		sessions: Number(listen.sessions) + more,
		sessionBytes: Number(listen.sessionBytes) + more * SESSION_BYTES,
		retainedTopics: Number(listen.retainedTopics) + guests * TOPICS,
		retainedBytes: Number(listen.retainedBytes) + guests * TOPICS * TOPIC_BYTES,
	};
	for (const [key, share] of Object.entries(SHARES))
		grown[key] = Math.max(Number(listen[key]), share * connections);
	for (const key of SHARED)
		grown[key] = Number(listen[key]) + more * Math.ceil(Number(listen[key]) / Number(listen.sessions));
	return grown as JSONObject;
}
