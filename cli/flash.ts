import { Command } from "commander";
import { type BuildCommandOptions, runBuild, withBuildOptions } from "./build";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";
import { baudOption } from "./values";

/** Speed of a transfer to a board, bits a second, that every USB bridge can do. */
const DEFAULT_BAUD = 460_800;

interface FlashOptions extends BuildCommandOptions {
	readonly port?: string;
	readonly baud: number;
}

export function flashCommand(): Command {
	return withBuildOptions(new Command("flash"))
		.description(
			"Build the firmware and write it to a board, with esptool. Checks the port before anything is built.",
		)
		.option("-p, --port <device>", "serial port of the board, such as /dev/ttyUSB0 (default: $UPLOAD_PORT)")
		.option("-b, --baud <speed>", "bits a second", baudOption, DEFAULT_BAUD)
		.action((target: string, options: FlashOptions) => flashTo(target, options));
}

async function flashTo(target: string, options: FlashOptions): Promise<void> {
	const [{ Preflight }, { requirePort }, esptool, { buildJSON, failWith, sizeText }] = await Promise.all([
		import("./build/preflight"),
		import("./serial/port"),
		import("./moddable/esptool"),
		import("./build/report"),
	]);
	const isJSON = options.json === true;
	const preflight = new Preflight();
	const port = preflight.check(() => requirePort(options.port ?? process.env.UPLOAD_PORT));
	preflight.check(() => esptool.requireEsptool(process.env));
	const interrupt = new Interrupt();
	try {
		const { plan, built } = await runBuild(target, options, preflight, interrupt.signal);
		process.stderr.write(`${sizeText(built)}\n`);
		if (port === undefined) return;
		await esptool
			.flash({
				folder: built.folder,
				args: esptool.flashArguments(built.folder, port, options.baud),
				environment: process.env,
				print: (line) => process.stderr.write(`${line}\n`),
				signal: interrupt.signal,
			})
			.catch((error: unknown) => {
				if (error instanceof Failure) failWith([error.message], isJSON);
				throw error;
			});
		if (isJSON) process.stdout.write(`${JSON.stringify({ ...buildJSON(plan, built), port })}\n`);
		else {
			const next = options.console ? `; npx firefly monitor --port ${port} shows what it does` : "";
			process.stdout.write(`${plan.target.name} on ${port} runs the new image${next}\n`);
		}
	} finally {
		interrupt.dispose();
	}
}
