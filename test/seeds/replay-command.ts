import type { EngineName } from "../../sim/engine/engine-factory";
import { formatFault } from "../../sim/faults/fault-text";
import type { SeedPlan } from "./seed-plan";

/** The command that repeats a run, byte for byte. @param faults those of the plan, or fewer */
export function replayCommand(
	{ seed }: SeedPlan,
	faults: SeedPlan["faults"],
	engine: EngineName = "node",
): string {
	const options = engine === "node" ? "" : ` --engine ${engine}`;
	return `npm run seeds -- 1 --from ${seed}${options} --faults ${faults.map(formatFault).join(",") || '""'}`;
}
