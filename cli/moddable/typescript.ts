import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";
import { Failure } from "../failure";

/** The version with which Firefly was tested; the SDK asks for the language of ES2025, which 7 has. */
export const TESTED_TYPESCRIPT = "7.0.2";
const OLDEST_MAJOR = 7;

const OWN_FOLDER = join(projectFolder, "node_modules", ".bin");

export interface TypeScript {
	/** Folder of `tsc`, for `PATH`. */
	readonly folder: string;
	readonly version: string;
}

/**
 * Finds the TypeScript compiler that mcconfig is to call: that of the working directory or of Firefly itself
 * if there is one, else that of `PATH`.
 * @throws {Failure} that says what to install
 */
export function findTypeScript(environment: NodeJS.ProcessEnv): TypeScript {
	const folders = [
		join(process.cwd(), "node_modules", ".bin"),
		OWN_FOLDER,
		...(environment.PATH ?? "").split(delimiter),
	];
	let outdated: string | undefined;
	for (const folder of folders) {
		const version = folder === "" ? undefined : compilerVersion(folder);
		if (version === undefined) continue;
		if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return { folder, version };
		outdated ??= version;
	}
	const found = outdated === undefined ? "there is no TypeScript compiler" : `TypeScript is ${outdated}`;
	throw new Failure(
		`${found}: the Moddable SDK needs ${OLDEST_MAJOR} or later; npm install --save-dev typescript@${TESTED_TYPESCRIPT}`,
	);
}

function compilerVersion(folder: string): string | undefined {
	const name = process.platform === "win32" ? "tsc.cmd" : "tsc";
	const path = join(folder, name);
	if (!existsSync(path)) return undefined;
	const { stdout } = spawnSync(path, ["--version"], {
		encoding: "utf8",
		shell: process.platform === "win32",
	});
	return /(\d+\.\d+\.\d+\S*)/.exec(stdout ?? "")?.[1];
}
