import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";

/**
 * The path of Firefly from a project's folder, with slashes, beginning with `./` or `../`: the installed
 * package if it is found from there, else the folder that this command runs from.
 * @param folder may not exist yet
 */
export function fireflyFrom(folder: string): string {
	const from = realFolder(folder);
	for (let at = from; ; at = dirname(at)) {
		const installed = join(at, "node_modules", "firefly");
		if (existsSync(installed) && isSame(installed)) return slashes(relative(from, installed));
		if (at === dirname(at)) return slashes(relative(from, realpathSync(projectFolder)));
	}
}

function isSame(folder: string): boolean {
	return realpathSync(folder) === realpathSync(projectFolder);
}

/** A folder without symbolic links, as far as it exists. */
function realFolder(folder: string): string {
	const path = resolve(folder);
	return existsSync(path)
		? realpathSync(path)
		: join(realFolder(dirname(path)), path.slice(dirname(path).length));
}

function slashes(path: string): string {
	const text = path.replaceAll(sep, "/");
	return /^\.\.?(\/|$)/.test(text) ? text : `./${text}`;
}
