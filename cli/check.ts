import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";

interface CheckOptions {
	readonly json?: true;
	readonly schema?: string;
}

export function checkCommand(): Command {
	return new Command("check")
		.description(
			"Check a manifest: configuration, includes, drivers, memory. Prints every problem and warning with its place, and what the configuration means; exit code 1 if there is a problem.",
		)
		.argument("[manifest]", "the manifest to check", "manifest.json")
		.option(
			"--json",
			"print one JSON object: file; problems and warnings with file, line, column, path, message; meaning",
		)
		.option(
			"--schema <file>",
			"write a schema for editors that knows the drivers that this manifest includes",
		)
		.action((file: string, options: CheckOptions) => check(file, options));
}

async function check(file: string, options: CheckOptions): Promise<void> {
	const [{ loadManifest }, { meaningOf }, { meaningText }] = await Promise.all([
		import("./config/load"),
		import("./meaning/meaning"),
		import("./meaning/text"),
	]);
	const loaded = loadManifest(file, process.env);
	const problems = "problems" in loaded ? loaded.problems : [];
	const { warnings } = loaded;
	if (options.schema !== undefined && "manifest" in loaded) {
		const { drivers, device } = loaded.manifest;
		const { jsonSchema } = await import("./config/json-schema");
		writeFileSync(options.schema, jsonSchema(device.drivers, drivers));
	}
	const meaning = "manifest" in loaded ? meaningOf(loaded.manifest.device) : undefined;
	if (options.json) process.stdout.write(`${JSON.stringify({ file, problems, warnings, meaning })}\n`);
	else {
		for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
		for (const { message, ...place } of warnings)
			process.stderr.write(`${formatProblem({ ...place, message: `warning: ${message}` })}\n`);
		if (meaning !== undefined)
			process.stdout.write(`${file}: no problems\n${meaningText(meaning, process.stdout.columns)}`);
	}
	if (problems.length > 0) throw new Failure("");
}
