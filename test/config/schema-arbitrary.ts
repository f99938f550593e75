import fc from "fast-check";
import { IsRefine } from "typebox";
import { Check } from "typebox/value";
import { formatDuration } from "../../src/config/duration";

/** The JSON Schema keywords that Firefly's schema uses. */
export interface SchemaNode {
	readonly type?: string;
	readonly title?: string;
	readonly description?: string;
	readonly examples?: readonly unknown[];
	readonly writeOnly?: boolean;
	readonly default?: unknown;
	readonly enum?: readonly unknown[];
	readonly anyOf?: readonly unknown[];
	readonly minimum?: number;
	readonly maximum?: number;
	readonly maxItems?: number;
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, SchemaNode>>;
	readonly items?: SchemaNode;
	readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
	/** Conditions on the type of the value. */
	readonly allOf?: readonly { readonly else: SchemaNode }[];
}

/** Generates values that a node of the schema accepts. */
export function arbitraryFor(node: SchemaNode): fc.Arbitrary<unknown> {
	if (node.allOf !== undefined) return fc.oneof(...node.allOf.map((entry) => arbitraryFor(entry.else)));
	if (node.properties !== undefined) {
		const entries = Object.entries(node.properties).map(
			([key, child]) => [key, arbitraryFor(child)] as const,
		);
		return fc.record(Object.fromEntries(entries), {
			requiredKeys: [...(node.required ?? [])],
			noNullPrototype: true,
		});
	}
	if (node.enum !== undefined) return fc.constantFrom(...node.enum);
	if (node.items?.items !== undefined) return points;
	if (node.items !== undefined) return fc.array(arbitraryFor(node.items), { maxLength: 3 });
	if (node.type === "integer") return fc.integer({ min: node.minimum ?? 0, max: node.maximum ?? 0 });
	if (node.type === "number")
		return fc.double({ min: node.minimum ?? 0, max: node.maximum ?? 0, noNaN: true });
	if (node.type === "string" || node.anyOf !== undefined) return acceptedText(node);
	const child = Object.values(node.patternProperties ?? {})[0];
	return child?.type === "string"
		? fc.dictionary(fc.string(), arbitraryFor(child), { maxKeys: 3 })
		: fc.dictionary(fc.string(), fc.jsonValue());
}

/** Texts drawn at once, of which the schema accepts one, or else an example of its own. */
const TRIES = 8;

function acceptedText(node: SchemaNode): fc.Arbitrary<unknown> {
	const fallbacks = [...(node.examples ?? []), ...CHOSEN].filter((value) => schemaAccepts(node, value));
	if (fallbacks.length === 0) throw new Error(`no text is known that suits: ${node.description}`);
	const drawn = fc
		.tuple(fc.array(texts, { minLength: TRIES, maxLength: TRIES }), fc.constantFrom(...fallbacks))
		.map(([values, fallback]) => values.find((value) => schemaAccepts(node, value)) ?? fallback);
	return node.anyOf === undefined
		? drawn
		: fc.oneof(drawn, fc.constantFrom(...fallbacks, false)).filter((value) => schemaAccepts(node, value));
}

/** Texts of a form that is never drawn. */
const CHOSEN: readonly string[] = [
	`$pbkdf2-sha256$i=1000$${"A".repeat(22)}$${"/".repeat(42)}w`,
	"home/+/{user}/#",
	"anna",
	"https://panel.example:8443",
	"http://[::1]",
	"*",
	"panel.local",
	"mqtt://b",
	"mqtt://[::1]:1884",
	"{id}",
	"{mac}-{chip}",
	"home/{id}/{sensor}",
	"a.b",
	"p4ssword",
	"°C",
	"x",
];

export const texts: fc.Arbitrary<string> = fc.oneof(
	fc.string(),
	fc.string({ unit: "binary" }),
	fc.constantFrom(...CHOSEN),
	fc.nat(4_000_000_000).map(formatDuration),
	fc
		.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom("s", "m", "h"))
		.map(([number, unit]) => `${number.toFixed(2)}${unit}`),
	fc.integer({ min: 1, max: 20 }).map((seconds) => `${seconds}s`),
);

/** Tables of points, x ascending. */
const points = fc
	.uniqueArray(fc.double({ min: -1e9, max: 1e9, noNaN: true }), {
		minLength: 2,
		maxLength: 16,
		comparator: "SameValueZero",
	})
	.map((numbers) => numbers.sort((a, b) => a - b).map((x, i) => [x, numbers.length - i]));

export function schemaAccepts(node: SchemaNode, value: unknown): boolean {
	return (
		Check(node, value) && (!IsRefine(node) || node["~refine"].every((refinement) => refinement.check(value)))
	);
}
