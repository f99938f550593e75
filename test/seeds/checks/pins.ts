import type { TimedEvent } from "../../../sim/report/events";
import { parseDuration } from "../../../src/config/duration";
import { variantsOf } from "../command-plan";
import { type BoardPlan, PIN_SENSOR, sensorsOf } from "../seed-plan";
import { type SeedRun, START_TIME } from "../world";
import type { Check } from "./check";
import { clock, sensorBoards } from "./reports";

/** Faults after which a node may know no more of its pin, or of time. */
const OF_BOARD = new Set([
	"power",
	"brown-out",
	"reset",
	"torn-write",
	"sensor",
	"stuck",
	"garbled",
	"clock",
	// A node that starts after a crash sleeps for a while
	"image-crash",
]);
/** From a change to the sample that reports it, beside the wake that goes on, ms: a boot, and its end. */
const NOTICE_MS = 3000;
const HOUR_MS = 3_600_000;

interface PinWake {
	readonly awakeLimit?: string;
	readonly pinWakeLimit: number;
}

function pinBoards(run: SeedRun): readonly BoardPlan[] {
	return sensorBoards(run).filter((board) => sensorsOf(board).some(({ name }) => name === PIN_SENSOR));
}

/** A pin whose level stays is sampled and reported with its new value, whatever the network does. */
export const pinsAreNoticed: Check = {
	name: "changes of pins are noticed",
	run(run) {
		const failures: string[] = [];
		for (const board of pinBoards(run)) {
			if (
				run.plan.faults.some(
					(fault) => OF_BOARD.has(fault.name) && (fault.board ?? board.name) === board.name,
				)
			)
				continue;
			const sleep = board.firefly.sleep as unknown as PinWake;
			const wakes = pinWakes(run, board);
			// Past the limit pins wake it at an even rate.
			const pause = wakes.length < sleep.pinWakeLimit ? 0 : HOUR_MS / sleep.pinWakeLimit;
			const { update } = board.firefly as { readonly update?: { readonly awakeLimit: string } };
			const awake = variantsOf(run.plan, board).map(
				({ firefly }) => parseDuration((firefly.sleep as unknown as PinWake).awakeLimit ?? "8s")!,
			);
			const fetching = parseDuration(update?.awakeLimit ?? "0s")!;
			const limit = Math.max(...awake) + fetching + pause + NOTICE_MS;
			const changes = run.pins.get(board.name)!;
			for (const [index, { time, value }] of changes.entries()) {
				const until = Math.min(changes[index + 1]?.time ?? Infinity, run.recoveredAt);
				if (time < START_TIME + board.at + limit || until - time < limit) continue;
				const samples = run.events.filter(
					(event) => event.node === board.name && event.type === "sample" && event.sensor === PIN_SENSOR,
				) as readonly (TimedEvent & { readonly type: "sample" })[];
				// Of a change and its reversal within one wake the node knows nothing, and has the right value.
				const isKnown = samples.findLast((sample) => sample.time < time)?.value === value;
				const noticed =
					isKnown ||
					samples.some(
						(sample) => sample.value === value && sample.time >= time && sample.time <= time + limit,
					);
				if (!noticed) failures.push(`${board.name}: the pin is ${value} since ${clock(time)}`);
			}
		}
		return failures.slice(0, 3);
	},
};

/** Boots by a pin. */
function pinWakes({ events }: SeedRun, { name }: BoardPlan): readonly number[] {
	return events
		.filter((event) => event.type === "boot" && event.node === name && event.pin !== undefined)
		.map(({ time }) => time);
}

/** Wakes by pin are no more than `sleep.pinWakeLimit` allows: so many at once, then at an even rate. */
export const pinWakesAreLimited: Check = {
	name: "wakes by pin are limited",
	run(run) {
		const failures: string[] = [];
		for (const board of pinBoards(run)) {
			// What is counted is in retained memory, and by the clock.
			if (run.plan.faults.some(({ name }) => ["power", "brown-out", "torn-write", "clock"].includes(name)))
				continue;
			const { pinWakeLimit } = board.firefly.sleep as unknown as PinWake;
			const wakes = pinWakes(run, board);
			const allowed = pinWakeLimit + ((run.recoveredAt - START_TIME) * pinWakeLimit) / HOUR_MS + 1;
			if (wakes.length > allowed) failures.push(`${board.name}: ${wakes.length} wakes by pin`);
		}
		return failures;
	},
};
