import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../failure";
import { localText, manifestText } from "./manifest-text";
import { completedIgnores, completedPackage, packageText } from "./package-text";
import type { Project } from "./project";
import { readmeText } from "./readme-text";
import { testText } from "./test-text";

/** What became of a file. */
export interface FileResult {
	readonly name: string;
	readonly result: "created" | "completed" | "replaced" | "kept";
}

/** A file of a project, before it is written. */
interface ProjectFile {
	readonly name: string;
	readonly text: string;
	/** What an existing file becomes; undefined: it stays. */
	readonly complete?: (existing: string) => string | undefined;
	/** Of the user alone. */
	readonly secret?: true;
}

/** The manifest is what a project is: it is never kept silently. */
const MANIFEST = "manifest.json";

function filesOf(project: Project): readonly ProjectFile[] {
	const local = localText(project);
	return [
		{ name: MANIFEST, text: manifestText(project) },
		...(local === undefined ? [] : [{ name: "firefly.local.json", text: local, secret: true as const }]),
		{
			name: "package.json",
			text: packageText(project),
			complete: (existing) => completedPackage(existing, project),
		},
		{ name: ".gitignore", text: completedIgnores("") ?? "", complete: completedIgnores },
		{ name: "README.md", text: readmeText(project) },
		{ name: "test/firmware.test.mjs", text: testText(project) },
	];
}

/**
 * Refuses a folder that has a manifest.
 * @throws {Failure}
 */
export function requireNoManifest(folder: string, shown: string): void {
	if (!existsSync(join(folder, MANIFEST))) return;
	throw new Failure(`${join(shown, MANIFEST)} exists; nothing was changed. --force replaces it`);
}

/**
 * Writes the files of a project. Existing ones stay, but for scripts and ignored files that are missing.
 * @param force whether existing files are replaced
 */
export function writeProject(folder: string, project: Project, force: boolean): readonly FileResult[] {
	return filesOf(project).map(({ name, text, complete, secret }): FileResult => {
		const path = join(folder, name);
		mkdirSync(dirname(path), { recursive: true });
		const mode = secret ? 0o600 : 0o666;
		if (!existsSync(path)) {
			writeFileSync(path, text, { mode, flag: "wx" });
			return { name, result: "created" };
		}
		const completed = complete?.(readFileSync(path, "utf8"));
		if (complete !== undefined) {
			if (completed === undefined) return { name, result: "kept" };
			writeFileSync(path, completed);
			return { name, result: "completed" };
		}
		if (!force) return { name, result: "kept" };
		writeFileSync(path, text, { mode });
		return { name, result: "replaced" };
	});
}
