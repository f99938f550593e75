import type { SeedRun } from "../world";

/** Something that must hold in every run. */
export interface Check {
	readonly name: string;
	/** What does not hold, one sentence each; nothing if all is well. */
	run(run: SeedRun): readonly string[];
}
