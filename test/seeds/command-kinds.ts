import type { JSONObject, JSONValue } from "../../sim/manifest/manifest-reader";
import type { ExpectedAnswer } from "./command-plan";
import type { Draw } from "./draw";
import { type BoardPlan, PIN_SENSOR, sensorsOf, WEBSOCKET_PORT } from "./seed-plan";

/** What a row may depend on. */
export interface CommandContext {
	readonly node: BoardPlan;
	/** Whether the node takes settings and images, which no broker does. */
	readonly isSensor: boolean;
	/** What `clear` clears at this node. */
	readonly clears: "outbox" | "counters";
	/** An interval that no other `set` of the seed has, by which its settings are known. */
	readonly interval: string;
}

/** A command, without its `id`. */
export interface DrawnCommand {
	/** Members of a JSON object; a text: the message itself. */
	readonly message: JSONObject | string;
	/** Absent: there is no answer. */
	readonly expected?: ExpectedAnswer;
}

/** One kind of message; a further one is one more row. */
export interface CommandKind {
	readonly command: string;
	/** How often it is drawn, compared with the others. */
	readonly weight: number;
	draw(draw: Draw, context: CommandContext): DrawnCommand;
}

function simple(command: string, weight: number): CommandKind {
	return { command, weight, draw: () => ({ message: { command }, expected: "ok" }) };
}

/** What no node takes from a command, or what is wrong. */
const REFUSED_SETTINGS: readonly JSONObject[] = [
	{ topic: "elsewhere/{sensor}" },
	{ sleep: { awakeLimit: "10" } },
	{ broker: { password: "other" } },
	{ broker: { url: "mqtts://192.168.4.2" } },
	{ wifi: { ssid: "elsewhere" } },
	{ sensors: [{ name: "s9", every: "10s" }] },
	{ commands: { trialWakes: 9 } },
	{ backoff: { minimum: "1m", maximum: "1s" } },
	{ colour: "red" },
];

/** What is no command, or lacks what it needs. */
const REFUSED_MESSAGES: readonly (JSONObject | string)[] = [
	"dance",
	"{",
	`identify ${"x".repeat(800)}`,
	{ command: "clear", what: "everything" },
	{ command: "set" },
	{ command: "update", url: "https://192.168.4.70/a", sha256: "0".repeat(64) },
	{ command: "update", url: "http://192.168.4.70/a", sha256: "0" },
];

export const COMMAND_KINDS: readonly CommandKind[] = [
	simple("report-now", 2),
	simple("identify", 1),
	simple("summary", 1),
	{
		command: "clear",
		weight: 1,
		draw: (_, { clears }) => ({
			message: { command: "clear", ...(clears === "outbox" ? {} : { what: clears }) },
			expected: "ok",
		}),
	},
	{
		command: "set",
		weight: 4,
		draw: (draw, context) => ({
			message: { command: "set", settings: drawSettings(draw, context) },
			expected: context.isSensor ? "ok" : "refused",
		}),
	},
	{
		command: "set",
		weight: 1,
		draw: (_, { isSensor }) => ({
			message: { command: "set", settings: {} },
			expected: isSensor ? "ok" : "refused",
		}),
	},
	{
		command: "set",
		weight: 1,
		draw: (draw) => ({
			message: { command: "set", settings: draw.pick(REFUSED_SETTINGS) },
			expected: "refused",
		}),
	},
	{
		command: "",
		weight: 1,
		draw: (draw) => ({ message: draw.pick(REFUSED_MESSAGES), expected: "refused" }),
	},
	{
		command: "",
		weight: 0.5,
		draw: (draw) => ({ message: draw.pick(["", { command: "identify", ok: true }]) }),
	},
];

/** Draws one of the rows. */
export function drawKind(draw: Draw, kinds: readonly CommandKind[]): CommandKind {
	return draw.pick(kinds.flatMap((kind) => Array<CommandKind>(2 * kind.weight).fill(kind)));
}

/** Settings with which a node can report, but for the broker's address: see {@link withoutBroker}. */
function drawSettings(draw: Draw, { node, interval }: CommandContext): JSONObject {
	const { broker, sleep, payload } = node.firefly as { readonly [key: string]: JSONObject };
	const sensors = sensorsOf(node).filter(({ name }) => name !== PIN_SENSOR);
	const hasPin = sensors.length < sensorsOf(node).length;
	const url = String(broker?.url);
	const other = url.includes("broker.home") ? "192.168.4.2" : undefined;
	return {
		sensors: sensors.slice(0, draw.integer(1, sensors.length)).map(({ name }) => ({
			name: String(name),
			every: interval,
			...present("delta", draw.pick([undefined, undefined, 0, 1.5])),
			...present("heartbeat", draw.pick([undefined, "60s"])),
			...present("qos", payload === undefined ? undefined : draw.pick([undefined, 0, 1, 2])),
			...present("retain", draw.pick([undefined, true, false])),
		})),
		...section("sleep", {
			...present("awakeLimit", draw.pick([undefined, "5s", "12s"])),
			...present("commandWindow", draw.pick([undefined, undefined, "0.1s", "1s"])),
			...present("mode", hasPin || sleep === undefined ? undefined : draw.pick(MODES)),
		}),
		...section("broker", {
			...present("url", other === undefined || draw.chance(0.6) ? undefined : urlOf(url, other)),
			...present("version", draw.pick([undefined, undefined, 4, 5])),
			...present("keepAlive", draw.pick([undefined, "5s", "30s"])),
			...present("pipeline", draw.pick([undefined, undefined, "auto", true, false])),
			...present("acknowledgeTimeout", draw.pick([undefined, undefined, "1s", "5s"])),
		}),
		...section("backoff", present("maximum", draw.pick([undefined, "6s", "15s"]))),
		...section("outbox", present("policy", draw.pick([undefined, "dropOldest", "thin"]))),
		...section("time", present("server", draw.pick([undefined, undefined, undefined, false]))),
	};
}

const MODES = [undefined, undefined, undefined, "deep", "light", "none"] as const;

/** Settings with which the node reaches no broker. @param host where none is */
export function withoutBroker(settings: JSONObject, { node }: CommandContext, host: string): JSONObject {
	const { url } = node.firefly.broker as JSONObject;
	return {
		...settings,
		broker: { ...(settings.broker as JSONObject | undefined), url: urlOf(String(url), host) },
	};
}

/** The URL with another host, and the port of WebSockets unless the host has one of its own. */
function urlOf(url: string, host: string): string {
	const isWebSocket = url.startsWith("ws:");
	return `${isWebSocket ? "ws" : "mqtt"}://${host}${isWebSocket && !host.includes(":") ? `:${WEBSOCKET_PORT}` : ""}`;
}

function present(key: string, value: JSONValue | undefined): JSONObject {
	return value === undefined ? {} : { [key]: value };
}

function section(key: string, values: JSONObject): JSONObject {
	return Object.keys(values).length === 0 ? {} : { [key]: values };
}
