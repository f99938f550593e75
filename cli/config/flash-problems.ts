import { dirname, join, relative } from "node:path";
import { formatDuration } from "../../src/config/duration";
import { DEFAULT_NVS, nvsNeeded, storedPools, yearsOfFlash } from "./flash";
import type { Included } from "./includes";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import { readNVSSize } from "./partitions";
import type { Path, Problem } from "./problem";
import { deviceSettings } from "./sizes";

const listen: Path = ["config", "firefly", "listen"];
/** Years that flash should last if one value changes in each interval. */
const MINIMUM_YEARS = 5;
/** Firefly's partition table with a large nvs. */
const TABLE = "esp32/partitions.csv";

/**
 * Whether the state of a broker with `persist` fits the flash of an ESP32 at its worst, and how long that
 * lasts.
 * @param path of the manifest
 */
export function flashProblems(
	document: ManifestView,
	overrides: Overrides,
	{ partitions, firmware }: Included,
	path: string,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
	const { role, listen: settings } = deviceSettings(document, overrides);
	if (role === "sensor" || !settings.persist) return { problems: [], warnings: [] };
	const at = [...listen, "persist"];
	const needed = nvsNeeded(settings);
	const says = `up to ${kilobytes(needed)} KB of flash are needed for the state at its worst`;
	const nvs = partitions === undefined ? DEFAULT_NVS : readNVSSize(partitions);
	const warnings: Problem[] = [];
	if (typeof nvs === "string")
		return {
			problems: [],
			warnings: [document.at(at, `${says}; whether nvs has them is not known: ${partitions} ${nvs}`)],
		};
	const years = yearsOfFlash(settings, nvs);
	if (years < MINIMUM_YEARS)
		warnings.push(
			document.at(
				[...listen, "persistInterval"],
				`${formatDuration(settings.persistInterval)} wears the flash out in ${formatYears(years)} where a value changes as often; a longer interval lasts as much longer`,
			),
		);
	if (needed <= nvs) return { problems: [], warnings };
	const [largest] = [...storedPools(settings)].sort((a, b) => b.entries - a.entries);
	const problem = document.at(
		at,
		`${says}, but the partition nvs has ${kilobytes(nvs)}; name a table with a larger one in build.PARTITIONS_FILE${firmware === undefined ? "" : `, such as ${JSON.stringify(tablePath(firmware, path))}`}, or lessen the pools, first of all ${largest.key}, ${settings[largest.key]}, or filterBytes, ${settings.filterBytes}`,
	);
	return { problems: [problem], warnings };
}

/** As mcconfig reads it: relative to the manifest only if it begins with a dot and a slash. */
function tablePath(firmware: string, path: string): string {
	const table = join(firmware, TABLE);
	const way = relative(dirname(path), table).replaceAll("\\", "/");
	return way.startsWith("..") ? table : `./${way}`;
}

function kilobytes(bytes: number): number {
	return Math.floor(bytes / 1024);
}

/** `3 years`, or `50 days`. */
function formatYears(years: number): string {
	return years >= 1 ? `${years.toFixed(1)} years` : `${Math.round(years * 365)} days`;
}
