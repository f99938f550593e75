import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ManifestView } from "./json";
import type { Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { nearest } from "./suggest";

/** The driver of recordings, which exists only in the simulator; "virtual" can run on a chip, if included. */
const simulatorDrivers = ["replay"];

/**
 * Reports sensors whose driver is not in the build, and the include that adds it.
 * @param included drivers in the build
 * @param firmware folder of Firefly's firmware, if it is included
 * @param path of the manifest
 */
export function driverProblems(
	document: ManifestView,
	included: ReadonlySet<string>,
	firmware: string | undefined,
	path: string,
): Problem[] {
	const root = ["config", "firefly", "sensors"];
	const sensors = valueAt(document.value, root);
	if (!Array.isArray(sensors)) return [];
	const own = firmware === undefined ? new Map<string, string>() : ownDrivers(firmware, path);
	const present = new Set([...included, ...simulatorDrivers]);
	const problems: Problem[] = [];
	for (const index of sensors.keys()) {
		const place = [...root, index, "driver"];
		const driver = valueAt(document.value, place);
		if (typeof driver !== "string" || present.has(driver)) continue;
		problems.push(
			document.at(
				place,
				`"${driver}" is a driver that no include provides; ${includeAdvice(driver, present, own)}`,
			),
		);
	}
	return problems;
}

function includeAdvice(
	driver: string,
	present: ReadonlySet<string>,
	own: ReadonlyMap<string, string>,
): string {
	const manifest = own.get(driver);
	if (manifest !== undefined) return `add ${JSON.stringify(manifest)} to include`;
	const meant = nearest(driver, [...present, ...own.keys()]);
	if (meant !== undefined)
		return `did you mean "${meant}"?${present.has(meant) ? "" : ` Then add ${JSON.stringify(own.get(meant))} to include`}`;
	const names = [...own.keys()].sort();
	const instead = names.length === 0 ? "" : `; Firefly itself has ${names.join(", ")}`;
	return `add the manifest that brings the module driver/${driver} to include, such as "./${driver}/manifest.json"${instead}`;
}

/** Firefly's own drivers, each with the path of its manifest for `include`. */
function ownDrivers(firmware: string, path: string): ReadonlyMap<string, string> {
	const folder = join(firmware, "drivers");
	const drivers = new Map<string, string>();
	if (!existsSync(folder)) return drivers;
	for (const name of readdirSync(folder)) {
		const manifest = join(folder, name, "manifest.json");
		if (existsSync(manifest)) drivers.set(name, includePath(dirname(path), manifest));
	}
	return drivers;
}

function includePath(from: string, to: string): string {
	const path = relative(from, to).replaceAll("\\", "/");
	return path.startsWith("..") ? path : `./${path}`;
}
