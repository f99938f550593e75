import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { imageRoles } from "../config/includes";
import type { Role } from "./preflight";

const FULL_IMAGE = "manifest.json";

/** The manifest that mcconfig reads. */
export interface ImageManifest {
	/** Absolute. */
	readonly path: string;
	/** Manifest of the firmware that it includes, `manifest_sensor.json`; undefined: not directly. */
	readonly image: string | undefined;
	/** Removes what was written for the build. */
	dispose(): void;
}

export interface ImageOptions {
	readonly role: Role;
	/** Whether the image has all roles, whatever it needs. */
	readonly full: boolean;
	/** Name of the target, for the file that is written. */
	readonly target: string;
	/** Manifests that are included last, absolute: of two values of `build`, the later one holds. */
	readonly include: readonly string[];
}

/**
 * The manifest with the firmware's smallest image that has the role, in place of the one with all of them.
 * Paths in a manifest are relative to its folder, so that the changed one stands beside it while it is built.
 * @param path of the manifest
 * @param json its content
 */
export function imageManifest(path: string, json: object, options: ImageOptions): ImageManifest {
	const { include: written } = json as { readonly include?: unknown };
	const include: unknown[] = [written ?? []].flat();
	let image: string | undefined;
	for (const [index, entry] of include.entries()) {
		if (typeof entry !== "string") continue;
		const target = resolve(dirname(path), entry);
		if (basename(dirname(target)) !== "firmware" || !(basename(target) in imageRoles)) continue;
		image = basename(target);
		const smaller = options.full || image !== FULL_IMAGE ? undefined : smallestImage(options.role);
		if (smaller === undefined || !existsSync(join(dirname(target), smaller))) continue;
		include[index] = `${entry.slice(0, -FULL_IMAGE.length)}${smaller}`;
		image = smaller;
	}
	include.push(...options.include);
	const file = join(dirname(path), `.firefly-${options.target}.json`);
	writeFileSync(file, JSON.stringify({ ...json, include }, null, 2));
	// make builds anew what is older than a manifest.
	const { atime, mtime } = statSync(path);
	utimesSync(file, atime, mtime);
	return { path: file, image, dispose: () => rmSync(file, { force: true }) };
}

function smallestImage(role: Role): string | undefined {
	return Object.keys(imageRoles).find(
		(name) => imageRoles[name]?.length === 1 && imageRoles[name][0] === role,
	);
}
