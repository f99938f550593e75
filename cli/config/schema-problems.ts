import { IsRefine, type TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { Errors } from "typebox/schema";
import { Settings } from "typebox/system";
import type { JSONDocument } from "./json";
import { meantShape, unknownKeyAdvice } from "./meant-key";
import type { Path, Problem } from "./problem";
import { didYouMean, nearest, suggestDuration, suggestURL } from "./suggest";

interface SchemaKeywords {
	readonly type?: string | readonly string[];
	readonly pattern?: string;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly enum?: readonly unknown[];
	readonly properties?: Readonly<Record<string, unknown>>;
	readonly anyOf?: readonly unknown[];
	readonly writeOnly?: boolean;
}

/**
 * Violations of the schema, as messages.
 * @param root where the content of `config.firefly` is in the document; undefined: it has none
 */
export function schemaProblems(document: JSONDocument, schema: TSchema, root?: Path): Problem[] {
	// TypeBox stops after 8 errors otherwise.
	Settings.Set({ maxErrors: 10_000 });
	const problems = new Map<string, Problem>();
	const [, errors] = Errors(schema, document.value);
	for (const error of errors) {
		for (const problem of problemsOf(document, schema, error, root)) {
			const key = `${problem.line}:${problem.column}:${problem.path}`;
			if (!problems.has(key)) problems.set(key, problem);
		}
	}
	return [...problems.values()];
}

function problemsOf(
	document: JSONDocument,
	schema: TSchema,
	error: TLocalizedValidationError,
	root: Path | undefined,
): Problem[] {
	const path = pointerPath(document.value, error.instancePath);
	const value = valueAt(document.value, path);
	const rule = valueAt(schema, pointerSteps(error.schemaPath)) as TSchema & SchemaKeywords;
	switch (error.keyword) {
		case "if":
			// What is wrong in `then` or `else` is reported.
			return [];
		case "boolean":
			// The schema `false` of an unknown key; additionalProperties reports it.
			return [];
		case "additionalProperties":
			return error.params.additionalProperties.map((key) =>
				document.atKey(
					[...path, key],
					`is not a known key${unknownKeyAdvice(path, key, Object.keys(rule.properties ?? {}), root)}`,
				),
			);
		case "required":
			return [
				document.at(
					path,
					`lacks ${error.params.requiredProperties.map((key) => JSON.stringify(key)).join(" and ")}`,
				),
			];
		case "maxItems":
			if (IsRefine(rule)) return [document.at(path, describeProblem(value, rule, undefined, undefined))];
			return [document.at(path, `has more than ${error.params.limit} entries`)];
		default:
			return [
				document.at(path, describeProblem(value, rule, secretAt(path, rule), meantShape(path, value, root))),
			];
	}
}

/** Name of a secret value in messages, which must not show it. */
function secretAt(path: Path, rule: SchemaKeywords): string | undefined {
	if (path.at(-2) === "users" && path.at(-3) === "listen") return "the value";
	if (String(path.at(-1)).endsWith("password")) return "the password";
	return rule.writeOnly ? "the secret" : undefined;
}

/** The message for a value that a rule rejects. */
function describeProblem(
	value: unknown,
	rule: TSchema & SchemaKeywords,
	secret: string | undefined,
	shape: string | undefined,
): string {
	const shown = secret ?? describeValue(value);
	const duration = rule.pattern?.includes("(ms|s|m|h|d)") || rule.pattern?.includes("(s|m|h|d)");
	if (rule.enum !== undefined) {
		const words = rule.enum.map((word) => JSON.stringify(word)).join(", ");
		return `${shown} is not one of ${words}${didYouMean(suggestChoice(value, rule.enum))}`;
	}
	if (duration && (typeof value === "string" || typeof value === "number")) {
		const problem = typeof value === "string" && IsRefine(rule) ? rule["~refine"][0].error(value) : "";
		return `${shown} ${problem || "is not a duration"}${problem.includes("between") ? "" : didYouMean(suggestDuration(value))}`;
	}
	const validated = typeof value === "string" || rule.type === "array";
	if (validated && IsRefine(rule)) {
		const problem = rule["~refine"][0].error(value);
		const isURL = typeof value === "string" && problem.startsWith("does not begin with mqtt://");
		return `${shown} ${problem}${isURL ? didYouMean(suggestURL(value)) : ""}`;
	}
	if (
		typeof value === "number" &&
		(rule.type === "integer" || rule.type === "number") &&
		rule.minimum !== undefined
	) {
		if (rule.type === "number" || Number.isInteger(value))
			return `${shown} is not between ${rule.minimum} and ${rule.maximum}`;
	}
	if (shape !== undefined && (rule.type === "object" || rule.type === "array"))
		return `${shown} is not ${kindOf(rule)}; did you mean ${shape}?`;
	return `${shown} is not ${kindOf(rule)}${didYouMean(suggestNumber(value, rule))}`;
}

function kindOf(rule: SchemaKeywords): string {
	if (rule.anyOf !== undefined) return "a string or false";
	switch (rule.type) {
		case "string":
			return "a string";
		case "integer":
			return "a whole number";
		case "number":
			return "a number";
		case "array":
			return "a list";
		case "boolean":
			return "true or false";
		default:
			return "an object";
	}
}

/** A value of a manifest in a message; without what may be a password. */
export function describeValue(value: unknown): string {
	if (Array.isArray(value)) return "a list";
	if (typeof value === "object" && value !== null) return "an object";
	// Messages must not contain passwords.
	return (JSON.stringify(value) ?? "nothing").replace(/\/\/[^/@]*@/, "//…@");
}

function suggestChoice(value: unknown, choices: readonly unknown[]): unknown {
	const same = choices.find((choice) => String(choice) === String(value));
	if (same !== undefined) return same;
	const words = choices.filter((choice) => typeof choice === "string");
	if (typeof value !== "string") return undefined;
	const text = value.toLowerCase();
	return nearest(value, words) ?? words.find((word) => text.startsWith(word) || text.endsWith(word));
}

function suggestNumber(value: unknown, rule: SchemaKeywords): number | undefined {
	if (typeof value !== "string" || (rule.type !== "integer" && rule.type !== "number")) return undefined;
	return /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

/** The steps of a JSON pointer (RFC 6901), without a leading `#`. */
function pointerSteps(pointer: string): string[] {
	return pointer
		.split("/")
		.slice(1)
		.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The path of a pointer, with indices of lists as numbers. */
function pointerPath(root: unknown, pointer: string): Path {
	const path: (string | number)[] = [];
	for (const step of pointerSteps(pointer))
		path.push(Array.isArray(valueAt(root, path)) ? Number(step) : step);
	return path;
}

/** The value at a path; undefined if there is none. */
export function valueAt(root: unknown, path: Path): unknown {
	let value = root;
	for (const step of path) {
		if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
		value = (value as Readonly<Record<string | number, unknown>>)[step];
	}
	return value;
}
