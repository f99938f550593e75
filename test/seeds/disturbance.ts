import type { Fault } from "../../sim/faults/fault";
import { FAULT_KINDS } from "../../sim/faults/fault-kinds";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { SeedPlan } from "./seed-plan";
import { type SeedRun, START_TIME } from "./world";

/** Faults that concern neither the network nor a board's run. */
const HARMLESS = new Set([
	"sensor",
	"stuck",
	"garbled",
	"clock",
	"drift",
	"time-server",
	"contact",
	"bounce",
	"storage-read",
]);
/** Faults of the access point, which a wired board does not notice. */
const OF_WIFI = new Set(["wifi", "roam", "lease"]);
/**
 * Time after a fault in which its consequences may still come, ms: one and a half times the longest keep
 * alive, and the longest pause between TCP's repetitions.
 */
const AFTERMATH_MS = 110_000;

/** When connections of a board may suffer from faults. */
export class Disturbance {
	readonly #spans: readonly (readonly [from: number, to: number])[];

	/** @param boards names of those that take part in the connection */
	constructor({ plan, events }: Pick<SeedRun, "plan" | "events">, boards: readonly string[]) {
		this.#spans = boards.flatMap((board) =>
			plan.faults
				.filter((fault) => concerns(plan, fault, board))
				.map((fault) => {
					const from = beginning(fault, board, events);
					return [from, from + (fault.duration ?? 0) + AFTERMATH_MS] as const;
				}),
		);
	}

	/** Whether a fault or its aftermath touches the span. @param from, to ms since 1970 */
	touches(from: number, to = from): boolean {
		return this.#spans.some(([start, end]) => start <= to && end >= from);
	}
}

/** When a fault takes effect, ms since 1970: a torn write with the next write to flash; Infinity: never. */
function beginning({ name, at }: Fault, board: string, events: SeedRun["events"]): number {
	const from = START_TIME + at;
	if (name !== "torn-write") return from;
	return (
		events.find(({ type, time, node }) => type === "off" && node === board && time >= from)?.time ?? Infinity
	);
}

/** Whether the run or the connections of a board may suffer from a fault. */
export function concerns(plan: SeedPlan, fault: Fault, board: string): boolean {
	if (HARMLESS.has(fault.name)) return false;
	const firefly = plan.boards.find(({ name }) => name === board)?.firefly;
	if (OF_WIFI.has(fault.name)) return firefly?.wifi !== undefined;
	// A command may have the node look up a name
	if (fault.name === "dns")
		return (
			firefly?.commands !== undefined ||
			String((firefly?.broker as JSONObject | undefined)?.url).includes("broker.home")
		);
	if (fault.board !== undefined) return fault.board === board;
	return FAULT_KINDS[fault.name]!.scope === "broker"
		? firefly?.role !== "sensor"
		: firefly?.sensors !== undefined;
}

/** Whether a broker keeps its state whatever the faults of this plan do to it. @param board its name */
export function brokerIsDurable({ boards, faults }: SeedPlan, board: string): boolean {
	const listen = boards.find(({ name }) => name === board)!.firefly.listen as JSONObject;
	return (
		listen.persist === true &&
		listen.persistInterval === "0s" &&
		!faults.some(({ name }) => name === "storage" || name === "flash-full")
	);
}

/** Whether a board's readings may not tell when they were taken, nor one report from another. */
export function readingsAreAlike({ faults }: SeedPlan, board?: string): boolean {
	return faults.some(
		(fault) =>
			(fault.name === "stuck" || fault.name === "garbled") &&
			(board === undefined || fault.name === "stuck" || fault.board === board),
	);
}
