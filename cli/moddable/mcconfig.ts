import { mkdirSync, rmSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { Failure } from "../failure";
import type { ModdableSDK } from "./sdk";
import { toolPath } from "./sdk";
import { runTool } from "./tool-process";
import type { TypeScript } from "./typescript";

/** `-d`: for the debugger; `-i`: with a console; neither: for use. */
export type BuildKind = "debug" | "instrument" | "release";

/** What mcconfig is asked for. */
export interface BuildOptions {
	readonly sdk: ModdableSDK;
	readonly typescript: TypeScript;
	readonly kind: BuildKind;
	/** Such as `lin` or `esp32/nodemcu`. */
	readonly platform: string;
	/** Absolute path. */
	readonly manifest: string;
	/** Folder for what is built; it is created. */
	readonly output: string;
	/** Top-level strings of `mc/config`. */
	readonly settings: Readonly<Record<string, string>>;
	readonly environment: NodeJS.ProcessEnv;
	/** Called for each source that is compiled. */
	readonly onProgress?: (name: string) => void;
	/** File that gets all that the tools print. */
	readonly log?: string;
	/** Ends the build. */
	readonly signal?: AbortSignal;
}

/** Lines of a failed build that are shown, its last ones. */
const SHOWN_LINES = 40;
const KIND_OPTIONS: Readonly<Record<BuildKind, readonly string[]>> = {
	debug: ["-d"],
	instrument: ["-i"],
	release: [],
};

/** The environment of the SDK's tools: `PATH` has them, and TypeScript. */
export function toolEnvironment(
	sdk: ModdableSDK,
	typescript: TypeScript,
	environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
	const path = [typescript.folder, sdk.tools, environment.PATH ?? ""].join(delimiter);
	return { ...environment, MODDABLE: sdk.root, PATH: path };
}

/**
 * Builds the firmware; starts, flashes and ends nothing. mcconfig's targets that flash (`all`, `deploy`) are
 * never used: their makefile ends other programs by name.
 * @throws {Failure} with the last lines of what the tools have to say
 * @throws {Interrupted} if `signal` aborts
 */
export async function build(options: BuildOptions): Promise<void> {
	const { sdk, typescript, kind, platform, manifest, output, settings, environment, onProgress } = options;
	mkdirSync(output, { recursive: true });
	const args = [...KIND_OPTIONS[kind], "-m", "-p", platform, "-t", "build", "-o", output, manifest];
	for (const [key, value] of Object.entries(settings)) args.push(`${key}=${value}`);
	const lines: string[] = [];
	const code = await runTool({
		command: toolPath(sdk.tools, "mcconfig", sdk.platform),
		args,
		cwd: dirname(manifest),
		environment: toolEnvironment(sdk, typescript, environment),
		onLine: (line) => {
			const compiled = /^(?:# (?:tsc|xsc|cc|xsl|ld)|\[\d+\/\d+\]) (.*)/.exec(line);
			if (compiled) onProgress?.(compiled[1]!);
			else if (isTold(line)) lines.push(line);
		},
		...(options.log === undefined ? {} : { log: options.log }),
		...(options.signal === undefined ? {} : { signal: options.signal }),
	});
	if (code === 0) return;
	for (const target of failedTargets(lines)) if (isWithin(target, output)) rmSync(target, { force: true });
	const shown = lines.slice(-SHOWN_LINES).join("\n");
	const rest = options.log === undefined ? "" : `; all that was printed is in ${options.log}`;
	throw new Failure(`${shown}\nmcconfig failed, ${exitText(code)}${rest}`);
}

function exitText(code: number | null): string {
	return code === null ? "ended by a signal" : `exit code ${code}`;
}

/**
 * What make could not build. tsc writes its output in spite of errors, and the next make would take it for
 * good.
 */
function failedTargets(lines: readonly string[]): string[] {
	return lines.flatMap((line) => /^make: \*\*\* \[[^\]]*: ([^\]]+)\] Error/.exec(line)?.[1] ?? []);
}

function isWithin(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}

/** The library of the simulator that {@link build} has made. */
export function simulatorLibrary(sdk: ModdableSDK, manifest: string, output: string): string {
	const name = sdk.platform === "win" ? "mc.dll" : "mc.so";
	return join(output, "bin", sdk.platform, "mc", "debug", basename(dirname(manifest)), name);
}

/** Whether a line is for people: the linker's remarks on what is not constant are expected. */
function isTold(line: string): boolean {
	return line.trim() !== "" && !/^#(?!#)|^### (warning: .*(no const|not frozen)|\d+ instances)/.test(line);
}
