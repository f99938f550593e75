import type { DriverDeclaration, OptionDeclaration } from "../../sim/manifest/driver-declaration";

/** The part of JSON Schema that is written here. */
export interface SchemaPart {
	readonly [keyword: string]: unknown;
}

/** Values that an editor proposes at most. */
const PROPOSALS = 16;

/**
 * Schema of `driver`.
 * @param proposed names that are proposed, where any is accepted
 * @param included the only names there are
 */
export function driverNameSchema(
	name: SchemaPart,
	proposed: readonly string[],
	included: readonly string[] | undefined,
): SchemaPart {
	if (included === undefined) return { ...name, anyOf: [{ enum: [...proposed, "replay"] }, {}] };
	const { type: _type, pattern: _pattern, minLength: _minLength, ...notes } = name;
	return { ...notes, enum: [...included, "replay"] };
}

/** For each driver: what `options` and `property` of a sensor with it may be. */
export function driverConditions(drivers: ReadonlyMap<string, DriverDeclaration>): readonly SchemaPart[] {
	return [...drivers].map(([name, { title, text, options, properties }]) => {
		const needed = Object.entries(options).filter(([, { required }]) => required);
		return {
			if: { properties: { driver: { const: name } }, required: ["driver"] },
			// biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
			then: {
				properties: {
					options: {
						type: "object",
						description: `${title}. ${text}`,
						properties: Object.fromEntries(
							Object.entries(options).map(([key, option]) => [key, optionSchema(option)]),
						),
						additionalProperties: false,
						...(needed.length === 0 ? {} : { required: needed.map(([key]) => key) }),
					},
					property: {
						enum: Object.keys(properties),
						description: Object.entries(properties).map(propertyLine).join(" "),
					},
				},
				...(needed.length === 0 ? {} : { required: ["options"] }),
			},
		};
	});
}

function propertyLine([name, { text, unit, minimum, maximum }]: readonly [
	string,
	DriverDeclaration["properties"][string],
]): string {
	return `${name}: ${text.replace(/\.$/, "")}, ${minimum} to ${maximum}${unit === undefined ? "" : ` ${unit}`}.`;
}

function optionSchema(option: OptionDeclaration): SchemaPart {
	const { type, text, unit, minimum, maximum, choices, words, boards } = option;
	const values = [...new Set(Object.values(boards ?? {}).flat())].sort((a, b) => a - b).slice(0, PROPOSALS);
	const fallback = option.default;
	const examples = values.length > 0 ? values : fallback === undefined ? undefined : [fallback];
	return {
		...((choices ?? words) === undefined
			? { type: type === "text" ? "string" : type }
			: { enum: choices ?? words }),
		description: unit === undefined ? text : `${text} Unit: ${unit}.`,
		...(minimum === undefined ? {} : { minimum }),
		...(maximum === undefined ? {} : { maximum }),
		...(fallback === undefined ? {} : { default: fallback }),
		...(examples === undefined ? {} : { examples }),
	};
}
