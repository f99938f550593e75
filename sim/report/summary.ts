import type { NodeCounters, SimulationCounters } from "./counters";
import { batteryCapacityMAh } from "./currents";
import { averageCurrent, batteryDays, type Phase, phases, radioSteps } from "./energy";
import type { RadioStep } from "./events";
import { Histogram } from "./histogram";

/** Result of a simulation, all sensor nodes together. Times in ms of simulated time. */
export interface Summary {
	readonly nodes: number;
	readonly duration: number;
	readonly wakes: number;
	readonly samples: number;
	readonly filtered: number;
	readonly accepted: number;
	readonly published: number;
	/** Reports sent again; the broker may have received them twice. */
	readonly repeated: number;
	readonly acknowledged: number;
	readonly waiting: number;
	readonly dropped: number;
	/** accepted − acknowledged − waiting − dropped. */
	readonly lost: number;
	/** Of these, those that were in retained memory when the power was lost; absent if there are none. */
	readonly lostWithPower?: number;
	readonly crashes: number;
	/** Wakes that awakeLimit ended. */
	readonly limits: number;
	readonly failed: Readonly<Record<string, number>>;
	/** Failed readings by sensor; absent without any. */
	readonly failedReadings?: Readonly<Record<string, number>>;
	/** Absent without a completed wake. */
	readonly awake?: { readonly p50: number; readonly p95: number; readonly maximum: number };
	/** TCP payload, both directions, and serial round trips; absent without a delivered report. */
	readonly exchange?: {
		readonly bytesPerReport: number;
		readonly roundTripsPerExchange: number;
		readonly reportsPerExchange: number;
	};
	/**
	 * Wi-Fi joins that succeeded; `fast`: with the access point of the last connection. `steps`: time in ms and
	 * charge in mC of each step, part of what `energy` has. Absent without a join.
	 */
	readonly joins?: {
		readonly count: number;
		readonly fast: number;
		readonly steps: Readonly<Record<RadioStep, Share>>;
	};
	readonly energy: Energy;
}

export interface Share {
	/** ms. */
	readonly time: number;
	/** mC. */
	readonly charge: number;
}

export interface Energy {
	/** mC, per phase. */
	readonly phases: Readonly<Record<Phase, Share>>;
	/** mA, average of one node. */
	readonly average: number;
	/** Days on a battery of `capacity` mAh; absent without consumption. */
	readonly battery?: { readonly capacity: number; readonly days: number };
}

export function summarize(counters: SimulationCounters): Summary {
	const nodes = [...counters.nodes.values()].filter((node) => node.role === "sensor");
	const awake = new Histogram();
	const failed: Record<string, number> = {};
	const failedReadings: Record<string, number> = {};
	for (const node of nodes) {
		node.energy.integrateTo(counters.now);
		node.deliveries.end(counters.now);
		awake.merge(node.awake);
		for (const [fault, count] of node.failed) failed[fault] = (failed[fault] ?? 0) + count;
		for (const [sensor, count] of node.failedReadings)
			failedReadings[sensor] = (failedReadings[sensor] ?? 0) + count;
	}
	const sum = (value: (node: NodeCounters) => number) =>
		nodes.reduce((total, node) => total + value(node), 0);
	const lostWithPower = sum((node) => node.deliveries.unpowered);
	const delivered = sum((node) => node.delivered);
	const exchanges = sum((node) => node.exchanges);
	const [p50, p95, maximum] = [awake.quantile(0.5), awake.quantile(0.95), awake.quantile(1)];
	return {
		nodes: nodes.length,
		duration: counters.now - (counters.start ?? counters.now),
		wakes: sum((node) => node.wakes),
		samples: sum((node) => node.samples),
		filtered: sum((node) => node.filtered),
		accepted: sum((node) => node.accepted),
		published: sum((node) => node.published),
		repeated: sum((node) => node.repeated),
		acknowledged: sum((node) => node.acknowledged),
		waiting: sum((node) => node.waiting),
		dropped: sum((node) => node.dropped),
		lost: sum((node) => node.lost),
		...(lostWithPower === 0 ? {} : { lostWithPower }),
		crashes: sum((node) => node.crashes),
		limits: sum((node) => node.limits),
		failed: Object.fromEntries(Object.entries(failed).sort(([a], [b]) => (a < b ? -1 : 1))),
		...(Object.keys(failedReadings).length > 0 ? { failedReadings } : {}),
		...(p50 === undefined || p95 === undefined || maximum === undefined
			? {}
			: { awake: { p50, p95, maximum } }),
		...(delivered === 0
			? {}
			: {
					exchange: {
						bytesPerReport: sum((node) => node.sent + node.received) / delivered,
						roundTripsPerExchange: sum((node) => node.roundTrips) / exchanges,
						reportsPerExchange: delivered / exchanges,
					},
				}),
		...joinsOf(nodes),
		energy: energyOf(nodes),
	};
}

function joinsOf(nodes: readonly NodeCounters[]): Pick<Summary, "joins"> {
	let count = 0;
	let fast = 0;
	for (const node of nodes) {
		count += node.joins;
		fast += node.fastJoins;
	}
	if (count === 0) return {};
	const steps = {} as Record<RadioStep, Share>;
	for (const step of radioSteps) steps[step] = sumOf(nodes.map((node) => node.energy.radio[step]));
	return { joins: { count, fast, steps } };
}

function sumOf(shares: readonly Share[]): Share {
	let time = 0;
	let charge = 0;
	for (const share of shares) {
		time += share.time;
		charge += share.charge;
	}
	return { time, charge };
}

function energyOf(nodes: readonly NodeCounters[]): Energy {
	let charge = 0;
	let time = 0;
	const shares = {} as Record<Phase, Share>;
	for (const phase of phases) {
		const share = sumOf(nodes.map((node) => node.energy.shares[phase]));
		charge += share.charge;
		time += share.time;
		shares[phase] = share;
	}
	const average = averageCurrent(charge, time);
	return {
		phases: shares,
		average,
		...(average > 0
			? { battery: { capacity: batteryCapacityMAh, days: batteryDays(batteryCapacityMAh, average) } }
			: {}),
	};
}
