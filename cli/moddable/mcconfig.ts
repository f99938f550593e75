import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { Failure } from "../failure";
import type { ModdableSDK } from "./sdk";
import { toolPath } from "./sdk";
import type { TypeScript } from "./typescript";

/** What mcconfig is asked for. */
export interface BuildOptions {
	readonly sdk: ModdableSDK;
	readonly typescript: TypeScript;
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
}

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
 * Builds the firmware with debugging information; starts, flashes and ends nothing.
 * @throws {Failure} with what the tools have to say
 */
export async function build(options: BuildOptions): Promise<void> {
	const { sdk, typescript, platform, manifest, output, settings, environment, onProgress } = options;
	mkdirSync(output, { recursive: true });
	const args = ["-d", "-m", "-p", platform, "-t", "build", "-o", output, manifest];
	for (const [key, value] of Object.entries(settings)) args.push(`${key}=${value}`);
	const lines: string[] = [];
	const code = await new Promise<number | null>((resolve, reject) => {
		const child = spawn(toolPath(sdk.tools, "mcconfig", sdk.platform), args, {
			cwd: dirname(manifest),
			env: toolEnvironment(sdk, typescript, environment),
			stdio: ["ignore", "pipe", "pipe"],
		});
		let rest = "";
		const onText = (text: string): void => {
			const parts = (rest + text).split("\n");
			rest = parts.pop() ?? "";
			for (const line of parts) {
				const compiled = /^# (?:tsc|xsc|cc|xsl|ld) (.*)/.exec(line);
				if (compiled) onProgress?.(compiled[1]!);
				else if (isTold(line)) lines.push(line);
			}
		};
		child.stdout.setEncoding("utf8").on("data", onText);
		child.stderr.setEncoding("utf8").on("data", onText);
		child.on("error", reject);
		child.on("close", resolve);
	});
	if (code === 0) return;
	for (const target of failedTargets(lines)) if (isWithin(target, output)) rmSync(target, { force: true });
	throw new Failure(`${lines.join("\n")}\nmcconfig failed, exit code ${code}`);
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
