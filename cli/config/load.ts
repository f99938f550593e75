import { relative, resolve } from "node:path";
import { Manifest } from "../../src/config/schema/manifest";
import { driverProblems } from "./drivers";
import { readDocument } from "./file";
import { readIncludes } from "./includes";
import { JSONDocument } from "./json";
import { type Overrides, readOverrides } from "./overrides";
import { type Problem, sortProblems } from "./problem";
import { ruleProblems } from "./rules";
import { schemaProblems } from "./schema-problems";

/** A manifest without problems. */
export interface LoadedManifest {
	/** Absolute; includes are relative to its folder. */
	readonly path: string;
	/** What the file says. */
	readonly json: object;
	/** What the desk adds to `mc/config`. */
	readonly overrides: Overrides;
}

export type Loaded = { readonly manifest: LoadedManifest } | { readonly problems: readonly Problem[] };

/**
 * Reads and checks a manifest with all that belongs to it.
 * @param file as the user named it
 * @param overrides from the command line; they go before `firefly.local.json` and the environment
 */
export function loadManifest(
	file: string,
	environment: NodeJS.ProcessEnv,
	overrides: Overrides = {},
): Loaded {
	const path = resolve(file);
	const shown = relative(process.cwd(), path).startsWith("..") ? file : relative(process.cwd(), path) || file;
	const document = readDocument(path, shown);
	if (!(document instanceof JSONDocument)) return { problems: [document] };
	return checkDocument(document, path, environment, overrides);
}

/** Checks a manifest that was read, or made up, as if it were at `path`. */
export function checkDocument(
	document: JSONDocument,
	path: string,
	environment: NodeJS.ProcessEnv,
	overrides: Overrides = {},
): Loaded {
	const problems = [...document.problems];
	const { value } = document;
	if (value === undefined) return { problems: sortProblems(problems) };
	const local = readOverrides(path, environment);
	const merged = { ...local.overrides, ...overrides };
	const shape = schemaProblems(document, Manifest);
	problems.push(...shape);
	if (typeof value === "object" && value !== null && !Array.isArray(value)) {
		const included = readIncludes(document, path);
		const rules = [
			...ruleProblems(document, merged),
			...driverProblems(document, included.drivers, included.firmware, path),
		];
		// What is of the wrong kind has been told; that it does not go together with the rest follows from that.
		const alreadyReported = (rule: Problem) =>
			shape.some(({ line, column }) => line === rule.line && column === rule.column);
		problems.push(...included.problems, ...rules.filter((rule) => !alreadyReported(rule)));
		if (included.firmware === undefined)
			problems.push(
				document.at(["include"], "does not lead to firmware/manifest.json, which is Firefly itself"),
			);
	}
	problems.push(...local.problems);
	if (problems.length > 0) return { problems: sortProblems(problems) };
	return { manifest: { path, json: value as object, overrides: merged } };
}
