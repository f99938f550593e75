import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Fields } from "../../src/config/fields/field";
import { fireflyFields } from "../../src/config/fields/firefly";
import { LocalConfig } from "../../src/config/schema/local";
import type { Validator } from "../../src/config/validators";
import { readDocument } from "./file";
import { JSONDocument } from "./json";
import type { Path, Problem } from "./problem";
import { schemaProblems, valueAt } from "./schema-problems";

/**
 * Top-level strings of `mc/config`, as mcconfig's command line adds them; they take precedence over
 * `config.firefly`.
 */
export type Overrides = Readonly<Partial<Record<OverrideKey, string>>>;

/** The `override` of each row of an object of rows that has one. */
type OverridesOf<Rows> = Rows[keyof Rows] extends infer Row
	? Row extends { readonly override: infer Key }
		? Key
		: Row extends { readonly kind: "section"; readonly fields: infer Inner }
			? OverridesOf<Inner>
			: never
	: never;

export type OverrideKey = OverridesOf<typeof fireflyFields>;

interface OverrideSource {
	readonly key: OverrideKey;
	readonly path: Path;
	readonly variable: string;
	readonly check: Validator;
	readonly secret: boolean;
}

function findSources(rows: Fields, path: Path): OverrideSource[] {
	return Object.entries(rows).flatMap(([name, row]) => {
		if (row.kind === "section") return findSources(row.fields, [...path, name]);
		if (row.kind !== "text" || row.override === undefined) return [];
		return {
			key: row.override as OverrideKey,
			path: [...path, name],
			variable: `FIREFLY_${row.override.toUpperCase()}`,
			check: row.check,
			secret: row.secret === true,
		};
	});
}

export const overrideSources: readonly OverrideSource[] = findSources(fireflyFields, []);

export const localFile = "firefly.local.json";

/** Reads `firefly.local.json` beside the manifest, then the environment, which takes precedence. */
export function readOverrides(
	manifest: string,
	environment: NodeJS.ProcessEnv,
): { overrides: Overrides; problems: readonly Problem[] } {
	const overrides: Partial<Record<OverrideKey, string>> = {};
	const problems: Problem[] = [];
	const path = join(dirname(manifest), localFile);
	if (existsSync(path)) {
		const document = readDocument(path, relative(process.cwd(), path));
		if (!(document instanceof JSONDocument)) problems.push(document);
		else {
			problems.push(...document.problems);
			if (document.value !== undefined) problems.push(...schemaProblems(document, LocalConfig, []));
			for (const source of overrideSources) {
				const value = valueAt(document.value, source.path);
				if (typeof value === "string") overrides[source.key] = value;
			}
		}
	}
	for (const { key, variable, check, secret } of overrideSources) {
		const value = environment[variable];
		if (value === undefined || value === "") continue;
		const wrong = check(value);
		const shown = secret ? "the password" : JSON.stringify(value);
		if (wrong !== undefined)
			problems.push({
				file: "environment",
				line: 0,
				column: 0,
				path: variable,
				message: `${shown} ${wrong}`,
			});
		overrides[key] = value;
	}
	return { overrides, problems };
}

/** Advice on where to keep a secret instead of the manifest. */
export function secretAdvice(key: OverrideKey): string {
	const source = overrideSources.find((candidate) => candidate.key === key);
	return `is a secret, which a manifest does not keep; move it to ${source?.path.join(".")} in ${localFile}, or to ${source?.variable}`;
}
