/**
 * Where what is built once on a machine is kept: the engine, and the command line's bundle. JavaScript,
 * because it runs before there is a bundle.
 */
import { accessSync, constants, existsSync, lstatSync, mkdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of this project, or of the installed package. */
export const projectFolder = fileURLToPath(new URL("../../", import.meta.url));

/** Whether the project is a checkout, whose sources change; npm never packs `package-lock.json`. */
export const isCheckout = existsSync(join(projectFolder, "package-lock.json"));

/**
 * The cache folder of that name, which exists and is writable: below `.cache` of a checkout, else below
 * `$XDG_CACHE_HOME/firefly` (`~/.cache/firefly`), else below the temporary folder. Throws an Error if nothing
 * can be written.
 * @param {string} name
 * @param {{
 *   checkout?: string, environment?: NodeJS.ProcessEnv, home?: string, temporary?: string
 * }} [options] all have defaults; `checkout`: its folder, or "" for an installed package
 * @returns {string}
 */
export function cacheFolder(name, options = {}) {
	const {
		checkout = isCheckout ? projectFolder : "",
		environment = process.env,
		temporary = tmpdir(),
	} = options;
	const xdg = environment.XDG_CACHE_HOME;
	const user = xdg !== undefined && isAbsolute(xdg) ? xdg : join(options.home ?? homedir(), ".cache");
	const shared = join(temporary, `firefly-${process.getuid?.() ?? "user"}`);
	const candidates = [
		...(checkout === "" ? [] : [join(checkout, ".cache", name)]),
		join(user, "firefly", name),
	];
	for (const folder of candidates) if (isWritable(folder)) return folder;
	// Others can write to the temporary folder too, and what is kept here is executed.
	if (isWritable(shared) && isPrivate(shared) && isWritable(join(shared, name))) return join(shared, name);
	throw new Error(
		`nowhere to keep what is built once: none of ${[...candidates, join(shared, name)].join(", ")} can be written; set XDG_CACHE_HOME to a folder that can`,
	);
}

/** Longest name of an entry, in characters; file systems allow 255 bytes. */
const MAX_ENTRY_NAME = 100;

/**
 * A name for a folder's own entry in a cache that several checkouts share: the end of its path. Two folders
 * may have the same name, which the entry's owner has to tell.
 * @param {string} folder
 * @returns {string}
 */
export function entryName(folder) {
	return folder
		.replaceAll(/[^A-Za-z0-9]+/g, "-")
		.replaceAll(/^-|-$/g, "")
		.slice(-MAX_ENTRY_NAME);
}

/** @param {string} folder */
function isWritable(folder) {
	try {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		accessSync(folder, constants.W_OK | constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** @param {string} folder */
function isPrivate(folder) {
	const { uid, mode } = lstatSync(folder);
	const isDirectory = (mode & constants.S_IFMT) === constants.S_IFDIR;
	return isDirectory && (process.getuid === undefined || uid === process.getuid()) && (mode & 0o022) === 0;
}
