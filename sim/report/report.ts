import type { RunControls } from "./controls";
import type { SimulationListener } from "./events";
import type { Rehearsal } from "./fault-summary";

/** Output of a simulation, for people or programs. */
export interface Report extends SimulationListener {
	/** Simulated time begins; nothing is drawn before. */
	begin(controls: RunControls): void;
	/** Prints information about this run on this machine, which is not part of the simulation. */
	note(text: string): void;
	/**
	 * Prints the summary and closes.
	 * @param time the end, simulated ms since 1970 @param rehearsal of a run with faults
	 */
	finish(time: number, rehearsal?: Rehearsal): void;
	/** Flushes and restores the output; no call may follow. */
	close(): void;
	/** Handles a key that a person has pressed; absent where keys have no effect. */
	key?(name: string): void;
	/** Gives the terminal back for a while, and takes it again. */
	suspend?(): void;
	resume?(): void;
}
