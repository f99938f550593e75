import type { NodeCounters, SimulationCounters } from "./counters";
import { batteryCapacityMAh } from "./currents";
import { averageCurrent, batteryDays, type Phase, phases } from "./energy";
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
	readonly crashes: number;
	/** Wakes that awakeLimit ended. */
	readonly limits: number;
	readonly failed: Readonly<Record<string, number>>;
	/** Absent without a completed wake. */
	readonly awake?: { readonly p50: number; readonly p95: number; readonly maximum: number };
	/** TCP payload, both directions, and serial round trips; absent without a delivered report. */
	readonly exchange?: {
		readonly bytesPerReport: number;
		readonly roundTripsPerExchange: number;
		readonly reportsPerExchange: number;
	};
	readonly energy: Energy;
}

export interface Energy {
	/** mC, per phase. */
	readonly phases: Readonly<Record<Phase, { readonly time: number; readonly charge: number }>>;
	/** mA, average of one node. */
	readonly average: number;
	/** Days on a battery of `capacity` mAh; absent without consumption. */
	readonly battery?: { readonly capacity: number; readonly days: number };
}

export function summarize(counters: SimulationCounters): Summary {
	const nodes = [...counters.nodes.values()].filter((node) => node.role === "sensor");
	const awake = new Histogram();
	const failed: Record<string, number> = {};
	for (const node of nodes) {
		node.energy.integrateTo(counters.now);
		awake.merge(node.awake);
		for (const [fault, count] of node.failed) failed[fault] = (failed[fault] ?? 0) + count;
	}
	const sum = (value: (node: NodeCounters) => number) =>
		nodes.reduce((total, node) => total + value(node), 0);
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
		crashes: sum((node) => node.crashes),
		limits: sum((node) => node.limits),
		failed: Object.fromEntries(Object.entries(failed).sort(([a], [b]) => (a < b ? -1 : 1))),
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
		energy: energyOf(nodes),
	};
}

function energyOf(nodes: readonly NodeCounters[]): Energy {
	let charge = 0;
	let time = 0;
	const shares = {} as Record<Phase, { time: number; charge: number }>;
	for (const phase of phases) {
		const share = { time: 0, charge: 0 };
		for (const node of nodes) {
			share.time += node.energy.shares[phase].time;
			share.charge += node.energy.shares[phase].charge;
		}
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
