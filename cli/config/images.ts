import { defaults } from "../../src/config/defaults";
import { imageRoles } from "./includes";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const rolePath: Path = ["config", "firefly", "role"];

/**
 * Reports a role that the image lacks.
 * @param image manifest of the firmware that is included; undefined: none
 */
export function imageProblems(document: ManifestView, image: string | undefined): Problem[] {
	const roles = image === undefined ? undefined : imageRoles[image];
	const written = valueAt(document.value, rolePath);
	const role = written ?? defaults.role;
	if (roles === undefined || typeof role !== "string" || roles.includes(role)) return [];
	const fitting = Object.keys(imageRoles).filter((name) => imageRoles[name]!.includes(role));
	if (fitting.length === 0) return [];
	return [
		document.at(
			written === undefined ? rolePath.slice(0, -1) : rolePath,
			`"${role}" is not in the image of firmware/${image}; include firmware/${fitting.join(" or firmware/")}`,
		),
	];
}
