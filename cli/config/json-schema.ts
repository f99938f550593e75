import { FireflyConfig } from "../../src/config/schema/firefly";
import { Manifest } from "../../src/config/schema/manifest";

/** Lists of words and numbers, which are formatted on one line like Biome's output. */
const shortList = /\[\n\s+((?:"[^"\n]*"|true|false|-?\d+)(?:,\n\s+(?:"[^"\n]*"|true|false|-?\d+))*)\n\s+\]/g;

/** The text of docs/manifest.schema.json, which editors use through `$schema`. */
export function jsonSchema(): string {
	const $defs = { firefly: FireflyConfig };
	const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...Manifest, $defs };
	// A manifest holds the configuration in several places; the schema defines it once.
	const shared = function (this: unknown, key: string, value: unknown): unknown {
		return key === "firefly" && this !== $defs ? { $ref: "#/$defs/firefly" } : value;
	};
	const text = JSON.stringify(schema, shared, 2);
	return `${text.replace(shortList, (_, words: string) => `[${words.replace(/,\n\s+/g, ", ")}]`)}\n`;
}
