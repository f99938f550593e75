import type { JSONObject } from "../../../sim/manifest/manifest-reader";
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
			// Several commands may have no `id`
			const isAsked = commandsTo(run.plan, name).some(
				({ image, payload }) => image && payload.includes(`"${sha256}"`),
			);
			if (sha256 !== undefined && !isAsked) failures.push(`${name} runs an image that nobody has asked for`);
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

/** An image that cannot report is returned from after `update.trialWakes` wakes that have tried. */
export const imagesAreOnTrial: Check = {
	name: "images are returned from if no report is acknowledged with them",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			if (storageFails(run, board)) continue;
			const { name, firefly } = board;
			const limit = Number((firefly.update as JSONObject | undefined)?.trialWakes);
			let isOnTrial = false;
			// Settings that came later are blamed first
			let areSettingsOnTrial = false;
			let failed = 0;
			let hasFailed = false;
			for (const event of run.events) {
				if (event.node !== name) continue;
				if (event.type === "update") {
					isOnTrial = event.phase === "activated";
					failed = 0;
				}
				if (event.type === "boot" && event.reason !== "deep-sleep") failed = 0;
				if (event.type === "command" && event.command === "set" && event.accepted) areSettingsOnTrial = true;
				if (event.type === "acknowledged" || (event.type === "command" && event.command === "restored"))
					areSettingsOnTrial = false;
				if (event.type === "failed" && !hasFailed && !areSettingsOnTrial) {
					failed++;
					hasFailed = true;
				}
				if (event.type !== "wake") continue;
				hasFailed = false;
				if (isOnTrial && failed >= limit)
					failures.push(`${name}: the image is still on trial at ${clock(event.time)} after ${failed} wakes`);
			}
		}
		return failures.slice(0, 3);
	},
};
