import {
	chmodSync,
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readFileSync,
	rmdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Failure, systemErrorText } from "../failure";
import { replaceFile } from "../replaced-file";
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
	if (existsSync(join(folder, MANIFEST))) throw manifestExists(join(shown, MANIFEST));
}

function manifestExists(path: string): Failure {
	return new Failure(`${path} exists; nothing was changed. --force replaces it`);
}

/**
 * Writes the files of a project. Existing ones stay, but for scripts and ignored files that are missing. If
 * one cannot be written, those that were created are removed again.
 * @param force whether existing files are replaced
 * @throws {Failure} with the file that cannot be written, or if there is a manifest and none may be replaced
 */
export function writeProject(folder: string, project: Project, force: boolean): readonly FileResult[] {
	const created: string[] = [];
	return filesOf(project).map((file): FileResult => {
		const path = join(folder, file.name);
		try {
			createFolder(dirname(path), created);
			return { name: file.name, result: writeFile(path, file, force, created) };
		} catch (error) {
			for (const each of created.toReversed()) removeCreated(each);
			if (file.name === MANIFEST && (error as NodeJS.ErrnoException).code === "EEXIST")
				throw manifestExists(path);
			throw new Failure(`${path} cannot be written: ${systemErrorText(error)}`);
		}
	});
}

function writeFile(
	path: string,
	{ name, text, complete, secret }: ProjectFile,
	force: boolean,
	created: string[],
): FileResult["result"] {
	// Of two commands in one folder at once, the second one fails here
	const isExclusive = name === MANIFEST && !force;
	if (isExclusive || !existsSync(path)) {
		const file = openSync(path, "wx", secret ? 0o600 : 0o666);
		created.push(path);
		try {
			writeFileSync(file, text);
		} finally {
			closeSync(file);
		}
		return "created";
	}
	if (complete !== undefined) {
		const completed = complete(readFileSync(path, "utf8"));
		if (completed === undefined) return "kept";
		replaceFile(path, completed);
		return "completed";
	}
	if (!force) return "kept";
	replaceFile(path, text);
	if (secret) chmodSync(path, 0o600);
	return "replaced";
}

/** @param created gets the folders that were missing, outermost first */
function createFolder(folder: string, created: string[]): void {
	if (existsSync(folder) && statSync(folder).isDirectory()) return;
	createFolder(dirname(folder), created);
	if (mkdirSync(folder, { recursive: true }) !== undefined) created.push(folder);
}

/** A folder stays if others have put something into it. */
function removeCreated(path: string): void {
	try {
		if (statSync(path).isDirectory()) rmdirSync(path);
		else rmSync(path);
	} catch {
		// Whatever it was, the cause of the failure matters more.
	}
}
