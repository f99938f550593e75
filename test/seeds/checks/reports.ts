import type { TimedEvent } from "../../../sim/report/events";
import { parseDuration } from "../../../src/config/duration";
import { commandsTo, isUnreachable, variantsOf } from "../command-plan";
import { announces } from "../discovery-draw";
import { Disturbance } from "../disturbance";
import { SettingsHistory } from "../effective-settings";
import { type BoardPlan, type SeedPlan, sensorsOf } from "../seed-plan";
import { type SeedRun, START_TIME } from "../world";
import type { Check } from "./check";

/** Time that events of one wake's end take, ms. */
const TOLERANCE_MS = 20;

/** Names of the boards with sensors. */
export function sensorBoards({ plan }: SeedRun): readonly BoardPlan[] {
	return plan.boards.filter((board) => sensorsOf(board).length > 0);
}

/** Whether a board loses what waits, with the power: not if its outbox is in flash. */
export function losesReports({ firefly }: BoardPlan, event: TimedEvent): boolean {
	const { storage } = (firefly.outbox ?? {}) as { readonly storage?: string };
	return losesMemory(event) && storage !== "flash";
}

function losesMemory(event: TimedEvent): boolean {
	return event.type === "boot" && (event.reason === "power-on" || event.reason === "brown-out");
}

/** The account of one board's reports since power-on, apart from that of the simulator. */
class Account {
	accepted = 0;
	waiting = 0;
	#droppedEvents = 0;
	#droppedAtWake = 0;
	/** Before the command `clear` made the node count from 0. */
	#droppedBefore = 0;
	/** Whether that command clears counters at this node, and not its outbox. */
	readonly #clearsCounters: boolean;
	/** Time of acceptance of the reports that were neither acknowledged nor dropped. */
	readonly pending = new Map<number, number>();
	readonly #acknowledged = new Set<number>();
	#lastAcknowledged: number | undefined;
	#powerLost = false;
	/** What waited was not in flash when the power was lost, as storage failed. */
	#unstored = false;
	/** Reports that were lost with it. */
	#forgiven = 0;
	/** Of the event before, ms since 1970: when the power was lost, at a boot. */
	lastEventAt = 0;

	constructor(clearsCounters: boolean) {
		this.#clearsCounters = clearsCounters;
	}

	get lost(): number {
		return this.accepted - this.#acknowledged.size - this.waiting - this.#dropped - this.#forgiven;
	}

	get #dropped(): number {
		return Math.max(this.#droppedEvents, this.#droppedBefore + this.#droppedAtWake);
	}

	event(event: TimedEvent): void {
		this.lastEventAt = event.time;
		switch (event.type) {
			case "wake":
				if (this.#unstored) this.#goBack(event.accepted!);
				else this.#accept(event.accepted!, event.time);
				this.#droppedAtWake = Math.max(this.#droppedAtWake, event.dropped!);
				this.waiting = event.waiting!;
				if (this.#unstored) this.#beginAgain(event.accepted!);
				this.#resume(event.time);
				break;
			case "accepted":
				this.#accept(event.sequence, event.time);
				this.waiting = event.waiting;
				break;
			case "acknowledged":
				this.pending.delete(event.sequence);
				this.#acknowledged.add(event.sequence);
				this.#lastAcknowledged = event.sequence;
				this.waiting = event.waiting;
				break;
			case "dropped":
				if (event.sequence !== undefined) this.pending.delete(event.sequence);
				this.#droppedEvents += event.count;
				this.waiting = event.waiting;
				break;
			case "command":
				if (event.command !== "clear" || !event.accepted || !this.#clearsCounters) break;
				this.#droppedBefore = this.#dropped;
				this.#droppedAtWake = 0;
				break;
			case "sleep":
				this.waiting = event.waiting;
				break;
		}
	}

	/** The board has lost its power, and has what waits in flash. @param stored whether it could be written */
	losePower(stored: boolean): void {
		this.#powerLost = true;
		this.#unstored = !stored;
	}

	/**
	 * Flash, which could not be read at the start before, has higher numbers than were given since: those are
	 * gone, and which of these wait is not known.
	 */
	#goBack(accepted: number): void {
		if (accepted <= this.accepted) return;
		this.accepted = accepted;
		this.pending.clear();
	}

	/** Goes on from the last report that flash has; sequence numbers after it come again. */
	#beginAgain(accepted: number): void {
		this.accepted = accepted;
		for (const sequence of this.pending.keys()) if (sequence > accepted) this.pending.delete(sequence);
		for (const sequence of this.#acknowledged) if (sequence > accepted) this.#acknowledged.delete(sequence);
		// Fewer than none: a report that was acknowledged waits again, which is not for here
		// Numbers up to it may have been given twice
		if (this.pending.size > this.waiting) this.pending.clear();
		this.#forgiven += Math.max(0, this.lost);
		this.#unstored = false;
	}

	/**
	 * A loss of power between an acknowledgement and its record in flash leaves the report waiting: QoS 1
	 * delivers it once more. That is one at most, as each is recorded before the next one is looked at.
	 */
	#resume(time: number): void {
		const last = this.#lastAcknowledged;
		if (this.#powerLost && this.lost === -1 && last !== undefined) {
			this.#acknowledged.delete(last);
			this.pending.set(last, time);
		}
		this.#lastAcknowledged = undefined;
		this.#powerLost = false;
	}

	#accept(sequence: number, time: number): void {
		while (this.accepted < sequence) this.pending.set(++this.accepted, time);
	}
}

function accountOf({ plan }: SeedRun, { name }: BoardPlan): Account {
	return new Account(
		commandsTo(plan, name).some(
			({ command, payload }) => command === "clear" && payload.includes("counters"),
		),
	);
}

function afterBoot(run: SeedRun, account: Account, board: BoardPlan, event: TimedEvent): Account {
	const { plan } = run;
	if (losesReports(board, event)) return accountOf(run, board);
	if (losesMemory(event)) account.losePower(!storageFails(plan, board, account.lastEventAt));
	return account;
}

/**
 * From the end of a fault of storage until reports are in flash again, ms: the longest heartbeat, since a
 * node looks when it reports, and a wake.
 */
const STORED_AGAIN_MS = 210_000;

/**
 * Whether the outbox may not be in flash: "until it works, a loss of power loses reports".
 * @param time when the power was lost, not when it came back, ms since 1970
 */
function storageFails({ faults }: SeedPlan, { name }: BoardPlan, time: number): boolean {
	return faults.some(
		(fault) =>
			["storage", "storage-read", "flash-full"].includes(fault.name) &&
			fault.board === name &&
			time >= START_TIME + fault.at &&
			time <= START_TIME + fault.at + fault.duration! + STORED_AGAIN_MS,
	);
}

/** lost = accepted − acknowledged − waiting − dropped, at every wake and every sleep. */
export const nothingLost: Check = {
	name: "lost is 0",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			const { name } = board;
			let account = accountOf(run, board);
			for (const event of run.events) {
				if (event.node !== name) continue;
				account = afterBoot(run, account, board, event);
				account.event(event);
				if (event.type !== "wake" && event.type !== "sleep") continue;
				if (account.lost !== 0)
					failures.push(`${name}: ${account.lost} lost at ${clock(event.time)}, ${event.type}`);
			}
			if (account.lost !== 0) failures.push(`${name}: ${account.lost} lost at the end`);
		}
		return failures.slice(0, 3);
	},
};

/** What was accepted before the last interval has been delivered at the end. */
export const reportsArrive: Check = {
	name: "reports arrive once the faults are over",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			let account = accountOf(run, board);
			let lastEvent = 0;
			for (const event of run.events) {
				if (event.node !== board.name) continue;
				account = afterBoot(run, account, board, event);
				account.event(event);
				lastEvent = event.time;
			}
			const longest = Math.max(
				...variantsOf(run.plan, board).flatMap((variant) =>
					sensorsOf(variant).map(({ every }) => parseDuration(String(every))!),
				),
			);
			const since = run.recoveredAt - longest - 30_000;
			if (lastEvent < since) failures.push(`${board.name}: nothing happens since ${clock(lastEvent)}`);
			const old = [...account.pending].filter(([, time]) => time < since);
			if (old.length > 0)
				failures.push(
					`${board.name}: ${old.length} reports still wait, the oldest is ${old[0]![0]} of ${clock(old[0]![1])}`,
				);
		}
		return failures;
	},
};

/** From the end of `update.awakeLimit` until it is noticed, which a timer of a second does, ms. */
const FETCH_TOLERANCE_MS = 1100;

/** No wake is longer than `awakeLimit`; with an image that is fetched, than its own limit from there on. */
export const awakeLimitHolds: Check = {
	name: "the awake limit holds",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			const { name, firefly } = board;
			if (firefly.role !== "sensor") continue;
			const history = new SettingsHistory(run, board);
			const { update } = firefly as { readonly update?: { readonly awakeLimit: string } };
			let wokeAt: number | undefined;
			let latest = Infinity;
			const check = (time: number): void => {
				if (wokeAt !== undefined && time > latest)
					failures.push(`${name}: awake for ${time - wokeAt} ms from ${clock(wokeAt)}`);
			};
			for (const event of run.events) {
				if (event.node !== name) continue;
				if (event.type === "wake") {
					const { mode, awakeLimit } = history.at(event.time).firefly.sleep as {
						readonly [key: string]: string;
					};
					wokeAt = event.time;
					latest = mode === "deep" ? wokeAt + parseDuration(awakeLimit ?? "8s")! + TOLERANCE_MS : Infinity;
				} else if (event.type === "update" && event.phase === "fetching" && update !== undefined) {
					check(event.time);
					latest = Math.max(latest, event.time + parseDuration(update.awakeLimit)! + FETCH_TOLERANCE_MS);
				} else if (["sleep", "boot", "off", "crash"].includes(event.type)) {
					check(event.time);
					wokeAt = undefined;
				}
			}
			check(run.recoveredAt);
		}
		return failures.slice(0, 3);
	},
};

/** Longest time that a node may be awake before it notices a failure, ms. */
const AWAKE_MS = 21_000;

/** Round trips of an exchange besides those of its reports: time, name, TCP, CONNACK, the end. */
const EXCHANGE_ROUND_TRIPS = 6;
/** Of a report with QoS 2; of a command with it, and its answer. */
const REPORT_ROUND_TRIPS = 2;
const COMMAND_ROUND_TRIPS = 4;
/** Of an announcement in parts that fit the smallest buffer. */
const ANNOUNCEMENT_ROUND_TRIPS = 12;
/** For which a node listens behind CONNACK and behind each command, at most, ms. */
const COMMAND_WINDOW_MS = 1000;
/** For the turns of others, ms. */
const TURNS_MS = 200;

/**
 * A node without faults of its own and of the network never fails to report, whatever its neighbours do. That
 * `awakeLimit` ends a wake says nothing of them where the join has left less of it than the exchange takes on
 * a quiet network: `awakeLimit` holds whatever happens, and a first join takes up to 2.8 s.
 */
export const nodesAreServed: Check = {
	name: "nodes are served in spite of their neighbours",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			const { name, firefly } = board;
			const disturbance = new Disturbance(run, [name, "broker"]);
			const history = new SettingsHistory(run, board);
			const commands = firefly.commands === undefined ? 0 : 1 + commandsTo(run.plan, name).length;
			const announcing =
				firefly.discovery === undefined ? 0 : 2 * run.plan.latency * ANNOUNCEMENT_ROUND_TRIPS;
			const commandTime = commands * (COMMAND_WINDOW_MS + 2 * run.plan.latency * COMMAND_ROUND_TRIPS);
			const isMute = run.plan.faults.some((fault) => fault.name === "image-mute" && fault.board === name);
			let isOnTrial = false;
			let waiting = 0;
			let exchangeEnds = 0;
			for (const event of run.events) {
				if (event.node !== name) continue;
				if (event.type === "wake" || event.type === "accepted") waiting = event.waiting ?? 0;
				if (event.type === "joined")
					exchangeEnds =
						event.time +
						2 * run.plan.latency * (EXCHANGE_ROUND_TRIPS + REPORT_ROUND_TRIPS * waiting) +
						commandTime +
						announcing +
						TURNS_MS;
				if (event.type === "update") isOnTrial = event.phase === "activated";
				if (event.type !== "failed" && event.type !== "limit") continue;
				if (isMute && isOnTrial) continue;
				if (disturbance.touches(event.time - AWAKE_MS, event.time)) continue;
				if (isUnreachable(history.at(event.time).firefly)) continue;
				// Its end may come later than that of the wake
				const isOfConnection =
					event.type === "limit" || event.fault === "transport" || event.fault === "limit";
				if (isOfConnection && announcementEndsConnection(run, board)) continue;
				const isLimit = event.type === "limit" || event.fault === "limit";
				if (isLimit && event.time < exchangeEnds) continue;
				failures.push(
					`${name}: ${event.type === "failed" ? `${event.fault} ${event.reasonCode}` : "limit"} at ${clock(event.time)}`,
				);
			}
		}
		return failures.slice(0, 3);
	},
};

/** A broker that takes no packet as long as an announcement ends the connection of MQTT 3.1.1 at it. */
export function announcementEndsConnection({ plan }: SeedRun, board: BoardPlan): boolean {
	return board.firefly.discovery !== undefined && !announces(plan, board);
}

/** Of an interval on a grid: one that a clock which has just been set may make longer. */
const GRID_SHARE = 2.6;

/**
 * Samples are taken at their times, whatever happens to the network. A node that was reset, or without power,
 * may not know how much time has passed.
 */
export const samplesAreTaken: Check = {
	name: "samples are taken at their times",
	run(run) {
		if (run.plan.faults.some(({ name }) => name === "clock")) return [];
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			const history = new SettingsHistory(run, board);
			const { update } = board.firefly as { readonly update?: { readonly awakeLimit: string } };
			const fetching = update === undefined ? 0 : parseDuration(update.awakeLimit)!;
			for (const { name, grid } of sensorsOf(board)) {
				const intervalAt = (time: number): number => {
					const sensors = sensorsOf({ ...board, firefly: history.at(time).firefly });
					return parseDuration(String(sensors.find((sensor) => sensor.name === name)!.every))!;
				};
				let last: number | undefined;
				for (const event of run.events) {
					if (event.node !== board.name) continue;
					if (event.type === "boot" && event.reason !== "deep-sleep") last = undefined;
					if (event.type !== "sample" || event.sensor !== name) continue;
					// New settings hold from the next wake on, at the time of the old ones
					const interval = Math.max(intervalAt(last ?? event.time), intervalAt(event.time));
					const longest = interval * (grid === true ? GRID_SHARE : 1.01) + AWAKE_MS + fetching;
					if (last !== undefined && event.time - last > longest)
						failures.push(
							`${board.name}: ${name} is not sampled from ${clock(last)} to ${clock(event.time)}`,
						);
					last = event.time;
				}
			}
		}
		return failures.slice(0, 3);
	},
};

/** `00:12:03.250` of the run. */
export function clock(time: number): string {
	return new Date(time).toISOString().slice(11, 23);
}
