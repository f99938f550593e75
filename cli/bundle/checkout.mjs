/** The bundle of a checkout: built at the first start, and again whenever one of its files has changed. */
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheFolder, entryName, projectFolder } from "../../sim/cache/folder.mjs";

/**
 * What the last build read.
 * @typedef {object} State
 * @property {string} project
 * @property {string} bundle name of its folder
 * @property {boolean} settled whether every file was old enough to be told from a later edit by its times
 * @property {Readonly<Record<string, string>>} files signatures by absolute path
 */

const STATE = "state.json";
/** A file that changed this short a time before a build may change once more with the same times, ms. */
const SETTLING_MS = 1000;
/** Bundles that are no longer current may still be in use; after this time they are deleted, ms. */
const KEPT_MS = 24 * 3_600_000;

/**
 * The current bundle's module, as a URL; builds it if necessary. Throws an Error with a message for users.
 * @returns {Promise<string>}
 */
export async function checkoutBundle() {
	const folder = join(cacheFolder("cli"), entryName(projectFolder));
	const state = readState(folder);
	const current = state !== undefined && isCurrent(state) ? state : await buildBundle(folder);
	return pathToFileURL(join(folder, current.bundle, "main.js")).href;
}

/**
 * @param {string} folder
 * @returns {State | undefined}
 */
function readState(folder) {
	try {
		return JSON.parse(readFileSync(join(folder, STATE), "utf8"));
	} catch {
		return undefined;
	}
}

/** @param {State} state */
function isCurrent({ project, settled, files }) {
	return (
		settled &&
		project === projectFolder &&
		Object.entries(files).every(([path, signature]) => signatureOf(path)?.text === signature)
	);
}

/**
 * Size, times and inode of a file; undefined if it does not exist. Within packages, hard links of other
 * checkouts change a file's ctime, so that only installing counts.
 * @param {string} path
 */
function signatureOf(path) {
	const status = statSync(path, { throwIfNoEntry: false });
	if (status === undefined) return undefined;
	const { size, mtimeMs, ctimeMs, ino } = status;
	return path.includes(`${sep}node_modules${sep}`)
		? { text: `${size} ${mtimeMs} ${ino}`, changedAt: mtimeMs }
		: { text: `${size} ${mtimeMs} ${ctimeMs} ${ino}`, changedAt: Math.max(mtimeMs, ctimeMs) };
}

/**
 * @param {string} folder
 * @returns {Promise<State>}
 */
async function buildBundle(folder) {
	const startedAt = Date.now();
	const { bundle } = await loadBundler();
	mkdirSync(folder, { recursive: true });
	const output = mkdtempSync(join(folder, "bundle-"));
	const name = basename(output);
	const inputs = await bundle(projectFolder, output, { relocatable: false });
	const others = ["package.json", "cli/bundle/bundler.mjs", "node_modules/.package-lock.json"];
	/** @type {Record<string, string>} */
	const files = {};
	let changedAt = 0;
	for (const path of [...inputs, ...others.map((other) => join(projectFolder, other))]) {
		const signature = signatureOf(path);
		if (signature === undefined) continue;
		files[path] = signature.text;
		changedAt = Math.max(changedAt, signature.changedAt);
	}
	const settled = changedAt < startedAt - SETTLING_MS;
	const state = { project: projectFolder, bundle: name, settled, files };
	writeFileSync(join(output, STATE), JSON.stringify(state));
	renameSync(join(output, STATE), join(folder, STATE));
	removeOldBundles(folder, name);
	removeAbandonedEntries(dirname(folder));
	return state;
}

async function loadBundler() {
	try {
		return await import("./bundler.mjs");
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ERR_MODULE_NOT_FOUND") throw error;
		throw new Error("Firefly's packages are not installed: run npm ci first");
	}
}

/**
 * @param {string} folder
 * @param {string} current
 */
function removeOldBundles(folder, current) {
	for (const name of readdirSync(folder)) {
		const path = join(folder, name);
		if (name === STATE || name === current) continue;
		const status = statSync(path, { throwIfNoEntry: false });
		if (status !== undefined && status.mtimeMs < Date.now() - KEPT_MS)
			rmSync(path, { recursive: true, force: true });
	}
}

/**
 * Removes the bundles of checkouts that are gone.
 * @param {string} cache
 */
function removeAbandonedEntries(cache) {
	for (const name of readdirSync(cache)) {
		const state = readState(join(cache, name));
		if (state !== undefined && !existsSync(state.project))
			rmSync(join(cache, name), { recursive: true, force: true });
	}
}
