import { relative, resolve } from "node:path";
import { Manifest } from "../../src/config/schema/manifest";
import type { ConfiguredDevice } from "../meaning/meaning";
import { announcementWarnings } from "./announcement";
import { busProblems } from "./buses";
import { type Declarations, readDeclarations } from "./declarations";
import { driverProblems } from "./drivers";
import { readManifestDocument } from "./file";
import { flashProblems } from "./flash-problems";
import { imageProblems } from "./images";
import { type Included, readIncludes } from "./includes";
import { JSONDocument, type ManifestView } from "./json";
import { lightSleepProblems } from "./light-sleep";
import { type Overrides, readOverrides } from "./overrides";
import { ownBrokerWarnings } from "./own-broker";
import { commonView, newProblems, platformViews } from "./platforms";
import { type Problem, sortProblems } from "./problem";
import { ruleProblems } from "./rules";
import { schemaProblems } from "./schema-problems";
import { creationSizes, deviceSettings } from "./sizes";
import { transportProblems, type URLSource } from "./transports";
import { updateProblems } from "./update";
import { wakePinProblems } from "./wake-pins";
import { configWarnings } from "./warnings";

/** A manifest without problems. */
export interface LoadedManifest {
	/** Absolute; includes are relative to its folder. */
	readonly path: string;
	/** Content of the file. */
	readonly json: object;
	/** Values that the command line adds to `mc/config`. */
	readonly overrides: Overrides;
	/** Drivers of the build, for at least one target. */
	readonly drivers: readonly string[];
	/** Names of the modules of the build, for at least one target, but for those with wildcards. */
	readonly modules: ReadonlySet<string>;
	/** The device that an ESP32 becomes with it. */
	readonly device: ConfiguredDevice;
}

export type Loaded = ({ readonly manifest: LoadedManifest } | { readonly problems: readonly Problem[] }) & {
	/** What is allowed, but seldom meant. */
	readonly warnings: readonly Problem[];
};

/**
 * Reads and checks a manifest, its includes and its overrides.
 * @param file as the user named it
 * @param overrides from the command line; they take precedence over `firefly.local.json` and the environment
 * @param onChip whether it is for a chip, in whose memory the pools must fit; if not, for a broker on this
 *   machine, which needs neither a firmware nor what only a sensor node needs
 * @param platform of mcconfig that is built, such as `esp32/esp32c3`
 */
export function loadManifest(
	file: string,
	environment: NodeJS.ProcessEnv,
	overrides: Overrides = {},
	onChip = true,
	platform?: string,
): Loaded {
	const path = resolve(file);
	const shown = relative(process.cwd(), path).startsWith("..") ? file : relative(process.cwd(), path) || file;
	const document = readManifestDocument(path, shown);
	if (!(document instanceof JSONDocument)) return { problems: [document], warnings: [] };
	return checkDocument(document, path, environment, overrides, onChip, platform);
}

/** Checks a manifest, read or generated, as if it were at `path`. */
export function checkDocument(
	document: JSONDocument,
	path: string,
	environment: NodeJS.ProcessEnv,
	overrides: Overrides = {},
	onChip = true,
	platform?: string,
): Loaded {
	const problems = [...document.problems];
	const { value } = document;
	if (value === undefined) return { problems: sortProblems(problems), warnings: [] };
	const local = readOverrides(path, environment);
	const merged = { ...local.overrides, ...overrides };
	const urls: Readonly<Record<"broker" | "bridge", URLSource>> = {
		broker: { local: local.overrides.broker_url, commandLine: overrides.broker_url },
		bridge: { local: local.overrides.bridge_url },
	};
	const shape = schemaProblems(document, Manifest, ["config", "firefly"]);
	problems.push(...shape);
	const warnings: Problem[] = [];
	let drivers: ConfiguredDevice["drivers"] = new Map();
	let names: readonly string[] = [];
	let modules: ReadonlySet<string> = new Set();
	let chip: ManifestView = document;
	if (typeof value === "object" && value !== null && !Array.isArray(value)) {
		const included = readIncludes(document, path, environment);
		const declarations = readDeclarations(included.drivers);
		problems.push(...declarations.problems);
		({ drivers } = declarations);
		names = [...included.drivers.keys()];
		({ modules } = included);
		const common = checkValues(
			commonView(document, path, included),
			path,
			merged,
			urls,
			included,
			declarations,
			onChip,
		);
		const rules: Problem[] = [];
		const views = platformViews(document, path, included, platform);
		chip = views[0];
		for (const view of views) {
			const special = checkValues(view, path, merged, urls, included, declarations, onChip, view.name);
			rules.push(...newProblems(special.rules, common.rules, rules));
			warnings.push(...newProblems(special.warnings, common.warnings, warnings));
		}
		// A rule violation at a value of the wrong type is a consequence of the problem already reported.
		const alreadyReported = (rule: Problem) =>
			shape.some(({ line, column }) => line === rule.line && column === rule.column);
		problems.push(...included.problems, ...rules.filter((rule) => !alreadyReported(rule)));
		if (included.firmware === undefined && onChip)
			problems.push(
				document.at(["include"], "does not lead to firmware/manifest.json, which is Firefly itself"),
			);
	}
	problems.push(...local.problems);
	const sorted = { warnings: sortProblems(warnings) };
	if (problems.length > 0) return { problems: sortProblems(problems), ...sorted };
	const device = { settings: deviceSettings(chip, merged), ...creationSizes(chip), drivers };
	return {
		manifest: { path, json: value as object, overrides: merged, drivers: names, modules, device },
		...sorted,
	};
}

/** Checks values against each other, against the firmware and against the chip, as one platform has them. */
function checkValues(
	view: ManifestView,
	path: string,
	overrides: Overrides,
	urls: Readonly<Record<"broker" | "bridge", URLSource>>,
	included: Included,
	declarations: Declarations,
	onChip: boolean,
	platform = "esp32",
): { readonly rules: Problem[]; readonly warnings: readonly Problem[] } {
	const rules = ruleProblems(view, overrides, onChip);
	const warnings = configWarnings(view, overrides);
	const transports = transportProblems(view, included, urls, path, onChip);
	rules.push(...transports.problems);
	if (!onChip) return { rules, warnings };
	rules.push(...imageProblems(view, included.image));
	const drivers = driverProblems(view, included, declarations, path);
	rules.push(...drivers.problems);
	warnings.push(...drivers.warnings, ...transports.warnings, ...announcementWarnings(view, included, path));
	warnings.push(...ownBrokerWarnings(view, overrides));
	rules.push(...busProblems(view, declarations.drivers, platform));
	const wakePins = wakePinProblems(view, platform);
	rules.push(...wakePins.problems);
	warnings.push(...wakePins.warnings);
	// On other platforms the state is in files, and there is no light sleep.
	if (platform.startsWith("esp32") || platform === "...") {
		const lightSleep = lightSleepProblems(view, included, path);
		rules.push(...lightSleep.problems);
		warnings.push(...lightSleep.warnings);
		const update = updateProblems(view, included, path);
		rules.push(...update.problems);
		warnings.push(...update.warnings);
		const flash = flashProblems(view, overrides, included, path);
		rules.push(...flash.problems);
		warnings.push(...flash.warnings);
	}
	return { rules, warnings };
}
