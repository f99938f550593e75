import type { Fault } from "../../sim/faults/fault";
import { FAULT_KINDS } from "../../sim/faults/fault-kinds";
import type { Draw } from "./draw";

/** Quiet time before the first fault, ms: the subscriber must be there before. */
const FIRST_FAULT_MS = 25_000;
const LONGEST_FAULT_MS = 120_000;
const MAX_FAULTS = 6;
/** Share of the faults that follow another one closely, and how closely, ms: troubles do not come alone. */
const CLUSTERED = 0.4;
const CLUSTER_MS = 4000;
/** Kinds that meet the firmware in the middle of its work; each counts as so many others. */
const WEIGHTS: Readonly<Record<string, number>> = {
	power: 3,
	"brown-out": 2,
	reset: 4,
	"half-open": 2,
	disconnect: 2,
	loss: 2,
	"torn-write": 2,
};
/** Kinds of digital pins, which few boards have: pin-draw.ts draws them. */
const OF_PINS = ["contact", "bounce"];
/** Kinds of new images, which few boards are told to take: command-draw.ts draws them. */
const OF_IMAGES = ["image-crash", "image-mute"];
/** Kinds that garbled-draw.ts draws. */
const OF_SENSORS = ["garbled"];
/** Kinds that say something only where a board reads flash: storage-draw.ts draws them. */
const OF_READS = ["storage-read"];
const DRAWN_ELSEWHERE = [...OF_PINS, ...OF_IMAGES, ...OF_SENSORS, ...OF_READS];
const NAMES = Object.keys(FAULT_KINDS)
	.filter((name) => !DRAWN_ELSEWHERE.includes(name))
	.flatMap((name) => Array<string>(WEIGHTS[name] ?? 1).fill(name));

/**
 * Draws the faults of a seed, in the order of their times; times and durations are whole tenths of a
 * second.
 * @param most how many there are at most
 */
export function drawFaults(
	draw: Draw,
	boards: readonly string[],
	active: number,
	most = MAX_FAULTS,
): Fault[] {
	const faults: Fault[] = [];
	for (let left = draw.integer(0, most); left > 0; left--) {
		const last = faults[faults.length - 1];
		const at =
			last !== undefined && draw.chance(CLUSTERED)
				? Math.min(last.at + draw.integer(0, CLUSTER_MS), active - 1000)
				: draw.integer(FIRST_FAULT_MS, active - 1000);
		faults.push(drawFault(draw, boards, tenths(at), active));
	}
	return inOrder(faults);
}

/** Faults in the order of their times. */
export function inOrder(faults: readonly Fault[]): Fault[] {
	return [...faults].sort((a, b) => a.at - b.at);
}

function drawFault(draw: Draw, boards: readonly string[], at: number, active: number): Fault {
	const name = draw.pick(NAMES);
	const kind = FAULT_KINDS[name]!;
	// Short ones are the more likely ones: they fall into the middle of what goes on.
	const longest = Math.min(draw.pick([1000, 10_000, LONGEST_FAULT_MS]), active - at);
	const amount = kind.amount === undefined ? undefined : AMOUNTS[kind.amount](draw);
	const board =
		kind.scope === "network" || draw.chance(0.2) || (kind.scope === "broker" && draw.chance(0.5))
			? undefined
			: draw.pick(boards);
	return {
		name,
		...(amount === undefined ? {} : { amount }),
		...(kind.lasts ? { duration: Math.max(100, tenths(draw.integer(100, longest))) } : {}),
		at,
		...(board === undefined ? {} : { board }),
	};
}

const AMOUNTS = {
	share: (draw: Draw) => draw.integer(1, 60) / 100,
	duration: (draw: Draw) => draw.pick([50, 500, 3000]),
	step: (draw: Draw) => draw.pick([-3_600_000, -60_000, -2000, 2000, 60_000, 3_600_000]),
	ppm: (draw: Draw) => draw.pick([-2000, -300, 300, 2000]),
	calls: (draw: Draw) => (draw.chance(0.3) ? undefined : draw.integer(1, 120)),
} as const;

function tenths(ms: number): number {
	return Math.floor(ms / 100) * 100;
}
