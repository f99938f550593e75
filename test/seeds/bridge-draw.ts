import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { drawListen } from "./board-draw";
import { drawClient } from "./client-draw";
import { BRIDGE_ROWS, drawConfig } from "./config-rows";
import { Draw } from "./draw";
import { drawFaults, inOrder } from "./fault-draw";
import {
	type BoardPlan,
	BROKER_ADDRESS,
	type ClientPlan,
	HUB,
	HUB_ADDRESS,
	LOGINS,
	PUBLISHER_TOPICS,
	SENSOR_PROPERTIES,
	type SeedPlan,
} from "./seed-plan";

/** Share of the seeds with a second broker. */
const SHARE = 0.2;
/** Faults of the two brokers beside those that the seed has anyway, at most. */
const MORE_FAULTS = 3;
/** Between two messages of a publisher, ms: many meet a fault, and no outage lets more wait than fit. */
const SHORTEST_INTERVAL_MS = 3000;
const LONGEST_INTERVAL_MS = 8000;
/** Messages that have room for each client of a roomy broker. */
const ROOMY_SHARE = 100;

/** Rows of `bridge.topics`, without their QoS. */
interface TopicRows {
	readonly here: readonly JSONObject[];
	/** Of the second broker's own bridge; none: it has no bridge. */
	readonly there: readonly JSONObject[];
	/** Whether messages go both ways under one name, which MQTT 3.1.1 cannot tell from a loop. */
	readonly needsVersion5: boolean;
}

/**
 * What is forwarded: `pub/#` of the first broker and `up/#` of the second one reach the other one, once
 * each.
 */
const TOPIC_ROWS: readonly TopicRows[] = [
	{
		here: [
			{ filter: "pub/#", direction: "out", remotePrefix: "site/" },
			{ filter: "up/#", direction: "in", localPrefix: "hub/" },
		],
		there: [],
		needsVersion5: false,
	},
	{
		here: [
			{ filter: "pub/#", direction: "both" },
			{ filter: "up/#", direction: "both" },
		],
		there: [],
		needsVersion5: true,
	},
	{
		here: [{ filter: "pub/#" }, { filter: "up/#" }],
		there: [{ filter: "pub/#" }, { filter: "up/#" }],
		needsVersion5: true,
	},
	{
		here: [
			{ filter: "pub/#", direction: "in" },
			{ filter: "up/#", direction: "in" },
		],
		there: [
			{ filter: "up/#", direction: "in" },
			{ filter: "pub/#", direction: "in" },
		],
		needsVersion5: true,
	},
];

/** A second broker with clients of its own, and a bridge between both; most seeds have none. */
export function addHub(plan: SeedPlan): SeedPlan {
	const { seed, active } = plan;
	const draw = new Draw(seed, "hub");
	if (!draw.chance(SHARE)) return plan;
	const hasUsers = plan.clients[0].login !== undefined;
	const rows = draw.pick(TOPIC_ROWS);
	const qos = draw.pick([0, 1, 1, 2, 2, 2] as const);
	const isDurable = draw.chance(0.5);
	const isRoomy = draw.chance(0.8);
	const isMutual = rows.there.length > 0;
	const bridgeTo = (address: string, topics: readonly JSONObject[]): JSONObject => ({
		url: `mqtt://${address}`,
		...drawConfig(BRIDGE_ROWS, draw, context),
		...(rows.needsVersion5 ? { version: 5 } : {}),
		...(hasUsers ? { username: LOGINS[1][0], password: LOGINS[1][1] } : {}),
		topics: topics.map((row) => ({ ...row, qos })),
	});
	const context = {
		// Two clients, the bridge, and the probes
		peers: 4,
		retainedTopics: plan.boards.length * (SENSOR_PROPERTIES.length + 1) + 2 * PUBLISHER_TOPICS.length,
		hasUsers,
		keepsSession: false,
		isBroker: true,
		login: LOGINS[0],
	};
	const [broker, ...nodes] = plan.boards as [BoardPlan, ...BoardPlan[]];
	const hub: BoardPlan = {
		name: HUB,
		address: HUB_ADDRESS,
		mac: "02f1ef1f00b1",
		firefly: {
			id: HUB,
			role: "broker",
			listen: changed(drawListen(draw, context), isDurable, isRoomy),
			time: { server: draw.pick(["pool.ntp.org", false]) },
			...(isMutual ? { bridge: bridgeTo(BROKER_ADDRESS, rows.there) } : {}),
		},
		at: 0,
	};
	const firefly = {
		...broker.firefly,
		listen: changed(broker.firefly.listen as JSONObject, isDurable, isRoomy),
		bridge: bridgeTo(HUB_ADDRESS, rows.here),
	};
	const often = (client: ClientPlan): ClientPlan => ({
		...client,
		interval: Math.max(SHORTEST_INTERVAL_MS, Math.min(client.interval, LONGEST_INTERVAL_MS)),
	});
	return {
		...plan,
		boards: [{ ...broker, firefly }, ...nodes, hub],
		clients: [plan.clients[0], often(plan.clients[1])],
		faults: inOrder([
			...plan.faults,
			...drawFaults(new Draw(seed, "hub faults"), [HUB, HUB, broker.name], active, MORE_FAULTS),
		]),
		hub: {
			clients: [
				drawClient(new Draw(seed, "hub subscriber"), "subscriber", active, hasUsers),
				often(drawClient(new Draw(seed, "hub publisher"), "publisher", active, hasUsers)),
			],
			qos,
			isMutual,
		},
	};
}

/** A broker that keeps its state whatever happens, and messages over an outage; or as it was drawn. */
function changed(listen: JSONObject, isDurable: boolean, isRoomy: boolean): JSONObject {
	const queuedMessages = ROOMY_SHARE * Number(listen.sessions);
	return {
		...listen,
		...(isDurable ? { persist: true, persistInterval: "0s" } : {}),
		...(isRoomy ? { queuedPerClient: ROOMY_SHARE, queuedMessages, queuedBytes: 96 * queuedMessages } : {}),
	};
}
