import { Fleet, type FleetOptions } from "./fleet";

export type SimulationOptions = FleetOptions & {
	/** Simulated ms; undefined: until the recording is delivered or `signal` is given. */
	readonly duration: number | undefined;
	readonly signal?: AbortSignal;
};

/**
 * Runs the firmware of a manifest on simulated boards until its time is up, the recording is delivered, or `signal` is given. Throws
 * ManifestError and ReplayError, whose messages are for people.
 */
export async function runSimulation(options: SimulationOptions): Promise<void> {
	const fleet = await Fleet.build(options);
	const stop = (): void => fleet.stop();
	options.signal?.addEventListener("abort", stop, { once: true });
	try {
		if (!options.signal?.aborted) await fleet.run(options.duration);
	} finally {
		options.signal?.removeEventListener("abort", stop);
		fleet.dispose();
	}
}
