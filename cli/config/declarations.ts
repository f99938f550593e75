import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import {
	DeclarationSchema,
	type DriverDeclaration,
	declarationPath,
	readDeclaration,
	SharedOptionsSchema,
} from "../../sim/manifest/driver-declaration";
import { readDocument } from "./file";
import { JSONDocument } from "./json";
import type { Problem } from "./problem";
import { schemaProblems, valueAt } from "./schema-problems";

/** The declarations of drivers, by name; those without a file, or with a wrong one, are not there. */
export interface Declarations {
	readonly drivers: ReadonlyMap<string, DriverDeclaration>;
	readonly problems: readonly Problem[];
}

/** Reads what lies beside the modules of drivers. @param modules path of each driver's module, by name */
export function readDeclarations(modules: ReadonlyMap<string, string>): Declarations {
	const drivers = new Map<string, DriverDeclaration>();
	const problems: Problem[] = [];
	for (const [name, module] of modules) {
		const path = declarationPath(module);
		if (!existsSync(path)) continue;
		const wrong = declarationProblems(path);
		if (wrong.length === 0) drivers.set(name, readDeclaration(path));
		else problems.push(...wrong);
	}
	return { drivers, problems };
}

/** Whether a declaration, and what it includes, conform to their schemas. */
export function declarationProblems(path: string): Problem[] {
	const document = readDocument(path, relative(process.cwd(), path));
	if (!(document instanceof JSONDocument)) return [document];
	if (document.problems.length > 0) return [...document.problems];
	const problems = schemaProblems(document, DeclarationSchema);
	const include = valueAt(document.value, ["include"]);
	if (problems.length > 0 || !Array.isArray(include)) return problems;
	for (const [index, name] of (include as string[]).entries()) {
		const target = resolve(dirname(path), name);
		const shared = readDocument(target, relative(process.cwd(), target));
		if (!(shared instanceof JSONDocument))
			problems.push(document.at(["include", index], `${JSON.stringify(name)} ${shared.message}`));
		else if (shared.problems.length > 0) problems.push(...shared.problems);
		else problems.push(...schemaProblems(shared, SharedOptionsSchema));
	}
	return problems;
}

/** Names of Firefly's own drivers: folders with a manifest. @param firmware folder of Firefly's firmware */
export function ownDriverNames(firmware: string): readonly string[] {
	const folder = join(firmware, "drivers");
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.filter((name) => existsSync(join(folder, name, "manifest.json")))
		.sort();
}

/** What Firefly's own drivers declare. @param firmware folder of Firefly's firmware */
export function ownDeclarations(firmware: string): ReadonlyMap<string, DriverDeclaration> {
	const modules = ownDriverNames(firmware).map(
		(name) => [name, join(firmware, "drivers", name, name)] as const,
	);
	return readDeclarations(new Map(modules)).drivers;
}
