import type { SimulationListener } from "./events";

/** Output of a simulation, for people or programs. */
export interface Report extends SimulationListener {
	/** Prints information about this run on this machine, which is not part of the simulation. */
	note(text: string): void;
	/** Prints the summary and closes. */
	finish(): void;
	/** Flushes and restores the output; no call may follow. */
	close(): void;
}
