import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { transpile } from "../../sim/manifest/transpiler";

const project = resolve(import.meta.dirname, "../..");

/**
 * A module of the project and all that it imports, as JavaScript for a `Root` of XS.
 * @param entry path in the project, without extension, which is also the specifier
 */
export function gatherModules(entry: string): Map<string, { source: string; path: string }> {
	const modules = new Map<string, { source: string; path: string }>();
	const add = (specifier: string): void => {
		if (modules.has(specifier)) return;
		const path = resolve(project, `${specifier}.ts`);
		const { code } = transpile(readFileSync(path, "utf8"), path);
		modules.set(specifier, { source: code, path });
		for (const [, imported] of code.matchAll(/from "(\.[^"]+)"/g))
			add(relative(project, resolve(dirname(path), imported)));
	};
	add(entry);
	return modules;
}

/** Those of them that a firmware preloads, as their code is in flash. */
export function preloaded(modules: ReadonlyMap<string, unknown>): string[] {
	return [...modules.keys()].filter((specifier) => specifier.startsWith("src/"));
}
