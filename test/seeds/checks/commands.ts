import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import {
	type Answer,
	answersOf,
	commandedBoards,
	cutsOf,
	powerLosses,
	publishedCommands,
	storageFails,
} from "../command-answers";
import { commandsTo } from "../command-plan";
import { type EffectiveSettings, SettingsHistory } from "../effective-settings";
import { type Exchange, exchangesOf } from "../exchanges";
import { type BoardPlan, sensorsOf } from "../seed-plan";
import type { SeedRun } from "../world";
import type { Check } from "./check";
import { brokerForgot } from "./queues";
import { clock } from "./reports";

/** Time for which a connection must last so that it is none that has died unnoticed, ms. */
const ALIVE_MS = 150_000;
/** From an exchange until its answers have reached who has asked, ms. */
const ANSWER_MS = 5000;
/** Exchanges beside one for each command: the subscription, and a window that was too short. */
const MORE_EXCHANGES = 3;

/**
 * What a broker has acknowledged for a node that has subscribed is answered, once the node has reported a few
 * times; a loss of power may forget the answer.
 */
export const commandsAreAnswered: Check = {
	name: "commands are answered",
	run(run) {
		const failures: string[] = [];
		if (brokerForgot(run, "broker")) return failures;
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const exchanges = exchangesOf(run, board);
			const subscribedAt =
				exchanges.find(({ sleeps, from, to }) => sleeps || to - from > ALIVE_MS)?.to ?? Infinity;
			const answered = new Set(answersOf(run, name).map(({ id }) => id));
			const discarded = discardedSessions(run, board);
			const needed = commandsTo(run.plan, name).length + MORE_EXCHANGES;
			for (const { command, message } of publishedCommands(run, name)) {
				const { publishedAt, acknowledgedAt = Infinity, reasonCode = 0, qos } = message;
				if (qos === 0 || reasonCode >= 0x80 || command.expected === undefined) continue;
				if (discarded.some((time) => time > publishedAt)) continue;
				if (publishedAt < subscribedAt || powerLosses(run, board).some((time) => time > publishedAt))
					continue;
				if (answered.has(command.id)) continue;
				const isDue = exchangesAfter(exchanges, acknowledgedAt, run.recoveredAt - ANSWER_MS) >= needed;
				if (isDue) failures.push(`${name} did not answer ${command.payload} of ${clock(acknowledgedAt)}`);
			}
		}
		return failures.slice(0, 3);
	},
};

/**
 * Times at which a node began its session anew, and lost what was queued in it, as it was told to report to
 * another broker, or had lost its memory: with QoS 2 it may not use what it finds there.
 */
function discardedSessions(run: SeedRun, board: BoardPlan): readonly number[] {
	const history = new SettingsHistory(run, board);
	const losses = powerLosses(run, board);
	const times: number[] = [];
	let before = -Infinity;
	for (const event of run.events) {
		if (event.node !== board.name || event.type !== "connected") continue;
		const { time } = event;
		const brokers = [
			history.at(before),
			...history.spans.filter(({ since }) => since > before && since <= time),
		];
		const forgot = usesQoS2(history.at(time)) && losses.some((lost) => lost > before && lost <= time);
		if (!event.sessionPresent && (forgot || new Set(brokers.map(brokerOf)).size > 1)) times.push(time);
		before = time;
	}
	return times;
}

function brokerOf(settings: EffectiveSettings): string {
	const { url, version } = settings.firefly.broker as JSONObject;
	// The first sensor with QoS 2 makes the session one that it may not use
	return `${url} ${version} ${usesQoS2(settings)}`;
}

function usesQoS2({ firefly }: EffectiveSettings): boolean {
	const sensors = firefly.sensors as unknown as readonly JSONObject[];
	return sensors.some(({ qos }) => qos === 2);
}

/** Exchanges between two times in which a node took what waited; Infinity: it was connected for long. */
function exchangesAfter(exchanges: readonly Exchange[], since: number, until: number): number {
	let count = 0;
	for (const { from, to, sleeps } of exchanges) {
		if (Math.min(to, until) - Math.max(from, since) > ALIVE_MS) return Infinity;
		if (sleeps && from > since && to < until) count++;
	}
	return count;
}

/** A command is executed once; once more after a reset at the wrong time, or after a loss of power. */
export const commandsAreExecutedOnce: Check = {
	name: "commands are executed once",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const executed = run.events.filter(
				(event) => event.node === name && event.type === "command" && event.command !== "restored",
			).length;
			const commands = commandsTo(run.plan, name).filter(({ expected }) => expected !== undefined);
			const connections = run.commander!.connections.filter(({ open }) => open).length;
			let allowed = 0;
			const ids = new Set<number>();
			for (const { id, qos } of commands) {
				// Who publishes it may repeat one of QoS 1, which only its `id` tells from another
				if (id === undefined) allowed += qos === 1 ? connections : 1;
				else ids.add(id);
			}
			allowed = (allowed + ids.size) * (1 + powerLosses(run, board).length) + cutsOf(run, board);
			if (executed > allowed) failures.push(`${name}: ${executed} executions, and ${allowed} at most`);
		}
		return failures;
	},
};

/** A node does what it must not refuse, refuses what is wrong, and says which. */
export const answersAreRight: Check = {
	name: "answers fit their commands",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const byId = new Map(commandsTo(run.plan, name).map((command) => [command.id, command]));
			for (const answer of answersOf(run, name)) {
				const { id, ok, time, error } = answer;
				const text = `${name} answers at ${clock(time)}: ${JSON.stringify(answer)}`;
				if (ok ? error !== undefined : !error) failures.push(`${text}, which makes no sense`);
				if (id === undefined) continue;
				const command = byId.get(id);
				if (command === undefined) failures.push(`${text}, which nobody has asked`);
				else if (answer.command !== (command.command || null) && command.expected !== "refused")
					failures.push(`${text} to ${command.payload}`);
				else if (
					!fits(answer, command.expected === "ok", command.expected === "refused", storageFails(run, board))
				)
					failures.push(`${text} to ${command.payload}`);
			}
		}
		return failures.slice(0, 3);
	},
};

function fits(
	{ ok, command, duplicate }: Answer,
	mustDo: boolean,
	mustRefuse: boolean,
	mayFail: boolean,
): boolean {
	if (duplicate) return ok;
	if (mustRefuse) return !ok;
	return ok || !mustDo || (mayFail && command === "set");
}

/** From the command `report-now` until all sensors are sampled, ms: the turns in between. */
export const SAMPLING_MS = 2000;

/** `report-now` samples all sensors. */
export const reportNowSamples: Check = {
	name: "report-now samples all sensors",
	run(run) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const events = run.events.filter(({ node }) => node === name);
			for (const [index, event] of events.entries()) {
				if (event.type !== "command" || event.command !== "report-now") continue;
				const until = event.time + SAMPLING_MS;
				const after = events.slice(index + 1).filter(({ time }) => time <= until);
				if (after.some(({ type }) => type === "boot" || type === "off") || until > run.recoveredAt) continue;
				const sampled = new Set(after.flatMap((each) => (each.type === "sample" ? [each.sensor] : [])));
				const missing = sensorNames(board).filter((sensor) => !sampled.has(sensor));
				if (missing.length > 0)
					failures.push(`${name}: report-now of ${clock(event.time)} left out ${missing.join(", ")}`);
			}
		}
		return failures.slice(0, 3);
	},
};

function sensorNames(board: BoardPlan): string[] {
	return sensorsOf(board).map(({ name }) => String(name));
}

/** Members of a summary, and the events that they count. */
const COUNTED = { accepted: "accepted", acknowledged: "acknowledged", samples: "sample" } as const;

/** `summary` has what the simulator has seen, where nothing has made it count anew. */
export const summariesAreRight: Check = {
	name: "summaries are right",
	run(run: SeedRun) {
		const failures: string[] = [];
		for (const board of commandedBoards(run)) {
			const { name } = board;
			const events = run.events.filter(({ node }) => node === name);
			const asked = events.findIndex((event) => event.type === "command" && event.command === "summary");
			const before = events.slice(0, asked);
			const isAnew = before.some(
				(event) =>
					(event.type === "boot" && event.reason !== "deep-sleep" && event !== before[0]) ||
					(event.type === "command" && event.command === "clear"),
			);
			const answer = answersOf(run, name).find(
				({ command, duplicate }) => command === "summary" && !duplicate,
			);
			if (asked < 0 || isAnew || cutsOf(run, board) > 0 || answer?.summary === undefined) continue;
			for (const [member, type] of Object.entries(COUNTED)) {
				const seen = before.filter((event) => event.type === type).length;
				if (answer.summary[member] !== seen)
					failures.push(`${name}: ${member} is ${answer.summary[member]} in the summary, and was ${seen}`);
			}
		}
		return failures;
	},
};
