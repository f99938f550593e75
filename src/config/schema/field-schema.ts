import Type, { type TSchema } from "typebox";
import type { Field, Fields } from "../fields/field";
import { pointsProblem } from "../points";
import { durationProblem, secondsProblem, type Validator } from "../validators";
import { formatNumber, rangeText } from "./range-text";
import { titleOf } from "./title";

/** Unknown keys of an object are errors. */
export const strict = { additionalProperties: false } as const;

const DURATION = "^\\d+(\\.\\d+)?(ms|s|m|h|d)$";
/** For editors, which cannot run the validator. */
const POINT = { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 } as const;
const SECONDS = "^\\d+(\\.\\d+)?(s|m|h|d)$";

/** Title, description, default and examples, as editors show them. */
type Annotations = {
	readonly title?: string;
	readonly description: string;
	readonly default?: unknown;
	readonly examples?: readonly unknown[];
};

/** Schema of an object with these rows as its keys. */
export function objectSchema(rows: Fields, annotations: Annotations): TSchema {
	const properties: Record<string, TSchema> = {};
	for (const [key, row] of Object.entries(rows)) {
		const schema = fieldSchema(key, row);
		properties[key] = "required" in row ? schema : Type.Optional(schema);
	}
	return Type.Object(properties, { ...annotations, ...strict });
}

function fieldSchema(key: string, row: Field): TSchema {
	const notes = annotationsOf(key, row);
	switch (row.kind) {
		case "count":
			return Type.Integer({ ...notes, minimum: row.minimum, maximum: row.maximum });
		case "decimal":
			return Type.Number({ ...notes, minimum: row.minimum, maximum: row.maximum });
		case "duration":
			return checkedText((text) => durationProblem(text, row), { ...notes, pattern: DURATION });
		case "seconds":
			return checkedText((text) => secondsProblem(text, row), { ...notes, pattern: SECONDS });
		case "choice":
			return Type.Unsafe({ ...notes, enum: [...row.choices] });
		case "text":
			return checkedText(row.check, {
				...notes,
				...(row.pattern === undefined ? {} : { pattern: row.pattern }),
				...(row.secret === undefined ? {} : { writeOnly: true }),
			});
		case "switchableText":
			return Type.Refine(
				Type.Unsafe<string | false>({ ...notes, anyOf: [{ type: "string" }, { const: false }] }),
				(value) => value === false || row.check(value) === undefined,
				(value) => (value === false ? "" : (row.check(value) ?? "")),
			);
		case "texts":
			return Type.Array(checkedText(row.check, { description: row.item }), {
				...notes,
				maxItems: row.maximum,
			});
		case "table":
			return Type.Record(
				Type.String(),
				checkedText(row.check, { description: row.item, pattern: row.pattern }),
				notes,
			);
		case "points":
			return Type.Refine(
				Type.Unsafe<unknown>({ ...notes, type: "array", items: POINT, minItems: 2, maxItems: row.maximum }),
				(value) => pointsProblem(value, row.maximum) === undefined,
				(value) => pointsProblem(value, row.maximum) ?? "",
			);
		case "list":
			return Type.Array(objectSchema(row.fields, { description: row.item }), {
				...notes,
				maxItems: row.maximum,
			});
		case "object":
			return Type.Record(Type.String(), Type.Unknown(), notes);
		case "section":
			return objectSchema(row.fields, notes);
		case "ignored":
			return Type.Unknown(notes);
	}
}

function annotationsOf(key: string, row: Field): Annotations {
	const fallback = defaultOf(row);
	const examples = row.examples ?? (fallback === undefined ? undefined : [fallback]);
	return {
		title: row.title ?? titleOf(key),
		description: "minimum" in row ? `${row.text} ${sentence(rangeText(row))}` : row.text,
		...(fallback === undefined || "scalesWith" in row ? {} : { default: fallback }),
		...(examples === undefined ? {} : { examples }),
	};
}

/** The default in the manifest's notation; undefined if there is none. */
export function defaultOf(row: Field): unknown {
	switch (row.kind) {
		case "count":
		case "decimal":
			return row.default;
		case "duration":
		case "seconds":
			return row.default === undefined ? undefined : formatNumber(row, row.default);
		case "choice":
		case "text":
		case "switchableText":
		case "points":
			return row.default;
		case "texts":
		case "list":
			return [];
		case "table":
			return {};
		default:
			return undefined;
	}
}

function sentence(words: string): string {
	return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

/** A string that the firmware's own validator checks. `pattern` is for editors, which cannot run it. */
function checkedText(
	check: Validator,
	hints: Annotations & { readonly pattern?: string; readonly writeOnly?: boolean },
): TSchema {
	const shape = Type.String(check("") === undefined ? hints : { ...hints, minLength: 1 });
	return Type.Refine(
		shape,
		(value) => check(value) === undefined,
		(value) => check(value) ?? "",
	);
}
