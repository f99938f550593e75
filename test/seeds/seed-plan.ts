import type { Fault } from "../../sim/faults/fault";
import type { JSONObject, JSONValue } from "../../sim/manifest/manifest-reader";
import { deterministicHash } from "../../sim/password";
import { parseDuration } from "../../src/config/duration";
import { type ConfigContext, drawConfig, LISTEN_ROWS, NODE_ROWS, SENSOR_ROWS } from "./config-rows";
import { Draw } from "./draw";
import { drawFaults } from "./fault-draw";
import { ODD_CLIENT_KINDS, type OddClientKind } from "./odd-client-kinds";

/** Everything that a seed decides; the same plan gives the same run, byte for byte. */
export interface SeedPlan {
	readonly seed: number;
	/** `config.firefly` of each board; the first is that of the broker. */
	readonly boards: readonly BoardPlan[];
	readonly clients: readonly ClientPlan[];
	readonly oddClients: readonly OddClientPlan[];
	readonly faults: readonly Fault[];
	/** One-way latency, ms. */
	readonly latency: number;
	/** Time with faults, ms. */
	readonly active: number;
	/** Time after the last fault in which everything must recover, ms. */
	readonly recovery: number;
}

export interface BoardPlan {
	readonly name: string;
	readonly address: string;
	readonly mac: string;
	readonly firefly: JSONObject;
	/** When its power comes on, ms. */
	readonly at: number;
}

/** A well-behaved client. */
export interface ClientPlan {
	readonly role: "subscriber" | "publisher";
	readonly version: 4 | 5;
	/** s */
	readonly keepAlive: number;
	readonly inFlight: number;
	/** Interval between two messages of a publisher, ms. */
	readonly interval: number;
	readonly login: readonly [name: string, password: string] | undefined;
}

export interface OddClientPlan {
	readonly kind: OddClientKind;
	readonly at: number;
	readonly duration: number;
	readonly login: readonly [name: string, password: string] | undefined;
}

/** Properties that the sensors have; a plan's sensors take them in this order. */
export const SENSOR_PROPERTIES = ["p0", "p1", "p2"] as const;
export const BROKER_ADDRESS = "192.168.4.2";
export const PUBLISHER_TOPICS = ["pub/0", "pub/1", "pub/2"] as const;

/** Wakes of all nodes together that a seed aims at. */
const WAKES = 24;
const LOGINS = [
	["garden", "rosemary"],
	["house", "thyme"],
] as const;

export function drawPlan(seed: number): SeedPlan {
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

function drawBroker(seed: number, context: ConfigContext, isBoth: boolean): BoardPlan {
	const draw = new Draw(seed, "broker");
	const listen = drawConfig(LISTEN_ROWS, draw, context);
	const users = Object.fromEntries(
		context.hasUsers ? LOGINS.map(([name, password]) => [name, deterministicHash(name, password)]) : [],
	);
	const own = isBoth ? drawNodeConfig(new Draw(seed, "node 0"), { ...context, isBroker: true }) : {};
	return {
		name: "broker",
		address: BROKER_ADDRESS,
		mac: "02f1ef1f00b0",
		firefly: {
			...own,
			id: "broker",
			role: isBoth ? "both" : "broker",
			listen: { ...listen, ...(context.hasUsers ? { users } : {}) },
			...(isBoth ? { sleep: { mode: "none" } } : { time: { server: draw.pick(["pool.ntp.org", false]) } }),
		},
		at: 0,
	};
}

function drawNode(seed: number, number: number, context: ConfigContext): BoardPlan {
	const draw = new Draw(seed, `node ${number}`);
	return {
		name: `n${number}`,
		address: `192.168.4.${10 + number}`,
		mac: `02f1ef1f000${number}`,
		firefly: { ...drawNodeConfig(draw, context), id: `n${number}`, role: "sensor" },
		at: 12_000 + draw.integer(0, 8000),
	};
}

function drawNodeConfig(draw: Draw, context: ConfigContext): JSONObject {
	const config = drawConfig(NODE_ROWS, draw, context);
	const { cleanStart } = config.broker as { readonly cleanStart: boolean };
	const count = draw.integer(1, SENSOR_PROPERTIES.length);
	const sensors = Array.from(
		{ length: count },
		(_, index): JSONObject => ({
			name: `s${index}`,
			driver: "virtual",
			property: SENSOR_PROPERTIES[index]!,
			...drawConfig(SENSOR_ROWS, draw, { ...context, keepsSession: !cleanStart }),
		}),
	);
	return { ...config, sensors };
}

function drawClient(draw: Draw, role: ClientPlan["role"], active: number, hasUsers: boolean): ClientPlan {
	return {
		role,
		version: draw.pick([4, 5]),
		keepAlive: draw.pick([5, 10, 20]),
		inFlight: draw.pick([1, 4, 16]),
		interval: Math.round(active / draw.pick([10, 30, 90])),
		login: hasUsers ? LOGINS[1] : undefined,
	};
}

function drawOddClient(draw: Draw, active: number, hasUsers: boolean): OddClientPlan {
	const at = draw.integer(4000, Math.floor(active * 0.7));
	const kind = draw.pick(ODD_CLIENT_KINDS);
	return {
		kind,
		at,
		duration: Math.min(draw.integer(5000, kind === "flooding" ? 15_000 : 60_000), active - at),
		login: hasUsers ? draw.pick([LOGINS[1], [LOGINS[1][0], "wrong"], undefined]) : undefined,
	};
}

/** ms */
function msOf(value: JSONValue | undefined): number {
	return parseDuration(String(value)) ?? 0;
}

export function sensorsOf({ firefly }: BoardPlan): readonly JSONObject[] {
	return Array.isArray(firefly.sensors) ? (firefly.sensors as JSONObject[]) : [];
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
