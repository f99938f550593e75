import { Command } from "commander";
import type { BuiltFirmware } from "./build/firmware-build";
import type { BuildPlan, Preflight } from "./build/preflight";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";

/** Options of the commands that build. */
export interface BuildCommandOptions {
	readonly manifest: string;
	readonly console?: true;
	readonly allRoles?: true;
	readonly json?: true;
}

export function buildCommand(): Command {
	return withBuildOptions(new Command("build"))
		.description(
			"Build the firmware for a board, with the Moddable SDK and ESP-IDF. Checks manifest, SDK, ESP-IDF and TypeScript first, and afterwards that every setting of ESP-IDF has taken effect.",
		)
		.action((target: string, options: BuildCommandOptions) => buildFor(target, options));
}

/** Adds the argument and the options of the commands that build. */
export function withBuildOptions(command: Command): Command {
	return command
		.argument("<target>", "esp32, esp32s3, esp32c3, esp32c6, or a board of the SDK, such as xiao_esp32c3")
		.option("--manifest <file>", "the manifest to build", "manifest.json")
		.option("--console", "an image with a console, for firefly monitor: it prints what the firmware does")
		.option("--all-roles", "all roles in the image, even if the manifest needs one only")
		.option("--json", "print one JSON object: what was built, or what is in the way");
}

async function buildFor(target: string, options: BuildCommandOptions): Promise<void> {
	const { Preflight } = await import("./build/preflight");
	const interrupt = new Interrupt();
	try {
		const { plan, built } = await runBuild(target, options, new Preflight(), interrupt.signal);
		const { buildJSON, sizeText } = await import("./build/report");
		if (options.json) process.stdout.write(`${JSON.stringify(buildJSON(plan, built))}\n`);
		else {
			process.stderr.write(`${sizeText(built)}\n`);
			process.stdout.write(`${built.image}\n`);
		}
	} finally {
		interrupt.dispose();
	}
}

/**
 * Checks and builds. Prints on standard error what goes on.
 * @param preflight what a command has found in the way itself
 * @throws {Failure} if something is in the way, or the build fails
 */
export async function runBuild(
	target: string,
	options: BuildCommandOptions,
	preflight: Preflight,
	signal: AbortSignal,
): Promise<{ readonly plan: BuildPlan; readonly built: BuiltFirmware }> {
	// Loaded late, so that help and usage errors are printed at once.
	const [{ planBuild }, { buildFirmware }, { failWith, planText }] = await Promise.all([
		import("./build/preflight"),
		import("./build/firmware-build"),
		import("./build/report"),
	]);
	const isJSON = options.json === true;
	const plan = planBuild(
		{
			target,
			manifest: options.manifest,
			kind: options.console ? "instrument" : "release",
			environment: process.env,
		},
		preflight,
		({ message, ...place }) =>
			process.stderr.write(`${formatProblem({ ...place, message: `warning: ${message}` })}\n`),
	);
	if (plan === undefined) return failWith(preflight.obstacles, isJSON);
	process.stderr.write(`${planText(plan)}\n`);
	let compiled = 0;
	const built = await buildFirmware(plan, {
		full: options.allRoles === true,
		environment: process.env,
		signal,
		onProgress() {
			if (compiled++ === 0) process.stderr.write("building, some minutes the first time …\n");
		},
	}).catch((error: unknown) => {
		if (error instanceof Failure) failWith([error.message], isJSON);
		throw error;
	});
	process.stderr.write(`built, ${compiled} files compiled\n`);
	if (built.problems.length > 0) failWith(built.problems, isJSON);
	return { plan, built };
}
