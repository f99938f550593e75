import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";
import { BuildVariables } from "../config/build-variables";
import { LIGHT_SLEEP_MODULE } from "../config/light-sleep";
import type { LoadedManifest } from "../config/load";
import { UPDATE_MODULE } from "../config/update";
import { Failure } from "../failure";
import type { BuildKind } from "../moddable/mcconfig";
import type { Target } from "../moddable/targets";

/** Firefly's own settings of ESP-IDF. */
const OWN_FOLDER = join(projectFolder, "firmware", "esp32", "sdkconfig");
/** What light sleep needs of them, in an image with its module only. */
const LIGHT_SLEEP_FOLDER = join(projectFolder, "firmware", "light-sleep", "sdkconfig");
/** What a new image on trial needs of them, in an image with updates only. */
const UPDATE_FOLDER = join(projectFolder, "firmware", "update", "sdkconfig");
const DEFAULTS = "sdkconfig.defaults";
const RELEASE = "sdkconfig.defaults.release";
const INSTRUMENT = "sdkconfig.inst";

/** A file of settings. */
export interface SettingsFile {
	/** As people are shown it. */
	readonly path: string;
	readonly text: string;
}

/** The settings of a build. */
export interface MergedSettings {
	/** A manifest to be included last, absolute. */
	readonly manifest: string;
	/** Firefly's files and the project's, the later the stronger: all of them have to take effect. */
	readonly files: readonly SettingsFile[];
}

/**
 * Merges the settings of the board, of Firefly and of the project, the later the stronger. mcconfig takes
 * one folder only, `build.SDKCONFIGPATH` of the manifest that is included last, which is the board's if it
 * has one: alone, it would build Firefly without its watchdog.
 * @param sdk folder of the SDK
 * @param loaded the project's manifest
 * @param kind of the build
 * @param output folder for what is written
 * @throws {Failure} if the project names a folder that is not there
 */
export function mergeSettings(
	sdk: string,
	target: Target,
	{ path: project, json, modules }: LoadedManifest,
	kind: BuildKind,
	output: string,
): MergedSettings {
	const board = boardFolder(sdk, target);
	const lightSleep = modules.has(LIGHT_SLEEP_MODULE) ? LIGHT_SLEEP_FOLDER : undefined;
	const update = modules.has(UPDATE_MODULE) ? UPDATE_FOLDER : undefined;
	const folders = [OWN_FOLDER, lightSleep, update, projectSettings(sdk, project, json)];
	const always = folders.flatMap((own) => readFiles(own, [DEFAULTS, RELEASE]));
	const withConsole = folders.flatMap((own) => readFiles(own, [INSTRUMENT]));
	const folder = join(output, "settings");
	mkdirSync(join(folder, "sdkconfig"), { recursive: true });
	// The board's settings for a kind of build come after all others in mcconfig: ours follow them there too.
	for (const name of [DEFAULTS, RELEASE, INSTRUMENT]) {
		const own = name === INSTRUMENT ? [...always, ...withConsole] : always;
		const text = [readText(board, name), ...own.map((file) => file.text)].join("\n");
		writeIfChanged(join(folder, "sdkconfig", name), text);
	}
	const path = join(folder, "manifest.json");
	writeIfChanged(path, JSON.stringify({ build: { SDKCONFIGPATH: "./sdkconfig" } }));
	return { manifest: path, files: kind === "instrument" ? [...always, ...withConsole] : always };
}

/** Folder of a board's own settings. */
function boardFolder(sdk: string, { name, platform }: Target): string | undefined {
	if (!platform.includes("/")) return undefined;
	const folder = join(sdk, "build", "devices", "esp32", "targets", name);
	const text = readFileSync(join(folder, "manifest.json"), "utf8");
	const named = /"SDKCONFIGPATH"\s*:\s*"([^"]+)"/.exec(text)?.[1];
	return named === undefined
		? undefined
		: resolve(
				folder,
				named.replace("$(MODDABLE)", () => sdk),
			);
}

/**
 * Folder that the project's manifest names itself.
 * @throws {Failure} if it is not there
 */
function projectSettings(sdk: string, manifest: string, json: object): string | undefined {
	const { build = {} } = json as { readonly build?: Readonly<Record<string, unknown>> };
	const { SDKCONFIGPATH: named, ...others } = build;
	if (typeof named !== "string") return undefined;
	const variables = new BuildVariables({ ...process.env, MODDABLE: sdk });
	variables.define(others, manifest);
	const expanded = variables.expand(named);
	const path = "path" in expanded ? resolve(dirname(manifest), expanded.path) : named;
	if (existsSync(path)) return path;
	throw new Failure(`build.SDKCONFIGPATH of the manifest names ${path}, which is not there`);
}

function readFiles(folder: string | undefined, names: readonly string[]): SettingsFile[] {
	if (folder === undefined) return [];
	return names
		.map((name) => join(folder, name))
		.filter((path) => existsSync(path))
		.map((path) => ({ path: shownPath(path), text: readFileSync(path, "utf8") }));
}

function readText(folder: string | undefined, name: string): string {
	const path = folder === undefined ? "" : join(folder, name);
	return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** ESP-IDF is configured anew, and all is compiled, after a change. */
function writeIfChanged(path: string, text: string): void {
	if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

function shownPath(path: string): string {
	const way = relative(process.cwd(), path);
	return way.startsWith("..") ? path : way;
}
