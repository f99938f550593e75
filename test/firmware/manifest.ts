import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./import-graph";

interface Part {
	readonly include?: readonly string[];
	readonly modules?: Readonly<Record<string, string>>;
	readonly preload?: readonly string[];
}

interface ManifestFile extends Part {
	readonly platforms?: Readonly<Record<string, Part>>;
}

export interface Manifest {
	readonly include: readonly string[];
	/** Target name → project file, relative to the repository, without extension. */
	readonly modules: ReadonlyMap<string, string>;
	readonly preload: ReadonlySet<string>;
}

/** A manifest of the project as mcconfig reads it for one platform, without its includes. */
export function readManifest(path: string, platform: string): Manifest {
	const file = JSON.parse(readFileSync(join(root, path), "utf8")) as ManifestFile;
	const parts: Part[] = [file];
	const part = file.platforms?.[platform] ?? file.platforms?.["..."];
	if (part) parts.push(part);
	const modules = new Map<string, string>();
	for (const { modules: listed = {} } of parts)
		for (const [target, source] of Object.entries(listed))
			modules.set(target, relative(root, join(root, dirname(path), source)));
	return {
		include: parts.flatMap(({ include = [] }) => include),
		modules,
		preload: new Set(parts.flatMap(({ preload = [] }) => preload)),
	};
}
