import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { printableLines } from "../sim/report/printable";
import { brokerCommand } from "./broker";
import { buildCommand } from "./build";
import { checkCommand } from "./check";
import { Failure } from "./failure";
import { flashCommand } from "./flash";
import { historyCommand } from "./history";
import { EXIT_INTERRUPTED, Interrupted } from "./interrupt";
import { mcsimCommand } from "./mcsim";
import { monitorCommand } from "./monitor";
import { initCommand, newCommand } from "./new";
import { guardOutput, outputFailed } from "./output";
import { passwdCommand } from "./passwd";
import { simCommand } from "./sim";

/** Exit codes that scripts depend on. */
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Runs the command line and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
	guardOutput();
	const program = new Command("firefly")
		.description("Sensor firmware for MQTT: try it on the desk, check it, put it on a chip.")
		.version(version(), "-V, --version", "print the version")
		.helpOption("-h, --help", "print this help")
		.helpCommand("help [command]", "print the help of a command")
		.addCommand(simCommand())
		.addCommand(brokerCommand())
		.addCommand(passwdCommand())
		.addCommand(checkCommand())
		.addCommand(historyCommand())
		.addCommand(mcsimCommand())
		.addCommand(buildCommand())
		.addCommand(flashCommand())
		.addCommand(monitorCommand())
		.addCommand(newCommand())
		.addCommand(initCommand());
	for (const command of [program, ...program.commands])
		command.exitOverride().showHelpAfterError("(--help lists what there is)").allowExcessArguments(false);
	try {
		await program.parseAsync([...argv]);
	} catch (error) {
		process.exitCode = exitCodeOf(error);
	}
	if (outputFailed()) process.exitCode ||= EXIT_FAILURE;
}

/** The exit code for an error; prints the error unless commander has. */
function exitCodeOf(error: unknown): number {
	// Without arguments commander prints the help as an error, which is a usage error too.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
	if (error instanceof Failure) {
		if (error.message !== "") process.stderr.write(`${printableLines(error.message)}\n`);
		return EXIT_FAILURE;
	}
	if (error instanceof Error && error.name === "BuildAborted") {
		process.stderr.write("interrupted while the XS engine was built; the next start begins it again\n");
		return EXIT_INTERRUPTED;
	}
	if (error instanceof Interrupted) {
		process.stderr.write(`${error.message}\n`);
		return EXIT_INTERRUPTED;
	}
	process.stderr.write(
		`firefly: ${printableLines(error instanceof Error ? error.message : String(error))}\n`,
	);
	if (process.env.FIREFLY_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
	return EXIT_FAILURE;
}

function version(): string {
	const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
		version: string;
	};
	return version;
}
