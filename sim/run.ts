import { Controls } from "./controls";
import type { RunControls } from "./report/controls";
import { Simulation } from "./simulation";
import type { SimulationOptions } from "./simulation-options";

export type RunOptions = SimulationOptions & {
	/** Simulated ms; undefined: until the recording is delivered or `signal` aborts. */
	readonly duration: number | undefined;
	/** Called when everything is built and the boards are about to be powered on. */
	begin?(controls: RunControls): void;
};

/**
 * Runs the firmware of a manifest on simulated boards until the duration has elapsed, the recording is
 * delivered, or `signal` aborts. Throws ManifestError and ReplayError, whose messages are for users, and
 * BuildAborted if the signal comes while XS is built.
 * @returns the simulated time at the end, ms since 1970
 */
export async function runSimulation(options: RunOptions): Promise<number> {
	const simulation = await Simulation.build(options);
	const stop = (): void => simulation.interrupt();
	options.signal?.addEventListener("abort", stop, { once: true });
	try {
		options.begin?.(new Controls(simulation));
		if (!options.signal?.aborted) await simulation.run(options.duration);
		return simulation.scheduler.now;
	} finally {
		options.signal?.removeEventListener("abort", stop);
		simulation.dispose();
	}
}
