import { existsSync, readdirSync, type Stats, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { Command } from "commander";
import { Failure, systemErrorText } from "./failure";
import type { ProjectOptions } from "./project/answers";

interface NewOptions extends ProjectOptions {
	readonly yes?: true;
	readonly force?: true;
}

export function newCommand(): Command {
	const command = new Command("new")
		.description("Make a project in a new folder: manifest, README, test. Asks what it is not told.")
		.argument("[directory]", "the new folder")
		.action((directory: string | undefined, options: NewOptions) => {
			requireAnswers(command, options);
			return create(directory, options, true);
		});
	return withOptions(command);
}

export function initCommand(): Command {
	const command = new Command("init")
		.description("Make a project in an existing folder, and keep what is there.")
		.argument("[directory]", "the folder", ".")
		.action((directory: string, options: NewOptions) => {
			requireAnswers(command, options);
			return create(directory, options, false);
		});
	return withOptions(command);
}

function withOptions(command: Command): Command {
	return command
		.option("--role <role>", "sensor, broker, or both on one board (default: sensor)")
		.option(
			"--driver <name>",
			"the sensor's driver, such as sht3x (default: virtual, which needs no hardware)",
		)
		.option("--board <name>", "the board, as mcconfig names it, such as esp32c3 (default: nodemcu)")
		.option("--ssid <name>", "name of the Wi-Fi; its password stays out of the manifest")
		.option("--broker <url>", "the broker to report to, mqtt://host:port")
		.option("--user <name>", "user name at the broker; the password is asked for, or FIREFLY_BROKER_PASSWORD")
		.option(
			"--discovery <format>",
			"homeassistant, homie or none: how the device announces itself (default: homeassistant; none for a broker of its own)",
		)
		.option("-y, --yes", "ask nothing: defaults for what is not said")
		.option("--force", "replace existing files");
}

function requireAnswers(command: Command, { yes }: NewOptions): void {
	if (yes || process.stdin.isTTY === true) return;
	const advice = "questions are asked on a terminal; --yes takes the defaults for what no option says";
	command.error(`error: ${advice}`, { exitCode: 2 });
}

async function create(directory: string | undefined, options: NewOptions, isNew: boolean): Promise<void> {
	const asks = options.yes !== true;
	// Loaded late, so that help and usage errors are printed at once.
	const [{ describeProject }, { requireNoManifest, writeProject }, { terminal }, { nextSteps }] =
		await Promise.all([
			import("./project/answers"),
			import("./project/files"),
			import("./project/terminal"),
			import("./project/next-steps"),
		]);
	const folder = directory ?? (asks ? await terminal.ask("Folder of the new project: ") : "");
	if (folder === "") throw new Failure(`which folder? firefly new DIR makes one, firefly init uses this one`);
	if (isNew) requireEmpty(folder, options.force === true);
	else if (!existsSync(folder)) throw new Failure(`${folder} does not exist; firefly new ${folder} makes it`);
	if (options.force !== true) requireNoManifest(folder, folder);
	const project = await describeProject(folder, options, process.env, asks ? terminal : undefined);
	const files = writeProject(folder, project, options.force === true);
	const shown = relative(process.cwd(), folder);
	process.stdout.write(nextSteps(project, shown.startsWith("..") ? folder : shown, files));
}

/** Refuses a folder with files, of which a new project might be thought to own some. */
function requireEmpty(folder: string, force: boolean): void {
	const status = statOf(folder);
	if (status === undefined) requireWay(folder);
	if (status === undefined || force) return;
	if (!status.isDirectory()) throw new Failure(`${folder} exists and is no folder`);
	if (readdirSync(folder).some((name) => name !== ".git"))
		throw new Failure(`${folder} has files; firefly init ${folder} makes a project of it and keeps them`);
}

/**
 * Refuses a path through a file, which Node 22 takes for one that does not exist.
 * @param folder that does not exist
 */
function requireWay(folder: string): void {
	let above = dirname(resolve(folder));
	while (!existsSync(above) && above !== dirname(above)) above = dirname(above);
	if (!statOf(above)?.isDirectory()) throw new Failure(`${folder} cannot be made: not a directory`);
}

/** @throws {Failure} for a path through a file, a loop of links, or a folder that may not be read */
function statOf(folder: string): Stats | undefined {
	try {
		return statSync(folder, { throwIfNoEntry: false });
	} catch (error) {
		throw new Failure(`${folder} cannot be made: ${systemErrorText(error)}`);
	}
}
