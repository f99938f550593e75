/**
 * Rewrites the module lists of firmware/manifest.json from the imports of the firmware, and src/version.ts
 * from package.json. Run `npm run manifest` after a file was added or removed; `npm version` runs it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

for (const platform of platforms) {
	const own = `firmware/${platform}/`;
	const target = (file: string): string => file.replace(own, "firmware/platform/");
	const files = [...(await importGraph("firmware/main", `${own}host`)).files].sort(order);
	const [common, special] = [
		files.filter((file) => !file.startsWith(own)),
		files.filter((file) => file.startsWith(own)),
	];
	manifest.modules = Object.fromEntries(common.map((file) => [file, source(file)]));
	manifest.preload = common;
	manifest.platforms[platform].modules = Object.fromEntries(
		special.map((file) => [target(file), source(file)]),
	);
	manifest.platforms[platform].preload = special.map(target);
}

writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
