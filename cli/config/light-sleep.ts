import { defaults } from "../../src/config/defaults";
import { type Included, missingInclude } from "./includes";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];
const FOLDER = "light-sleep";

/** The module that a build has with the include of light sleep. */
export const LIGHT_SLEEP_MODULE = "firmware/light-sleep/light-sleep";

/**
 * What is wrong with `"mode": "light"`: an image that lacks it, a node that never sleeps.
 * @param path of the manifest
 */
export function lightSleepProblems(
	document: ManifestView,
	{ firmware, modules }: Included,
	path: string,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
	const at = [...root, "sleep", "mode"];
	if (valueAt(document.value, at) !== "light") return { problems: [], warnings: [] };
	const role = valueAt(document.value, [...root, "role"]) ?? defaults.role;
	if (role !== "sensor")
		return {
			problems: [],
			warnings: [document.at(at, "has no effect on a broker, which stays awake for its clients")],
		};
	if (firmware === undefined || modules.has(LIGHT_SLEEP_MODULE)) return { problems: [], warnings: [] };
	return { problems: [document.at(at, `"light" ${missingInclude(firmware, FOLDER, path)}`)], warnings: [] };
}
