import type { TimedEvent } from "../../sim/report/events";
import type { CommandPlan } from "./command-plan";
import { commandsTo, replyTopic } from "./command-plan";
import { answerTopic, commandTopic } from "./commander";
import type { BoardPlan } from "./seed-plan";
import type { PublishedMessage } from "./well-behaved-client";
import type { SeedRun } from "./world";

/** What a node has answered. */
export interface Answer {
	/** When it was received, ms since 1970; where, and with which correlation data. */
	readonly time: number;
	readonly topic: string;
	readonly correlation?: string;
	readonly command: string | null;
	readonly id?: number;
	readonly ok: boolean;
	readonly error?: string;
	readonly state?: "accepted" | "running" | "failed";
	readonly duplicate?: boolean;
	readonly summary?: Readonly<Record<string, number>>;
}

/** In the order in which they came; a text that is no JSON throws. */
export function answersOf({ commander }: SeedRun, node: string): readonly Answer[] {
	const usual = answerTopic(node);
	const asked = replyTopic(node, "");
	return (commander?.received ?? [])
		.filter(({ topic }) => topic === usual || topic.startsWith(asked))
		.map(({ time, topic, payload, correlation }) => ({
			...(JSON.parse(payload) as Omit<Answer, "time" | "topic">),
			time,
			topic,
			...(correlation === undefined ? {} : { correlation }),
		}));
}

/** The first message with each command to a node that has an `id`, and what became of it. */
export function publishedCommands(
	{ plan, commander }: SeedRun,
	node: string,
): readonly { readonly command: CommandPlan; readonly message: PublishedMessage }[] {
	const topic = commandTopic(node);
	return commandsTo(plan, node).flatMap((command, index, all) => {
		if (command.id === undefined || all.findIndex(({ id }) => id === command.id) < index) return [];
		const message = commander?.published.find(
			(each) => each.topic === topic && each.payload === command.payload,
		);
		return message === undefined ? [] : [{ command, message }];
	});
}

/** Boards that take commands. */
export function commandedBoards({ plan }: SeedRun): readonly BoardPlan[] {
	return plan.boards.filter(({ firefly }) => firefly.commands !== undefined);
}

/** Faults that may cut a turn of the firmware short. */
const CUTS = ["power", "brown-out", "reset", "torn-write"];
/** Faults of flash. */
const OF_STORAGE = ["storage", "storage-read", "flash-full", "torn-write"];

/** How often the run of a board may be cut short in the middle of what it does. */
export function cutsOf({ plan }: SeedRun, { name }: BoardPlan): number {
	return plan.faults.filter((fault) => CUTS.includes(fault.name) && (fault.board ?? name) === name).length;
}

/** Whether what a board stores may be lost. */
export function storageFails({ plan }: SeedRun, { name, firefly }: BoardPlan): boolean {
	return plan.faults.some(
		(fault) =>
			OF_STORAGE.includes(fault.name) &&
			(fault.board === name || (fault.board === undefined && firefly.role !== "sensor")),
	);
}

/** Times at which a board forgot what is in retained memory: it had no power. The first start is none. */
export function powerLosses({ events }: SeedRun, { name }: BoardPlan): readonly number[] {
	const isLoss = (event: TimedEvent): boolean =>
		event.node === name &&
		event.type === "boot" &&
		(event.reason === "power-on" || event.reason === "brown-out");
	return events
		.filter(isLoss)
		.map(({ time }) => time)
		.slice(1);
}
