import { runSimulation } from "../../sim/run";
import type { LoadedManifest } from "../config/load";
import { RunCounts } from "./run-counts";

/** Seed of the run beside a board's: any would do. */
const SEED = 1;
/** Time, in ms, after which the firmware has begun to run. */
const START_MS = 10_000;

/**
 * Counts what one node of a manifest does in a simulated time, from the beginning of its first wake.
 * @param duration ms
 */
export async function simulatedRun(manifest: LoadedManifest, duration: number): Promise<RunCounts> {
	const counts = new RunCounts();
	let node: string | undefined;
	let end = Number.POSITIVE_INFINITY;
	await runSimulation({
		manifest,
		duration: duration + START_MS,
		speed: "max",
		seed: SEED,
		engine: "node",
		listener: {
			event(event) {
				if (event.type === "node" && event.role === "sensor") node ??= event.node;
				else if (event.node === node && event.time <= end) {
					if (event.type === "wake" && counts.wakes === 0) end = event.time + duration;
					counts.event(event);
				}
			},
		},
	});
	counts.end(end);
	return counts;
}
