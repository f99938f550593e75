import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ManifestError } from "./error";
import type { Manifest, ModuleDeclaration } from "./manifest-reader";
import { sdkModulePath } from "./sdk";

/** A module of the build and where its source is. */
export interface ModuleFile {
	readonly specifier: string;
	readonly path: string;
	/** The manifest that declares it; undefined for the simulator's own. */
	readonly manifest: string | undefined;
}

const EXTENSIONS = [".ts", ".js", ".mjs"];

/**
 * The modules that a manifest declares, by specifier. Throws {@link ManifestError} for a missing source or a
 * specifier declared twice.
 */
export function declaredModules(manifest: Manifest): Map<string, ModuleFile> {
	const modules = new Map<string, ModuleFile>();
	const excluded = new Set<string>();
	for (const declaration of manifest.declarations) {
		if (declaration.target !== "~") continue;
		for (const source of declaration.sources)
			for (const { path } of matchingFiles("", source, declaration)) excluded.add(path);
	}
	for (const specifier of manifest.sdk) {
		const path = sdkModulePath(specifier);
		if (path !== undefined) modules.set(specifier, { specifier, path, manifest: undefined });
	}
	for (const declaration of manifest.declarations) {
		if (declaration.target === "~") continue;
		for (const source of declaration.sources) {
			// Sources of the SDK are not available; importing one reports it as not declared.
			if (source.startsWith("$(MODDABLE)")) continue;
			for (const file of matchingFiles(declaration.target, source, declaration)) {
				if (excluded.has(file.path)) continue;
				const present = modules.get(file.specifier);
				if (present && present.path !== file.path) {
					throw new ManifestError(
						`${declaration.manifest}: "${file.specifier}" is ${file.path}, but ${present.manifest ?? "the SDK"} declares it as ${present.path}`,
					);
				}
				modules.set(file.specifier, file);
			}
		}
	}
	return modules;
}

/**
 * Modules that run at build time, wildcards resolved. Wildcards match JavaScript sources only, as in
 * mcconfig.
 */
export function preloadedModules(manifest: Manifest, modules: ReadonlyMap<string, ModuleFile>): string[] {
	const preload: string[] = [];
	for (const name of manifest.preload) {
		if (!name.includes("*")) preload.push(name);
		else {
			const prefix = name.slice(0, name.indexOf("*"));
			for (const { specifier, path } of modules.values()) {
				if (specifier.startsWith(prefix) && !path.endsWith(".ts")) preload.push(specifier);
			}
		}
	}
	return preload;
}

function matchingFiles(target: string, source: string, declaration: ModuleDeclaration): ModuleFile[] {
	const directory = dirname(source);
	const pattern = basename(source);
	const star = pattern.indexOf("*");
	const prefix = star < 0 ? pattern : pattern.slice(0, star);
	let names: string[];
	try {
		names = readdirSync(directory).sort();
	} catch {
		throw new ManifestError(`${declaration.manifest}: "${declaration.target}": no directory ${directory}`);
	}
	const found: ModuleFile[] = [];
	let matched = false;
	for (const name of names) {
		const dot = name.lastIndexOf(".");
		const stem = name.slice(0, dot < 0 ? undefined : dot);
		if (star < 0 ? stem !== prefix && name !== prefix : !stem.startsWith(prefix)) continue;
		matched = true;
		if (!EXTENSIONS.includes(name.slice(stem.length)) || stem.endsWith(".d")) continue;
		const specifier = star < 0 ? target : target.replace("*", stem.slice(prefix.length));
		found.push({
			specifier: specifier.replace("*", stem),
			path: join(directory, name),
			manifest: declaration.manifest,
		});
	}
	if (!matched)
		throw new ManifestError(`${declaration.manifest}: "${declaration.target}": nothing matches ${source}`);
	return found;
}
