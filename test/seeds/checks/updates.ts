import { type Answer, answersOf, commandedBoards, powerLosses, storageFails } from "../command-answers";
import { commandsTo } from "../command-plan";
import type { BoardPlan } from "../seed-plan";
import type { SeedRun } from "../world";
import type { Check } from "./check";
import { brokerForgot } from "./queues";
import { clock } from "./reports";

/** SHA-256 of the images that a node was told to take, by the `id` of the command. */
function digestsOf({ plan }: SeedRun, { name }: BoardPlan): ReadonlyMap<number | undefined, string> {
	return new Map(
		commandsTo(plan, name)
			.filter(({ image }) => image !== undefined)
			.map(({ id, payload }) => [id, (JSON.parse(payload) as { readonly sha256: string }).sha256]),
	);
}

/** The last outcome that a node has told of an image; undefined: none. */
function lastOutcome(answers: readonly Answer[]): Answer | undefined {
	return answers.findLast(({ state }) => state === "running" || state === "failed");
}

/** A node ends with the image that it has last said to run, or with the one that was flashed by cable. */
export const imagesAreRight: Check = {
	name: "the image that runs is the one that was asked for and has reported",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const { sha256, isOnTrial } = run.images.get(name)!;
			const digests = digestsOf(run, board);
			const phases = run.events.flatMap((event) =>
				event.node === name && event.type === "update" ? [event.phase] : [],
			);
			if (isOnTrial) failures.push(`${name}: the image is on trial to the end`);
			if (sha256 !== undefined && ![...digests.values()].includes(sha256))
				failures.push(`${name} runs an image that nobody has asked for`);
			if (sha256 !== undefined && !phases.includes("confirmed"))
				failures.push(`${name} runs an image that was never confirmed`);
			if (brokerForgot(run, "broker") || powerLosses(run, board).length > 0 || storageFails(run, board))
				continue;
			const running = answersOf(run, name).findLast(({ state }) => state === "running");
			if (
				running?.id === undefined
					? phases.includes("confirmed") && digests.size === 1 && !digests.has(undefined)
					: digests.get(running.id) !== sha256
			)
				failures.push(
					`${name} runs ${sha256 ?? "the image of the cable"}, and its last answer is ${JSON.stringify(running)}`,
				);
		}
		return failures;
	},
};

/** Each image that a node has agreed to take runs in the end, or its node says why not. */
export const updatesEnd: Check = {
	name: "updates end, and the node says how",
	run(run) {
		const failures: string[] = [];
		if (brokerForgot(run, "broker")) return failures;
		for (const board of commandedBoards(run)) {
			const { name } = board;
			if (storageFails(run, board)) continue;
			const answers = answersOf(run, name);
			const accepted = answers.filter(({ state, duplicate }) => state === "accepted" && !duplicate);
			// A new command replaces one whose image was not fetched yet
			const last = accepted.at(-1);
			if (last?.id === undefined || powerLosses(run, board).length > 0) continue;
			const outcome = lastOutcome(answers.slice(answers.indexOf(last)));
			if (outcome === undefined)
				failures.push(`${name}: nothing is known of the image that it accepted at ${clock(last.time)}`);
		}
		return failures;
	},
};
