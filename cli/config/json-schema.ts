import { FireflyConfig } from "../../src/config/schema/firefly";
import { Manifest } from "../../src/config/schema/manifest";

/** Lists of words and numbers, and lists of one such list, which Biome formats on one line. */
const words = String.raw`(?:"[^"\n]*"|true|false|-?[\d.]+|\{\})`;
const shortLists = [
	new RegExp(String.raw`\[\n\s+(${words}(?:,\n\s+${words})*)\n\s+\]`, "g"),
	/\[\n\s+(\[[^[\]\n]*\])\n\s+\]/g,
];

/** The text of docs/manifest.schema.json, which editors use through `$schema`. */
export function jsonSchema(): string {
	const $defs = { firefly: FireflyConfig };
	const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...Manifest, $defs };
	// A manifest holds the configuration in several places; the schema defines it once.
	const shared = function (this: unknown, key: string, value: unknown): unknown {
		return key === "firefly" && this !== $defs ? { $ref: "#/$defs/firefly" } : value;
	};
	const text = JSON.stringify(schema, shared, 2);
	const oneLine = (_: string, items: string): string => `[${items.replace(/,\n\s+/g, ", ")}]`;
	return `${shortLists.reduce((shortened, list) => shortened.replace(list, oneLine), text)}\n`;
}
