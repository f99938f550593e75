import { dirname, join, relative } from "node:path";
import { declarationPath } from "../../sim/manifest/driver-declaration";
import { type Declarations, ownDeclarations, ownDriverNames } from "./declarations";
import { driverValueProblems, sleepWarnings, unannouncedWarnings, unitWarnings } from "./driver-values";
import type { Included } from "./includes";
import type { ManifestView } from "./json";
import { meantDriver } from "./meant-driver";
import type { Problem } from "./problem";
import { valueAt } from "./schema-problems";

/** The driver of recordings, which exists only in the simulator; "virtual" can run on a chip, if included. */
export const SIMULATOR_DRIVERS = ["replay"];

/**
 * Reports sensors whose driver is not in the build, and the include that adds it; and options and properties
 * that the driver does not declare.
 * @param path of the manifest
 */
export function driverProblems(
	document: ManifestView,
	included: Included,
	declarations: Declarations,
	path: string,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
	const root = ["config", "firefly", "sensors"];
	const sensors = valueAt(document.value, root);
	const problems: Problem[] = [];
	const warnings: Problem[] = [];
	const undeclared = new Set<string>();
	if (!Array.isArray(sensors)) return { problems, warnings };
	const { firmware, drivers } = included;
	const own = firmware === undefined ? new Map<string, string>() : ownDrivers(firmware, path);
	const titles = (): ReadonlyMap<string, string | undefined> => {
		const declared = [...(firmware === undefined ? [] : ownDeclarations(firmware)), ...declarations.drivers];
		return new Map([
			...[...own.keys(), ...present].map((name) => [name, undefined] as const),
			...declared.map(([name, { title }]) => [name, title] as const),
		]);
	};
	const present = new Set([...drivers.keys(), ...SIMULATOR_DRIVERS]);
	for (const [index, sensor] of sensors.entries()) {
		const place = [...root, index, "driver"];
		const driver = valueAt(document.value, place);
		if (typeof driver !== "string") continue;
		const declaration = declarations.drivers.get(driver);
		if (!present.has(driver))
			problems.push(
				document.at(
					place,
					`"${driver}" is a driver that no include provides; ${includeAdvice(driver, present, own, titles())}`,
				),
			);
		else if (declaration === undefined) {
			if (!SIMULATOR_DRIVERS.includes(driver) && !undeclared.has(driver))
				warnings.push(document.at(place, undeclaredText(driver, drivers.get(driver)!)));
			undeclared.add(driver);
		} else {
			const of = { document, path: [...root, index], sensor: Object(sensor), driver, declaration };
			problems.push(...driverValueProblems(of));
			warnings.push(...unitWarnings(of), ...unannouncedWarnings(of), ...sleepWarnings(of));
		}
	}
	return { problems, warnings };
}

function undeclaredText(driver: string, module: string): string {
	const file = relative(process.cwd(), declarationPath(module));
	return `"${driver}" declares neither options nor properties, so that nobody checks them; ${file} would`;
}

function includeAdvice(
	driver: string,
	present: ReadonlySet<string>,
	own: ReadonlyMap<string, string>,
	titles: ReadonlyMap<string, string | undefined>,
): string {
	const manifest = own.get(driver);
	if (manifest !== undefined) return `add ${JSON.stringify(manifest)} to include`;
	const meant = meantDriver(driver, titles);
	if (meant !== undefined)
		return `did you mean "${meant}"?${present.has(meant) ? "" : ` Then add ${JSON.stringify(own.get(meant))} to include`}`;
	const names = [...own.keys()].sort();
	const instead = names.length === 0 ? "" : `; Firefly itself has ${names.join(", ")}`;
	return `add the manifest that brings the module driver/${driver} to include, such as "./${driver}/manifest.json"; docs/writing-a-driver.md says how to write one${instead}`;
}

/** Firefly's own drivers, each with the path of its manifest for `include`. */
function ownDrivers(firmware: string, path: string): ReadonlyMap<string, string> {
	const manifests = ownDriverNames(firmware).map((name) => {
		const manifest = join(firmware, "drivers", name, "manifest.json");
		return [name, includePath(dirname(path), manifest)] as const;
	});
	return new Map(manifests);
}

function includePath(from: string, to: string): string {
	const path = relative(from, to).replaceAll("\\", "/");
	return path.startsWith("..") ? path : `./${path}`;
}
