import type { SimulationListener } from "./events";

/** Tells people or machines what happens. */
export interface Report extends SimulationListener {
	/** Tells something of this run and this machine, which is no part of the simulation. */
	note(text: string): void;
	/** Prints the summary and closes. */
	finish(): void;
	/** Leaves the output in good order; nothing comes after it. */
	close(): void;
}
