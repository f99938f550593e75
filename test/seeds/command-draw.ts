import type { Fault } from "../../sim/faults/fault";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { parseDuration } from "../../src/config/duration";
import { drawClient } from "./client-draw";
import { COMMAND_KINDS, type CommandContext, drawKind, withoutBroker } from "./command-kinds";
import {
	type CommandPlan,
	type CommandPlans,
	IMAGE_ADDRESS,
	IMAGE_PORT,
	type ImagePlan,
	isUnreachable,
	UNREACHABLE,
	variantsOf,
} from "./command-plan";
import { Draw } from "./draw";
import { inOrder } from "./fault-draw";
import { digestOf, imageOf } from "./image-server";
import { type BoardPlan, type SeedPlan, sensorsOf } from "./seed-plan";

/** Share of the seeds with commands, and of their nodes that take any. */
const SHARE = 0.12;
const NODES = 0.8;
/** Messages for one node, at most: no more than a node remembers, so that each is executed once. */
const MOST = 6;
/** Quiet time before the first one, ms: the node has subscribed. */
const FIRST_MS = 30_000;
/** Share of `set` with which a node cannot report, and of the messages that ask for another image. */
const UNREACHABLE_SHARE = 0.25;
const UPDATE_SHARE = 0.25;
/** Share of the messages that are published twice, and how long after the first time, ms. */
const TWICE_SHARE = 0.15;
const LONGEST_REPETITION_MS = 20_000;
/** Of a node, bytes: for the longest answer. */
const LEAST_BUFFER = 512;
/** Of images: a new one fetches, and reports or does not, within the limits of `update`. */
const UPDATE_AWAKE_LIMIT = "15s";
const UPDATE_TRIES = 2;
/** Places of the broker beside those that the seed has, for the client that commands and for its messages. */
const MORE_PLACES = 2;
/** Messages, and their bytes, that have room for each client. */
const MESSAGES_EACH = 12;
const BYTES_EACH = 4096;

/** Nodes that are told what to do, over any faults, by a well-behaved client. */
export function addCommands(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "commands");
	if (!draw.chance(SHARE)) return plan;
	const hasUsers = plan.clients[0].login !== undefined;
	const boards = plan.boards.map((board) =>
		sensorsOf(board).length > 0 && draw.chance(NODES) ? withCommands(board, draw) : board,
	);
	const commanded = boards.filter(({ firefly }) => firefly.commands !== undefined);
	if (commanded.length === 0) return plan;
	const drawn = new CommandDraw(draw, plan.active);
	for (const node of commanded) drawn.addNode(node);
	const [broker, ...others] = boards as [BoardPlan, ...BoardPlan[]];
	const changed: SeedPlan = {
		...plan,
		boards: [withPlaces(broker, commanded.length), ...others],
		faults: inOrder([...plan.faults, ...drawn.faults]),
		commands: { ...drawn.plans, client: drawClient(draw, "commander", plan.active, hasUsers) },
	};
	return { ...changed, recovery: plan.recovery + trialTime(changed, commanded) };
}

function withCommands(board: BoardPlan, draw: Draw): BoardPlan {
	const { firefly } = board;
	const { sendBuffer, ...broker } = firefly.broker as JSONObject;
	const update = { awakeLimit: UPDATE_AWAKE_LIMIT, tries: UPDATE_TRIES, trialWakes: draw.pick([1, 2, 3]) };
	return {
		...board,
		firefly: {
			...firefly,
			broker: { ...broker, sendBuffer: Math.max(Number(sendBuffer ?? LEAST_BUFFER), LEAST_BUFFER) },
			commands: { trialWakes: draw.pick([1, 2, 3]) },
			...(firefly.role === "sensor" && draw.chance(0.7) ? { update } : {}),
		},
	};
}

/** The broker with room for what the client that commands, and the nodes' answers, need. */
function withPlaces(broker: BoardPlan, nodes: number): BoardPlan {
	const listen = broker.firefly.listen as unknown as Readonly<Record<string, number>>;
	const more = (key: string, count: number): JSONObject => ({ [key]: listen[key]! + count });
	const sessions = listen.sessions! + MORE_PLACES;
	const queuedMessages = Math.max(listen.queuedMessages!, MESSAGES_EACH * sessions);
	return {
		...broker,
		firefly: {
			...broker.firefly,
			listen: {
				...(broker.firefly.listen as JSONObject),
				...more("connections", MORE_PLACES),
				...more("sessions", MORE_PLACES),
				...more("subscriptions", 2 * MORE_PLACES + nodes),
				...more("sessionBytes", 256 * MORE_PLACES),
				...more("filterLevels", 8 * (MORE_PLACES + nodes)),
				...more("filterBytes", 64 * (MORE_PLACES + nodes)),
				...more("retainedTopics", nodes),
				...more("retainedBytes", 1024 * nodes),
				queuedMessages,
				queuedBytes: 96 * queuedMessages + BYTES_EACH * sessions,
			},
		},
	};
}

/** Longest time in which nodes return from settings and images with which they cannot report, ms. */
function trialTime(plan: SeedPlan, nodes: readonly BoardPlan[]): number {
	let longest = 0;
	for (const node of nodes) {
		const variants = variantsOf(plan, node);
		const ms = (read: (firefly: JSONObject) => unknown): number =>
			Math.max(...variants.map(({ firefly }) => parseDuration(String(read(firefly))) ?? 0));
		const every = Math.max(
			...variants.flatMap((board) => sensorsOf(board).map((sensor) => parseDuration(String(sensor.every))!)),
		);
		const wake =
			every +
			ms(({ sleep }) => (sleep as JSONObject | undefined)?.awakeLimit ?? "8s") +
			ms(({ backoff }) => (backoff as JSONObject).maximum);
		const { commands, update } = node.firefly as { readonly [key: string]: JSONObject };
		const settings = variants.filter(({ firefly }) => isUnreachable(firefly)).length;
		const images = plan.commands!.commands.filter(
			({ node: name, image }) => name === node.name && image !== undefined,
		).length;
		const fetching = UPDATE_TRIES * (wake + parseDuration(UPDATE_AWAKE_LIMIT)!);
		const time =
			(settings * Number(commands!.trialWakes) + Math.min(images, 1) * Number(update?.trialWakes ?? 0)) *
				wake +
			images * fetching;
		longest = Math.max(longest, time);
	}
	return longest;
}

/** Draws the messages for one node after the other. */
class CommandDraw {
	readonly faults: Fault[] = [];
	readonly #draw: Draw;
	readonly #active: number;
	readonly #commands: CommandPlan[] = [];
	readonly #images: ImagePlan[] = [];
	#lastId = 0;
	#lastInterval = 10;

	constructor(draw: Draw, active: number) {
		this.#draw = draw;
		this.#active = active;
	}

	get plans(): Omit<CommandPlans, "client"> {
		return { commands: this.#commands.sort((a, b) => a.at - b.at), images: this.#images };
	}

	addNode(node: BoardPlan): void {
		const draw = this.#draw;
		const isSensor = node.firefly.role === "sensor";
		const clears = draw.pick(["outbox", "counters"] as const);
		for (let left = draw.integer(1, MOST); left > 0; left--) {
			const context: CommandContext = { node, isSensor, clears, interval: `${++this.#lastInterval}s` };
			const isUpdate = draw.chance(UPDATE_SHARE);
			const command = isUpdate ? this.#drawUpdate(context) : this.#drawCommand(context);
			this.#commands.push(command);
			if (command.id === undefined || !draw.chance(TWICE_SHARE)) continue;
			left--;
			this.#commands.push({ ...command, at: command.at + draw.integer(0, LONGEST_REPETITION_MS) });
		}
	}

	#drawCommand(context: CommandContext): CommandPlan {
		const draw = this.#draw;
		const kind = drawKind(draw, COMMAND_KINDS);
		let { message, expected } = kind.draw(draw, context);
		if (typeof message === "string") return this.#plan(context, kind.command, message, undefined, expected);
		const { settings } = message as { readonly settings?: JSONObject };
		const isWorking = expected === "ok" && settings !== undefined && Object.keys(settings).length > 0;
		if (isWorking && draw.chance(UNREACHABLE_SHARE))
			message = { ...message, settings: withoutBroker(settings, context, draw.pick(UNREACHABLE)) };
		return this.#plan(context, kind.command, message, message.settings as JSONObject, expected);
	}

	#drawUpdate(context: CommandContext): CommandPlan {
		const draw = this.#draw;
		const image: ImagePlan = {
			path: `/${this.#images.length}.bin`,
			size: draw.integer(300, 12_000),
			answer: draw.pick(["good", "good", "missing", "busy", "cut", "stalled"]),
			badRequests: draw.integer(1, 3),
			isWrong: draw.chance(0.2),
		};
		this.#images.push(image);
		const { node } = context;
		if (draw.chance(0.4)) this.#addImageFault(node);
		const sha256 = digestOf(imageOf(image));
		const url = `http://${IMAGE_ADDRESS}:${IMAGE_PORT}${image.path}`;
		const message = { command: "update", url, sha256: image.isWrong ? sha256.replace(/../g, "0f") : sha256 };
		// One that is being fetched, or on trial, stands in its way
		const expected = node.firefly.update === undefined ? "refused" : "either";
		return { ...this.#plan(context, "update", message, undefined, expected), image: image.path };
	}

	/** The new image does not start, or reaches nobody, for long. */
	#addImageFault({ name }: BoardPlan): void {
		const draw = this.#draw;
		const at = 100 * draw.integer(FIRST_MS / 100, Math.floor(this.#active / 100) - 10);
		this.faults.push({
			name: draw.pick(["image-crash", "image-mute"]),
			duration: Math.max(100, 100 * draw.integer(10, Math.floor((this.#active - at) / 100))),
			at,
			board: name,
		});
	}

	#plan(
		{ node }: CommandContext,
		command: string,
		message: JSONObject | string,
		settings: JSONObject | undefined,
		expected: CommandPlan["expected"],
	): CommandPlan {
		const draw = this.#draw;
		const id = typeof message === "string" || draw.chance(0.1) ? undefined : ++this.#lastId;
		const json = id === undefined ? message : { ...(message as JSONObject), id };
		return {
			at: draw.integer(FIRST_MS, this.#active),
			node: node.name,
			command,
			payload: typeof json === "string" ? json : JSON.stringify(json),
			...(id === undefined ? {} : { id }),
			qos: draw.pick([0, 1, 1, 1, 2, 2]),
			retain: draw.chance(0.15),
			...(expected === undefined ? {} : { expected }),
			...(settings === undefined || expected === "refused" ? {} : { settings }),
		};
	}
}
