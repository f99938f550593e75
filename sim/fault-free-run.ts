import { SimulationCounters } from "./report/counters";
import { Simulation } from "./simulation";
import type { SimulationOptions } from "./simulation-options";

/**
 * The same run without its faults, silently and at full speed, to compare with.
 * @param options of the run with faults, whose broker is part of the simulation
 * @param duration simulated ms
 */
export async function runWithoutFaults(
	options: SimulationOptions,
	duration: number,
): Promise<SimulationCounters> {
	const counters = new SimulationCounters();
	const { manifest, seed, nodes, engine, replay, replayOptions, latency } = options;
	const simulation = await Simulation.build({
		manifest,
		seed,
		...(nodes === undefined ? {} : { nodes }),
		engine,
		...(replay === undefined ? {} : { replay }),
		...(replayOptions === undefined ? {} : { replayOptions }),
		...(latency === undefined ? {} : { latency }),
		speed: "max",
		listener: counters,
	});
	try {
		await simulation.run(duration);
		counters.end(simulation.scheduler.now);
		return counters;
	} finally {
		simulation.dispose();
	}
}
