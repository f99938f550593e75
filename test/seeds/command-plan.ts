import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { BoardPlan, ClientPlan, SeedPlan } from "./seed-plan";

/** What the nodes of a seed are told to do, and by whom. */
export interface CommandPlans {
	readonly client: ClientPlan;
	/** In the order of their times. */
	readonly commands: readonly CommandPlan[];
	/** What the server of images has, by path. */
	readonly images: readonly ImagePlan[];
}

/** What a node is to answer: it does as it is told, it refuses, or it may do either. */
export type ExpectedAnswer = "ok" | "refused" | "either";

/** A message on the topic of a node's commands. */
export interface CommandPlan {
	/** ms from the start */
	readonly at: number;
	/** Name of the board. */
	readonly node: string;
	/** Name of the command; empty: the message is none. */
	readonly command: string;
	readonly payload: string;
	/** As the answer has it; absent: the command has none. */
	readonly id?: number;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
	/** Absent: there is no answer. */
	readonly expected?: ExpectedAnswer;
	/** Of `set`, as the message has them. */
	readonly settings?: JSONObject;
	/** Of `update`: path of its image. */
	readonly image?: string;
	/** Where its answer is to go; absent: to the topic of all answers. */
	readonly response?: ResponsePlan;
}

/** Response Topic and Correlation Data of a command. */
export interface ResponsePlan {
	readonly topic: string;
	readonly correlation?: string;
}

/** Response topics of commands to a node. */
export const replyTopic = (node: string, name: string): string => `replies/${node}/${name}`;

/** An image, and how the server answers a request for it. */
export interface ImagePlan {
	readonly path: string;
	/** Bytes of its first segment. */
	readonly size: number;
	/** "good": sends it. "missing": 404. "busy": 503. "cut": closes in the middle. "stalled": stops there. */
	readonly answer: "good" | "missing" | "busy" | "cut" | "stalled";
	/** Requests that are answered so; later ones are answered with the image. */
	readonly badRequests: number;
	/** It has another SHA-256 than the command says. */
	readonly isWrong: boolean;
}

/** Where the server of images is. */
export const IMAGE_ADDRESS = "192.168.4.70";
export const IMAGE_PORT = 8070;
/** Hosts that do not exist, or refuse connections: with these settings no node can report. */
export const UNREACHABLE = ["192.168.4.99", "nowhere.home", "192.168.4.2:9"] as const;

export function commandsTo({ commands }: SeedPlan, node: string): readonly CommandPlan[] {
	return commands === undefined ? [] : commands.commands.filter((command) => command.node === node);
}

/** The configuration of a board with what `set` changes; sensors are known by their names. */
export function withSettings(firefly: JSONObject, settings: JSONObject): JSONObject {
	const changed: Record<string, JSONObject[string]> = { ...firefly };
	for (const [key, value] of Object.entries(settings)) {
		if (key !== "sensors") {
			changed[key] = { ...(firefly[key] as JSONObject | undefined), ...(value as JSONObject) };
			continue;
		}
		const given = value as unknown as readonly JSONObject[];
		changed[key] = (firefly.sensors as unknown as readonly JSONObject[]).map((sensor) => ({
			...sensor,
			...given.find(({ name }) => name === sensor.name),
		}));
	}
	return changed;
}

/** A board as it is configured, and as each `set` may change it that it is to take. */
export function variantsOf(plan: SeedPlan, board: BoardPlan): readonly BoardPlan[] {
	const variants = commandsTo(plan, board.name).flatMap(({ settings, expected }) =>
		settings === undefined || expected === "refused"
			? []
			: [{ ...board, firefly: withSettings(board.firefly, settings) }],
	);
	return [board, ...variants];
}

/** Whether a node with this configuration can report to nobody. */
export function isUnreachable({ broker }: JSONObject): boolean {
	const url = String((broker as JSONObject | undefined)?.url);
	return UNREACHABLE.some((host) => url.includes(`//${host}`));
}
