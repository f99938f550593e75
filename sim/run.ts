import { Simulation, type SimulationOptions } from "./simulation";

export type RunOptions = SimulationOptions & {
	/** Simulated ms; undefined: until the recording is delivered or `signal` is given. */
	readonly duration: number | undefined;
	readonly signal?: AbortSignal;
};

/**
 * Runs the firmware of a manifest on simulated boards until its time is up, the recording is delivered, or
 * `signal` is given. Throws ManifestError and ReplayError, whose messages are for people.
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
