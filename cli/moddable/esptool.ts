import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";
import { isOnPath } from "./idf";
import { runTool } from "./tool-process";

/** The first version that understands what ESP-IDF 6.0 writes for it. */
const OLDEST_ESPTOOL = 5;

/** What ESP-IDF leaves in `flasher_args.json`. */
interface FlasherArguments {
	readonly write_flash_args: readonly string[];
	/** Path by address; relative to the folder. */
	readonly flash_files: Readonly<Record<string, string>>;
	readonly extra_esptool_args: {
		readonly after: string;
		readonly before: string;
		readonly stub: boolean;
		readonly chip: string;
	};
}

/** @throws {Failure} that says what to install */
export function requireEsptool(environment: NodeJS.ProcessEnv): void {
	const advice = "ESP-IDF's export.sh puts it there, and so does pipx install esptool";
	if (!isOnPath("esptool", environment)) throw new Failure(`esptool is not on PATH: ${advice}`);
	const { stdout } = spawnSync("esptool", ["version"], { encoding: "utf8", env: environment });
	const version = /v?(\d+)\.\d+/.exec(stdout ?? "");
	if (version !== null && Number(version[1]) >= OLDEST_ESPTOOL) return;
	throw new Failure(
		`esptool is ${version === null ? "of an unknown version" : version[0]}: ${OLDEST_ESPTOOL} or later is needed; ${advice}`,
	);
}

/**
 * What esptool is called with to write a build to a board.
 * @param folder of the build
 * @throws {Failure} if it was not built
 */
export function flashArguments(folder: string, port: string, baud: number): readonly string[] {
	let read: FlasherArguments;
	try {
		read = JSON.parse(readFileSync(join(folder, "flasher_args.json"), "utf8")) as FlasherArguments;
	} catch (error) {
		throw new Failure(
			`what to flash is not known: ${error instanceof Error ? error.message : String(error)}`,
		);
	}
	const { write_flash_args, flash_files, extra_esptool_args: extra } = read;
	const files = Object.entries(flash_files).sort(([a], [b]) => Number(a) - Number(b));
	return [
		...["--chip", extra.chip, "--port", port, "--baud", String(baud)],
		...["--before", extra.before, "--after", extra.after],
		...(extra.stub ? [] : ["--no-stub"]),
		"write-flash",
		...write_flash_args,
		...files.flat(),
	];
}

/** How esptool says what often goes wrong, and what a person then does. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
	[
		/Failed to connect|No serial data received|Wrong boot mode/i,
		"the board does not answer: hold BOOT, press and release RESET, let BOOT go, and try again; a sleeping board has no port of its own",
	],
	[/This chip is|Wrong .*chip/i, "the board has another chip than the target"],
	[/Could not exclusively lock port|Resource busy/i, "another program uses the port: end it first"],
	[/does not fit|exceeds flash size|larger than flash/i, "the image is too large for the board's flash"],
];

/**
 * Writes a build to a board.
 * @param print is told what esptool prints
 * @throws {Failure} with what to do
 */
export async function flash(options: {
	readonly folder: string;
	readonly args: readonly string[];
	readonly environment: NodeJS.ProcessEnv;
	readonly print: (line: string) => void;
	readonly signal: AbortSignal;
}): Promise<void> {
	const { folder, args, environment, print, signal } = options;
	const lines: string[] = [];
	const code = await runTool({
		command: "esptool",
		args,
		cwd: folder,
		environment,
		signal,
		onLine(line) {
			if (line.trim() === "") return;
			lines.push(line);
			print(line);
		},
	});
	if (code === 0) return;
	const printed = lines.join("\n");
	const advice = ADVICE.find(([pattern]) => pattern.test(printed))?.[1];
	throw new Failure(
		`esptool failed, exit code ${code ?? "none"}${advice === undefined ? "" : `: ${advice}`}`,
	);
}
