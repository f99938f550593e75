import type { JSONObject, JSONValue } from "../../sim/manifest/manifest-reader";
import type { Draw } from "./draw";

/** What rows may depend on besides the keys drawn before. */
export interface ConfigContext {
	/** Nodes, clients and odd clients together. */
	readonly peers: number;
	/** Topics with a retained value, at most. */
	readonly retainedTopics: number;
	readonly hasUsers: boolean;
	/** Of a sensor: whether its node has a session that outlives the connection, which QoS 2 needs. */
	readonly keepsSession: boolean;
	/** Whether this is the board with the broker, which reports to itself. */
	readonly isBroker: boolean;
	/** User name and password of a node where {@link hasUsers}. */
	readonly login: readonly [name: string, password: string];
}

/** One key of the configuration. `value` undefined: it is left out. */
export interface ConfigRow {
	/** Path below `config.firefly`, or below the sensor. */
	readonly key: string;
	/** @param drawn what the rows before have drawn, by key */
	value(draw: Draw, context: ConfigContext, drawn: ReadonlyMap<string, JSONValue>): JSONValue | undefined;
}

function row(key: string, value: ConfigRow["value"]): ConfigRow {
	return { key, value };
}

/** A key with one of a few values, each equally likely; undefined leaves it out. */
function oneOf(key: string, ...values: readonly (JSONValue | undefined)[]): ConfigRow {
	return row(key, (draw) => draw.pick(values));
}

/** Draws all rows into one object. */
export function drawConfig(rows: readonly ConfigRow[], draw: Draw, context: ConfigContext): JSONObject {
	const drawn = new Map<string, JSONValue>();
	const config: Record<string, JSONValue> = {};
	for (const { key, value } of rows) {
		const chosen = value(draw, context, drawn);
		if (chosen === undefined) continue;
		drawn.set(key, chosen);
		const path = key.split(".");
		let at = config;
		for (const name of path.slice(0, -1)) {
			at[name] ??= {};
			at = at[name] as Record<string, JSONValue>;
		}
		at[path[path.length - 1]!] = chosen;
	}
	return config;
}

/** Of a node; a further key of the configuration is one more row. */
export const NODE_ROWS: readonly ConfigRow[] = [
	row("wifi.ssid", (draw, { isBroker }) => (draw.chance(isBroker ? 0.3 : 0.9) ? "home" : undefined)),
	oneOf("sleep.mode", "deep", "deep", "deep", "none"),
	oneOf("sleep.awakeLimit", "3s", "8s", "8s", "20s"),
	row("broker.url", (draw, { isBroker }) =>
		!isBroker && draw.chance(0.4) ? "mqtt://broker.home" : "mqtt://192.168.4.2",
	),
	oneOf("broker.version", 4, 5),
	oneOf("broker.keepAlive", "5s", "10s", "30s"),
	oneOf("broker.pipeline", "auto", "auto", true, false),
	oneOf("broker.cleanStart", true, false),
	row("broker.sessionExpiry", (draw, _, drawn) =>
		drawn.get("broker.cleanStart") === false && drawn.get("broker.version") === 5
			? draw.pick(["10m", "1h"])
			: undefined,
	),
	row("broker.username", (_, { hasUsers, login }) => (hasUsers ? login[0] : undefined)),
	row("broker.password", (_, { hasUsers, login }) => (hasUsers ? login[1] : undefined)),
	row("broker.will.topic", (draw) => (draw.chance(0.3) ? "status/{id}" : undefined)),
	oneOf("broker.connectTimeout", undefined, "2s", "5s"),
	oneOf("broker.acknowledgeTimeout", undefined, "1s", "5s"),
	oneOf("broker.sendBuffer", undefined, 256, 1024),
	oneOf("broker.inFlight", undefined, 1, 3, 16),
	oneOf("topic", "home/{id}/{sensor}", "home/{id}/{sensor}", "home/{id}"),
	row("payload", (draw, _, drawn) =>
		draw.pick(
			drawn.get("topic") === "home/{id}" ? ["json", "history"] : ["value", "value", "json", "history"],
		),
	),
	oneOf("outbox.policy", "dropOldest", "thin"),
	oneOf("outbox.size", 256, 512, 1024, 4096),
	oneOf("backoff.minimum", "1s", "5s"),
	oneOf("backoff.maximum", "5s", "15s", "15s"),
	oneOf("time.server", "pool.ntp.org", "pool.ntp.org", "pool.ntp.org", false),
	// The broker's flash may fail.
	row("outbox.storage", (draw, { isBroker }) => (!isBroker && draw.chance(0.3) ? "flash" : undefined)),
];

/** Of a sensor. */
export const SENSOR_ROWS: readonly ConfigRow[] = [
	oneOf("every", "10s", "15s", "30s", "60s"),
	oneOf("grid", undefined, undefined, true),
	oneOf("delta", undefined, undefined, 1.5, 4),
	row("heartbeat", (draw, _, drawn) =>
		drawn.has("delta") ? draw.pick([undefined, "60s", "3m"]) : undefined,
	),
	oneOf("decimals", undefined, 0, 2),
	row("qos", (draw, { keepsSession }) => draw.pick(keepsSession ? [0, 1, 2, 2, 2] : [0, 1, 1, 1])),
	oneOf("retain", undefined, true, false),
];

/** Of the broker, below `listen`. Each well-behaved client has the room that it needs. */
export const LISTEN_ROWS: readonly ConfigRow[] = [
	row("connections", (draw, { peers }) => peers + draw.integer(2, 6)),
	oneOf("handshakes", undefined, 1, 2, 4),
	row("sessions", (draw, _, drawn) => Number(drawn.get("connections")) + draw.integer(0, 8)),
	row("subscriptions", (draw, _, drawn) => 4 * Number(drawn.get("connections")) + draw.integer(0, 16)),
	row("sessionBytes", (_, __, drawn) => 96 * Number(drawn.get("sessions"))),
	row("filterLevels", (_, __, drawn) => 4 * Number(drawn.get("subscriptions"))),
	row("filterBytes", (_, __, drawn) => 24 * Number(drawn.get("subscriptions"))),
	row("retainedTopics", (draw, { retainedTopics }) => retainedTopics + draw.integer(8, 24)),
	row("retainedBytes", (_, __, drawn) => 320 * Number(drawn.get("retainedTopics"))),
	oneOf("inFlight", undefined, 1, 4, 16),
	// Not less than a client's inFlight: one of MQTT 3.1.1 cannot be told, and would be closed.
	oneOf("receiveMaximum", undefined, 16, 32),
	row("queuedPerClient", (draw) => draw.integer(16, 64)),
	row(
		"queuedMessages",
		(draw, _, drawn) => Number(drawn.get("sessions")) * draw.pick([4, 8, 16]) + draw.integer(0, 32),
	),
	row("queuedBytes", (_, __, drawn) => 96 * Number(drawn.get("queuedMessages"))),
	oneOf("packetSize", undefined, 512, 1024),
	oneOf("topicAliases", undefined, 0, 4),
	oneOf("assemblyBytes", undefined, 256, 2048),
	oneOf("turnPackets", undefined, 1, 4, 64),
	oneOf("turnBytes", undefined, 512),
	oneOf("connectTimeout", undefined, "2s", "10s"),
	oneOf("keepAliveLimit", undefined, "30s", "2m"),
	oneOf("sessionExpiryLimit", "20m", "40m"),
	oneOf("systemInterval", "1s", "5s"),
	oneOf("lastValue", undefined, undefined, "every"),
	oneOf("persist", false, false, true),
	row("persistInterval", (draw, _, drawn) =>
		drawn.get("persist") === true ? draw.pick(["0s", "0s", "1s", "1m"]) : undefined,
	),
	row("anonymous", (_, { hasUsers }) => !hasUsers),
];

/** Of a broker with a bridge, below `bridge`. */
export const BRIDGE_ROWS: readonly ConfigRow[] = [
	oneOf("version", 4, 5, 5),
	oneOf("keepAlive", "5s", "10s", "30s"),
	oneOf("sessionExpiry", "1h", "7d"),
	oneOf("connectTimeout", undefined, "2s", "5s"),
	oneOf("acknowledgeTimeout", undefined, "1s", "5s"),
	oneOf("pingTimeout", "2s", "5s"),
	oneOf("retryMinimum", "100ms", "1s"),
	oneOf("retryMaximum", "5s", "15s"),
	oneOf("inFlight", undefined, 1, 3, 16),
];
