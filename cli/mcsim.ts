import { Command } from "commander";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";

interface McsimOptions {
	readonly buildOnly?: true;
}

export function mcsimCommand(): Command {
	return new Command("mcsim")
		.description(
			"Build the firmware with the Moddable SDK, and run it in mcsim, the SDK's simulator, with Firefly's panel.",
		)
		.argument("[manifest]", "the manifest to build", "manifest.json")
		.option("--build-only", "build, and print the path of what mcsim would run")
		.action((file: string, options: McsimOptions) => mcsim(file, options));
}

async function mcsim(file: string, { buildOnly }: McsimOptions): Promise<void> {
	// Loaded late, so that help and usage errors are printed at once.
	const [{ prepareSimulation, buildSimulation }, { runSimulator }] = await Promise.all([
		import("./mcsim/prepare"),
		import("./mcsim/run"),
	]);
	const plan = await prepareSimulation(file, process.env, buildOnly === true);
	const interrupt = new Interrupt();
	try {
		const library = await buildSimulation(plan, process.env, interrupt.signal);
		if (buildOnly) {
			process.stdout.write(`${library}\n`);
			return;
		}
		const code = await runSimulator({
			sdk: plan.sdk,
			library,
			environment: process.env,
			print: (line) => process.stdout.write(`${line}\n`),
			signal: interrupt.signal,
		});
		if (code !== 0) throw new Failure(`mcsim ended, exit code ${code}`);
	} finally {
		interrupt.dispose();
	}
}
