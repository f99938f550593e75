import { defaults } from "../../src/config/defaults";
import { type Included, missingInclude } from "./includes";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const mdns: Path = ["config", "firefly", "listen", "mdns"];
const MODULE = "firmware/mdns/announcement";

/**
 * Warns of a broker's name that an image does not announce. A desk does: the manifest may be meant for it.
 * @param path of the manifest
 */
export function announcementWarnings(
	document: ManifestView,
	{ firmware, modules }: Included,
	path: string,
): readonly Problem[] {
	const name = valueAt(document.value, mdns);
	const role = valueAt(document.value, ["config", "firefly", "role"]) ?? defaults.role;
	if (typeof name !== "string" || role === "sensor" || firmware === undefined || modules.has(MODULE))
		return [];
	return [
		document.at(
			mdns,
			`${JSON.stringify(name)} ${missingInclude(firmware, "mdns", path)} for a chip, which does not announce it otherwise`,
		),
	];
}
