import type { SimulationCounters } from "./counters";
import { batteryCapacityMAh } from "./currents";
import type { DropCause } from "./deliveries";
import { averageCurrent, batteryDays } from "./energy";
import { count, formatNumber, formatSpan } from "./format";

/** The faults of a run, and the same run without them. */
export interface Rehearsal {
	/** As on the command line, in the order in which they begin. */
	readonly faults: readonly string[];
	/** Absent where a run cannot be repeated: its broker is outside the simulation. */
	readonly without?: SimulationCounters;
}

/** What the faults of a run have done to the reports and to the battery of all sensor nodes. */
export interface FaultSummary {
	readonly faults: readonly string[];
	/**
	 * Reports that are unaccounted for; of these, those that were in retained memory when the power was lost.
	 */
	readonly lost: number;
	readonly lostWithPower: number;
	/** Reports that could not be delivered at once, and the longest time until they were, ms. */
	readonly delayed: number;
	readonly longestDelay: number;
	/** By policy of the outbox, or other cause. */
	readonly dropped: Readonly<Partial<Record<DropCause, number>>>;
	readonly waiting: number;
	/** mC, with the faults and without; absent if the run cannot be repeated. */
	readonly charge?: { readonly withFaults: number; readonly without: number };
	/** Days on one battery, at the average current of the run; absent as `charge`, or without consumption. */
	readonly battery?: { readonly withFaults: number; readonly without: number };
}

/** Call after both counters have ended. */
export function summarizeFaults(counters: SimulationCounters, { faults, without }: Rehearsal): FaultSummary {
	const dropped: Partial<Record<DropCause, number>> = {};
	let lost = 0;
	let lostWithPower = 0;
	let delayed = 0;
	let longestDelay = 0;
	let waiting = 0;
	for (const node of sensorNodes(counters)) {
		const { deliveries } = node;
		deliveries.end(counters.now);
		lost += node.lost;
		lostWithPower += deliveries.unpowered;
		delayed += deliveries.delayed;
		longestDelay = Math.max(longestDelay, deliveries.longestDelay);
		waiting += node.waiting;
		for (const [cause, number] of deliveries.drops) dropped[cause] = (dropped[cause] ?? 0) + number;
	}
	const summary = { faults, lost, lostWithPower, delayed, longestDelay, dropped, waiting };
	if (without === undefined) return summary;
	const [mine, other] = [consumption(counters), consumption(without)];
	return {
		...summary,
		charge: { withFaults: mine.charge, without: other.charge },
		...(mine.days === undefined || other.days === undefined
			? {}
			: { battery: { withFaults: mine.days, without: other.days } }),
	};
}

/** The lines of the summary in text form. */
export function faultLines(summary: FaultSummary): string[] {
	const { faults, lost, lostWithPower, delayed, longestDelay, dropped, waiting, charge, battery } = summary;
	const drops = Object.entries(dropped).map(
		([cause, number]) => `${formatNumber(number)} by ${CAUSES[cause as DropCause]}`,
	);
	const results = [
		`${count(lost, "report")} lost${lostWithPower > 0 ? ` (${formatNumber(lostWithPower)} with the power: outbox.storage is "rtc")` : ""}`,
		`${formatNumber(delayed)} delayed${delayed > 0 ? `, by ${formatSpan(longestDelay)} at most` : ""}`,
		drops.length === 0 ? "0 dropped" : `dropped ${drops.join(", ")}`,
		`${formatNumber(waiting)} waiting`,
	];
	const lines = [`faults       ${faults.join(", ")}`, `             ${results.join("; ")}`];
	if (charge === undefined) return lines;
	const extra = charge.withFaults - charge.without;
	const share = charge.without > 0 ? ` (${signed((100 * extra) / charge.without, 1)} %)` : "";
	const days =
		battery === undefined
			? ""
			: `: ${formatNumber(battery.withFaults)} instead of ${formatNumber(battery.without)} days on the battery`;
	return [...lines, `             they cost ${signed(extra, 1)} mC${share}${days}`];
}

const CAUSES: Readonly<Record<DropCause, string>> = {
	dropOldest: "dropOldest",
	thin: "thin",
	damaged: "damage to retained memory",
	unreadable: "other settings",
	cleared: "the command clear",
	uncounted: "an unknown cause",
};

function signed(value: number, digits: number): string {
	return `${value > 0 ? "+" : ""}${formatNumber(value, digits)}`;
}

function sensorNodes({ nodes }: SimulationCounters) {
	return [...nodes.values()].filter(({ role }) => role === "sensor");
}

/** Charge of all sensor nodes, mC, and days of one of them on a battery. */
function consumption(counters: SimulationCounters): { charge: number; days: number | undefined } {
	let charge = 0;
	let time = 0;
	for (const { energy } of sensorNodes(counters)) {
		energy.integrateTo(counters.now);
		charge += energy.charge;
		time += energy.time;
	}
	const average = averageCurrent(charge, time);
	return { charge, days: average > 0 ? batteryDays(batteryCapacityMAh, average) : undefined };
}
