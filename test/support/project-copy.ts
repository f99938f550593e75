import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectFolder = fileURLToPath(new URL("../../", import.meta.url));

/** What `npm pack` and the command line need of a checkout. */
const ENTRIES = [
	".npmrc",
	"CHANGELOG.md",
	"LICENSE",
	"README.md",
	"cli",
	"docs",
	"examples",
	"firmware",
	"manifest.json",
	"package-lock.json",
	"package.json",
	"sim",
	"src",
];

/** Makes a checkout at `folder` that tests may change; its packages are those of this one. */
export function copyProject(folder: string): void {
	mkdirSync(folder, { recursive: true });
	for (const entry of ENTRIES) cpSync(join(projectFolder, entry), join(folder, entry), { recursive: true });
	symlinkSync(join(projectFolder, "node_modules"), join(folder, "node_modules"));
}
