/**
 * Rewrites the module lists of firmware/manifest.json from the imports of the firmware, the manifests of the
 * images with one role, which differ in their modules only, and src/version.ts from package.json. Run
 * `npm run manifest` after a file was added or removed; `npm version` runs it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IMAGES } from "./images";
import { importGraph, root } from "./import-graph";

interface Lists {
	modules: Record<string, string>;
	preload: string[];
}

const path = join(root, "firmware/manifest.json");
const platforms = ["esp32", "lin"] as const;
const manifest = JSON.parse(readFileSync(path, "utf8")) as Lists & {
	platforms: Record<(typeof platforms)[number], Lists>;
};

/** Path relative to firmware/manifest.json. */
function source(file: string): string {
	return file.startsWith("firmware/") ? file.replace("firmware", ".") : `../${file}`;
}

/** Sorts the firmware's own files first. */
function order(a: string, b: string): number {
	return Number(b.startsWith("firmware/")) - Number(a.startsWith("firmware/")) || (a < b ? -1 : 1);
}

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
writeFileSync(
	join(root, "src/version.ts"),
	`/** Version of the project. Written by \`npm version\` from package.json. */
export const VERSION = ${JSON.stringify(version)};\n`,
);

for (const { name, roles } of IMAGES) {
	const graphs = new Map<string, ReadonlySet<string>>();
	for (const platform of platforms)
		graphs.set(platform, (await importGraph("firmware/main", `firmware/${platform}/host`, roles)).files);
	const isCommon = (file: string): boolean => [...graphs.values()].every((files) => files.has(file));
	const target = (file: string, platform: string): string =>
		file === roles ? "firmware/roles" : file.replace(`firmware/${platform}/`, "firmware/platform/");
	for (const platform of platforms) {
		const files = [...graphs.get(platform)!].sort(order);
		const common = files.filter(isCommon);
		const special = files.filter((file) => !isCommon(file));
		const listed = (list: readonly string[]): Record<string, string> =>
			Object.fromEntries(list.map((file) => [target(file, platform), source(file)]));
		manifest.modules = listed(common);
		manifest.preload = Object.keys(manifest.modules);
		manifest.platforms[platform].modules = listed(special);
		manifest.platforms[platform].preload = Object.keys(manifest.platforms[platform].modules);
	}
	writeFileSync(join(root, "firmware", name), `${JSON.stringify(manifest, null, 2)}\n`);
}
