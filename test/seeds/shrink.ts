import type { Fault } from "../../sim/faults/fault";
import type { SeedPlan } from "./seed-plan";

/**
 * Leaves out the faults without which the same checks fail.
 * @param failures of the whole plan
 * @param check runs a plan, and returns its failures
 */
export async function shrinkFaults(
	plan: SeedPlan,
	failures: readonly string[],
	check: (plan: SeedPlan) => Promise<readonly string[]>,
): Promise<readonly Fault[]> {
	const wanted = new Set(failures.map(checkOf));
	let { faults } = plan;
	for (const fault of plan.faults) {
		const fewer = faults.filter((other) => other !== fault);
		const remaining = await check({ ...plan, faults: fewer });
		if (remaining.some((failure) => wanted.has(checkOf(failure)))) faults = fewer;
	}
	return faults;
}

/** The name of the check that a failure belongs to. */
function checkOf(failure: string): string {
	return failure.slice(0, failure.indexOf(": "));
}
