import type { JSONObject, JSONValue } from "../../sim/manifest/manifest-reader";
import { parseDuration } from "../../src/config/duration";
import { drawBroker, drawNode } from "./board-draw";
import { addHub } from "./bridge-draw";
import { drawClient, drawOddClient } from "./client-draw";
import { addCommands } from "./command-draw";
import type { ConfigContext } from "./config-rows";
import { addDiscovery } from "./discovery-draw";
import { Draw } from "./draw";
import { drawFaults } from "./fault-draw";
import { addGarbledSensors } from "./garbled-draw";
import { addGuests } from "./guests/guest-draw";
import { addHomie } from "./homie-draw";
import { addHostileClients } from "./hostile-draw";
import { addPins } from "./pin-draw";
import { addResponseTopics } from "./response-draw";
import {
	type BoardPlan,
	LOGINS,
	PUBLISHER_TOPICS,
	SENSOR_PROPERTIES,
	type SeedPlan,
	sensorsOf,
} from "./seed-plan";
import { addLightSleep } from "./sleep-draw";
import { addUnreadableFlash } from "./storage-draw";
import { addTinyPools } from "./tiny-draw";
import { addWebSockets } from "./transport-draw";

/** Wakes of all nodes together that a seed aims at. */
const WAKES = 24;
/**
 * What came later draws from streams of its own: a seed that does not draw it is the run that it was before.
 */
const ADDITIONS: readonly ((plan: SeedPlan) => SeedPlan)[] = [
	addHub,
	addWebSockets,
	addLightSleep,
	addPins,
	addCommands,
	addHostileClients,
	addGarbledSensors,
	addUnreadableFlash,
	addDiscovery,
	addGuests,
	addResponseTopics,
	addTinyPools,
	addHomie,
];

export function drawPlan(seed: number): SeedPlan {
	return ADDITIONS.reduce((plan, add) => add(plan), drawBasis(seed));
}

/** The broker, nodes and clients that each seed has. */
function drawBasis(seed: number): SeedPlan {
	const draw = new Draw(seed, "plan");
	const nodeCount = draw.pick([1, 1, 1, 2, 2, 3]);
	const oddClients = draw.pick([0, 1, 1, 2, 3]);
	const hasUsers = draw.chance(0.1);
	const isBoth = draw.chance(0.15);
	const context: ConfigContext = {
		peers: nodeCount + 3 + oddClients,
		retainedTopics: (nodeCount + 1) * (SENSOR_PROPERTIES.length + 1) + PUBLISHER_TOPICS.length,
		hasUsers,
		keepsSession: false,
		isBroker: false,
		login: LOGINS[0],
	};
	const boards = [drawBroker(seed, context, isBoth)];
	for (let i = 1; i <= nodeCount; i++) boards.push(drawNode(seed, i, context));
	const nodes = boards.filter(({ firefly }) => firefly.role !== "broker");
	const active = Math.max(90_000, Math.min(600_000, (WAKES * shortestPeriod(nodes)) / nodes.length));
	return {
		seed,
		boards,
		clients: [
			drawClient(new Draw(seed, "subscriber"), "subscriber", active, hasUsers),
			drawClient(new Draw(seed, "publisher"), "publisher", active, hasUsers),
		],
		oddClients: Array.from({ length: oddClients }, (_, index) =>
			drawOddClient(new Draw(seed, `odd client ${index}`), active, hasUsers),
		),
		faults: drawFaults(
			new Draw(seed, "faults"),
			boards.map(({ name }) => name),
			active,
		),
		latency: draw.pick([1, 4, 20]),
		active,
		recovery: recoveryTime(nodes),
	};
}

/** ms */
function msOf(value: JSONValue | undefined): number {
	return parseDuration(String(value)) ?? 0;
}

function shortestPeriod(nodes: readonly BoardPlan[]): number {
	return Math.min(...nodes.flatMap((node) => sensorsOf(node).map(({ every }) => msOf(every))));
}

/** Longest waits of the nodes, one after the other, with room to spare. */
function recoveryTime(nodes: readonly BoardPlan[]): number {
	let longest = 0;
	for (const node of nodes) {
		const { backoff } = node.firefly as { readonly backoff?: JSONObject };
		for (const { every } of sensorsOf(node))
			longest = Math.max(longest, 2 * msOf(backoff?.maximum) + 3 * msOf(every));
	}
	return longest + 130_000;
}
