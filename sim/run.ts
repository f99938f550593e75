import { Simulation, type SimulationOptions } from "./simulation";

export type RunOptions = SimulationOptions & {
	/** Simulated ms; undefined: until the recording is delivered or `signal` aborts. */
	readonly duration: number | undefined;
};

/**
 * Runs the firmware of a manifest on simulated boards until the duration has elapsed, the recording is
 * delivered, or `signal` aborts. Throws ManifestError and ReplayError, whose messages are for users, and
 * BuildAborted if the signal comes while XS is built.
 */
export async function runSimulation(options: RunOptions): Promise<void> {
	const simulation = await Simulation.build(options);
	const stop = (): void => simulation.stop();
	options.signal?.addEventListener("abort", stop, { once: true });
	try {
		if (!options.signal?.aborted) await simulation.run(options.duration);
	} finally {
		options.signal?.removeEventListener("abort", stop);
		simulation.dispose();
	}
}
