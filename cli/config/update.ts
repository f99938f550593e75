import { dirname, join, relative } from "node:path";
import { defaults } from "../../src/config/defaults";
import { type Included, missingInclude } from "./includes";
import type { ManifestView } from "./json";
import { hasImageSlots } from "./partitions";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];
const FOLDER = "update";
/** Firefly's partition table with two slots. */
const TABLE = "update/partitions.csv";

/** The module that a build has with the include of updates. */
export const UPDATE_MODULE = "firmware/update/image-slots";

/**
 * What is wrong with `update`: no commands to ask for one, an image that lacks it, one place for images only.
 * @param path of the manifest
 */
export function updateProblems(
	document: ManifestView,
	{ firmware, modules, partitions }: Included,
	path: string,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
	const at = [...root, "update"];
	if (valueAt(document.value, at) === undefined) return { problems: [], warnings: [] };
	const role = valueAt(document.value, [...root, "role"]) ?? defaults.role;
	if (role !== "sensor")
		return {
			problems: [document.at(at, "is for a sensor node: a broker would have to start anew")],
			warnings: [],
		};
	const problems: Problem[] = [];
	if (valueAt(document.value, [...root, "commands"]) === undefined)
		problems.push(document.at(at, 'needs "commands": {}: the command update asks for an image'));
	if (firmware === undefined) return { problems, warnings: [] };
	if (!modules.has(UPDATE_MODULE)) problems.push(document.at(at, missingInclude(firmware, FOLDER, path)));
	const slots = partitions === undefined ? false : hasImageSlots(partitions);
	if (typeof slots === "string")
		return {
			problems,
			warnings: [
				document.at(at, `needs two slots for images; whether there are is not known: ${partitions} ${slots}`),
			],
		};
	if (!slots) {
		const table = relative(dirname(path), join(firmware, TABLE)).replaceAll("\\", "/");
		const shown = table.startsWith("..") ? join(firmware, TABLE) : `./${table}`;
		problems.push(
			document.at(
				at,
				`needs a partition table with the slots ota_0 and ota_1 and with otadata: name one in build.PARTITIONS_FILE, such as ${JSON.stringify(shown)}`,
			),
		);
	}
	return { problems, warnings: [] };
}
