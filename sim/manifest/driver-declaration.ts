import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Static } from "typebox";
import * as Type from "typebox";

/*
 * What a driver says of itself, in NAME.declaration.json beside its source. It is for the desk alone: no
 * manifest names it, so that no build for a device has it.
 */

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const values = Type.Array(Type.Number(), { minItems: 1 });

const Option = Type.Object(
	{
		type: Type.Unsafe<"integer" | "number" | "boolean" | "text" | "object">({
			enum: ["integer", "number", "boolean", "text", "object"],
		}),
		text,
		unit: Type.Optional(text),
		minimum: Type.Optional(Type.Number()),
		maximum: Type.Optional(Type.Number()),
		/** The only values of a number. */
		choices: Type.Optional(values),
		/** The only values of a text. */
		words: Type.Optional(Type.Array(text, { minItems: 1 })),
		/** Time that a sample takes with a value, in ms, for values with which it is seconds. */
		sampleMs: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 1 }))),
		/** What the driver does without. */
		default: Type.Optional(Type.Unsafe<number | boolean | string>({ type: ["number", "boolean", "string"] })),
		required: Type.Optional(Type.Literal(true)),
		/** How people write it; JSON has decimal numbers only. */
		notation: Type.Optional(Type.Literal("hex")),
		/** What the pins of `boards` are for, where they are all that a chip has. */
		pins: Type.Optional(Type.Unsafe<"analog" | "output" | "wake">({ enum: ["analog", "output", "wake"] })),
		/** Values by board, as its name is for mcconfig, or by chip; the first one is proposed. */
		boards: Type.Optional(
			Type.Record(Type.String(), Type.Unsafe<number | readonly number[]>({ type: ["number", "array"] })),
		),
	},
	strict,
);

/** Numbers that replace those of the simulator's curve for the device class. */
const CurveChanges = Type.Object(
	{
		mean: Type.Optional(Type.Number()),
		swing: Type.Optional(Type.Number()),
		peak: Type.Optional(Type.Number()),
		weather: Type.Optional(Type.Number()),
		noise: Type.Optional(Type.Number()),
		resolution: Type.Optional(Type.Number()),
	},
	strict,
);

const Property = Type.Object(
	{
		text,
		/** Of the value in the driver's sample. */
		unit: Type.Optional(text),
		/** It is 1 or 0, for true and false. */
		binary: Type.Optional(Type.Literal(true)),
		/** Range of the sensor. */
		minimum: Type.Number(),
		maximum: Type.Number(),
		/** Digits that mean something. */
		decimals: Type.Integer({ minimum: 0, maximum: 6 }),
		/** Smallest change that is worth a report. */
		delta: Type.Optional(Type.Number()),
		/** Home Assistant's device class. */
		deviceClass: Type.Optional(text),
		curve: Type.Optional(CurveChanges),
	},
	strict,
);

const options = Type.Record(Type.String(), Option);

/** Schema of NAME.declaration.json. */
export const DeclarationSchema = Type.Object(
	{
		$schema: Type.Optional(Type.String()),
		title: text,
		text,
		/** Why it is of little use on a node that sleeps; absent: it is not. */
		awakeOnly: Type.Optional(text),
		/** Files with options that this driver has too, relative to this one. */
		include: Type.Optional(Type.Array(Type.String())),
		options: Type.Optional(options),
		/** By their path in the driver's sample, names joined by dots. */
		properties: Type.Record(Type.String(), Property),
	},
	strict,
);

/** Schema of a file that declarations include. */
export const SharedOptionsSchema = Type.Object({ options }, strict);

export type OptionDeclaration = Static<typeof Option>;
export type PropertyDeclaration = Static<typeof Property>;
type DeclarationFile = Static<typeof DeclarationSchema>;

/** A driver's options, those that it includes among them, and the properties of its samples. */
export interface DriverDeclaration {
	readonly title: string;
	readonly text: string;
	readonly awakeOnly?: string;
	readonly options: Readonly<Record<string, OptionDeclaration>>;
	readonly properties: Readonly<Record<string, PropertyDeclaration>>;
}

/** Where the declaration of a driver is. @param source path of its module, with or without file extension */
export function declarationPath(source: string): string {
	return `${source.replace(/\.(?:[jt]s|mjs)$/, "")}.declaration.json`;
}

/** The declaration in a file that is known to conform to the schema. */
export function readDeclaration(path: string): DriverDeclaration {
	const { title, text, awakeOnly, include = [], options = {}, properties } = parse(path) as DeclarationFile;
	const included = include.map((name) => (parse(resolve(dirname(path), name)) as DeclarationFile).options);
	// Its own options are what a reader looks for first.
	return {
		title,
		text,
		...(awakeOnly === undefined ? {} : { awakeOnly }),
		options: Object.assign({ ...options }, ...included, options),
		properties,
	};
}

function parse(path: string): unknown {
	return JSON.parse(readFileSync(path, "utf8"));
}
