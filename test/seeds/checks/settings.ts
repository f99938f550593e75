import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { parseDuration } from "../../../src/config/duration";
import { answersOf, commandedBoards, cutsOf, storageFails } from "../command-answers";
import { commandsTo, isUnreachable } from "../command-plan";
import { SettingsHistory } from "../effective-settings";
import { PIN_SENSOR, sensorsOf } from "../seed-plan";
import type { Check } from "./check";
import { SAMPLING_MS } from "./commands";
import { clock } from "./reports";

/** What is answered with "ok" is stored, and what is refused is not. */
export const settingsAreStored: Check = {
	name: "settings are stored as the answer says",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const stored = (run.settings.get(name) ?? []).map(({ time, settings }) => ({
				time,
				text: JSON.stringify(settings),
			}));
			const commands = commandsTo(run.plan, name).filter(({ command }) => command === "set");
			for (const { id, ok, duplicate, time } of answersOf(run, name)) {
				const command = commands.find((each) => each.id === id);
				if (command === undefined || duplicate || id === undefined) continue;
				const { settings = {} } = JSON.parse(command.payload) as { readonly settings?: JSONObject };
				const text = JSON.stringify(settings);
				const at = stored.find((each) => each.text === text && each.time <= time);
				if (ok && at === undefined)
					failures.push(`${name} has not stored what it answered at ${clock(time)}: ${command.payload}`);
				if (!ok && at !== undefined && command.expected === "refused" && text !== "{}")
					failures.push(`${name} has stored what it refused at ${clock(time)}: ${command.payload}`);
			}
		}
		return failures.slice(0, 3);
	},
};

/**
 * Settings with which a node cannot report are given up after `trialWakes` wakes that have tried, and those
 * with which it has reported are not.
 */
export const settingsAreOnTrial: Check = {
	name: "settings are given up if no report is acknowledged with them",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			if (storageFails(run, board)) continue;
			const { name, firefly } = board;
			const limit = Number((firefly.commands as JSONObject).trialWakes);
			const history = new SettingsHistory(run, board);
			/** Wakes with the present settings, and those of them that have failed, or tries without sleep. */
			let wakes = 0;
			let failed = 0;
			let failedInWake = false;
			let confirmedAt = 0;
			/** Others were stored, and no wake with them has come so far that it says so. */
			let isReplaced = false;
			let span = history.spans[0]!;
			for (const event of run.events) {
				if (event.node !== name) continue;
				const { time } = event;
				if (event.type === "boot" && event.reason !== "deep-sleep") {
					// It may have cut the turn of the acknowledgement, and has forgotten how many tries there were
					if (confirmedAt === time) confirmedAt = 0;
					failed = 0;
				}
				if (event.type === "command" && event.command === "restored") {
					if (confirmedAt > 0 && !isReplaced)
						failures.push(`${name}: gave up at ${clock(time)} what was confirmed at ${clock(confirmedAt)}`);
					if (Math.max(wakes, failed) + cutsOf(run, board) < limit)
						failures.push(`${name}: gave up settings at ${clock(time)} after ${wakes} wakes of ${limit}`);
				}
				if (event.type === "command" && event.command === "set" && event.accepted) {
					failed = 0;
					isReplaced = true;
				}
				if (event.type === "acknowledged" && confirmedAt === 0) confirmedAt = time;
				if (event.type === "failed" && !(failedInWake && isDeep(span.firefly))) {
					failed++;
					failedInWake = true;
				}
				if (event.type !== "wake") continue;
				failedInWake = isReplaced = false;
				const present = history.at(time);
				if (present !== span) {
					span = present;
					wakes = failed = confirmedAt = 0;
				}
				wakes++;
				if (span.settings !== undefined && confirmedAt === 0 && failed >= limit)
					failures.push(
						`${name}: settings are still on trial at ${clock(time)} after ${failed} wakes in vain`,
					);
			}
			if (isUnreachable(span.firefly)) failures.push(`${name}: ends with settings that reach no broker`);
		}
		return failures.slice(0, 3);
	},
};

function isDeep({ sleep }: JSONObject): boolean {
	return (sleep as JSONObject | undefined)?.mode === "deep";
}

/** Intervals of a sensor are judged over so long, ms: the end of a wake does not matter then. */
const LEAST_SPAN_MS = 84_000;
/** By so much the last sample may come early, ms: the one before the first was late. */
const LATE_MS = 21_000;

/** Samples come at the intervals of the settings that are in force, and not more often. */
export const settingsHold: Check = {
	name: "settings hold",
	run(run) {
		const failures: string[] = [];
		if (run.plan.faults.some(({ name }) => name === "clock" || name === "drift")) return failures;
		for (const board of commandedBoards(run)) {
			const { name } = board;
			// What cannot be confirmed remains in its first wake on trial, which samples all sensors
			if (storageFails(run, board)) continue;
			const history = new SettingsHistory(run, board);
			for (const { name: sensor, grid } of sensorsOf(board)) {
				if (grid === true || sensor === PIN_SENSOR) continue;
				let times: number[] = [];
				const judge = (): void => {
					const [first = 0] = times;
					const last = times.at(-1) ?? 0;
					const { firefly } = history.at(first);
					const { every } = sensorsOf({ ...board, firefly }).find((each) => each.name === sensor)!;
					const expected = (times.length - 1) * parseDuration(String(every))!;
					if (expected >= LEAST_SPAN_MS && last - first < expected * 0.99 - LATE_MS)
						failures.push(
							`${name}: ${times.length} samples of ${sensor} from ${clock(first)} to ${clock(last)}, with ${every}`,
						);
					times = [];
				};
				let span = history.spans[0];
				let countsFrom = 0;
				for (const event of run.events) {
					if (event.node !== name) continue;
					const present = history.at(event.time);
					const isNew = event.type === "wake" && present !== span;
					if (isNew) span = present;
					if (isNew || event.type === "command" || (event.type === "boot" && event.reason !== "deep-sleep"))
						judge();
					// Its samples are beside the schedule
					if (event.type === "command" && event.command === "report-now")
						countsFrom = event.time + SAMPLING_MS;
					if (event.type === "sample" && event.sensor === sensor && event.time >= countsFrom)
						times.push(event.time);
				}
				judge();
			}
		}
		return failures.slice(0, 3);
	},
};
