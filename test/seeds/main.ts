/**
 * Runs seeds and checks what must hold in every run.
 *
 *     npm run seeds -- N [--from S] [--engine node|xs] [--faults LIST] [--log] [--first]
 *
 * --faults replaces the faults that the seed draws, as a failing seed's line names them. --log prints the
 * plan and every event. --first ends with the first seed that fails. Exits with 1 if a seed fails.
 */
import { parseArgs } from "node:util";
import { parseFault } from "../../sim/faults/fault-text";
import { drawPlan } from "./plan-draw";
import { replayCommand } from "./replay-command";
import { checkPlan } from "./run-seed";
import type { SeedPlan } from "./seed-plan";
import { shrinkFaults } from "./shrink";

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		from: { type: "string", default: "1" },
		engine: { type: "string", default: "node" },
		faults: { type: "string" },
		log: { type: "boolean", default: false },
		first: { type: "boolean", default: false },
	},
});
const count = Number(positionals[0] ?? "500");
const from = Number(values.from);
const { engine } = values;
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(from) || (engine !== "node" && engine !== "xs")) {
	console.error("npm run seeds -- N [--from S] [--engine node|xs] [--faults LIST] [--log] [--first]");
	process.exit(2);
}

let failed = 0;
const startedAt = process.cpuUsage();
for (let seed = from; seed < from + count; seed++) {
	const plan = planOf(seed);
	const result = await checkPlan(plan, engine).catch((error: unknown) => {
		console.log(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
	});
	if (result === undefined) {
		failed++;
		if (values.first) break;
		continue;
	}
	const { run, failures } = result;
	if (values.log) {
		console.log(JSON.stringify(plan, undefined, 1));
		for (const event of run.events) console.log(JSON.stringify(event));
	}
	if (count === 1) console.log(`seed ${seed}: ${run.digest}`);
	if (failures.length === 0) {
		if ((seed - from) % 500 === 499) console.log(`${seed - from + 1} seeds, ${failed} failed`);
		continue;
	}
	failed++;
	console.log(`seed ${seed} (${run.digest}):`);
	for (const failure of failures) console.log(`    ${failure}`);
	if (values.first) break;
	const faults =
		values.faults === undefined
			? await shrinkFaults(plan, failures, async (fewer) => (await checkPlan(fewer, engine)).failures)
			: plan.faults;
	console.log(`    ${replayCommand(plan, faults, engine)}`);
}
const { user, system } = process.cpuUsage(startedAt);
console.log(`${count} seeds, ${failed} failed, ${((user + system) / 1e6).toFixed(1)} s of CPU`);
process.exitCode = failed > 0 ? 1 : 0;

function planOf(seed: number): SeedPlan {
	const plan = drawPlan(seed);
	if (values.faults === undefined) return plan;
	return {
		...plan,
		faults: values.faults
			.split(",")
			.filter((text) => text !== "")
			.map(parseFault),
	};
}
