import type { DriverDeclaration } from "../../sim/manifest/driver-declaration";
import { FireflyConfig } from "../../src/config/schema/firefly";
import { Manifest } from "../../src/config/schema/manifest";
import { driverConditions, driverNameSchema, type SchemaPart } from "./driver-schema";

/** Lists of words and numbers, lists of such lists, and lists of one of these: one line each for Biome. */
const words = String.raw`(?:"[^"\n]*"|true|false|-?[\d.]+|\{\})`;
const shortLists = [
	new RegExp(String.raw`\[\n\s+(${words}(?:,\n\s+${words})*)\n\s+\]`, "g"),
	/\[\n\s+(\[[^[\]\n]*\](?:,\n\s+\[[^[\]\n]*\])*)\n\s+\]/g,
	/\[\n\s+(\[[^\n{]*\])\n\s+\]/g,
];

const LINE_WIDTH = 110;

/**
 * The text of a schema of manifests, which editors use through `$schema`.
 * @param drivers what each driver declares
 * @param included all drivers that there are; undefined: others than those of `drivers` are accepted too
 */
export function jsonSchema(
	drivers: ReadonlyMap<string, DriverDeclaration>,
	included?: readonly string[],
): string {
	const $defs = { firefly: FireflyConfig };
	const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...Manifest, $defs };
	// A manifest holds the configuration in several places; the schema defines it once.
	const shared = function (this: unknown, key: string, value: unknown): unknown {
		if (key === "firefly" && this !== $defs) return { $ref: "#/$defs/firefly" };
		return key === "sensors" ? withDrivers(value as SensorsSchema, drivers, included) : value;
	};
	const text = JSON.stringify(schema, shared, 2);
	return `${shortLists.reduce((shortened, list) => shortened.replace(list, onOneLine), text)}\n`;
}

/** A list on one line, if it is no longer than Biome's limit. */
function onOneLine(list: string, items: string, offset: number, whole: string): string {
	const line = `[${items.replace(/,\n\s+/g, ", ")}]`;
	const indent = offset - whole.lastIndexOf("\n", offset) - 1;
	const comma = whole[offset + list.length] === "," ? 1 : 0;
	return indent + line.length + comma > LINE_WIDTH ? list : line;
}

interface SensorsSchema extends SchemaPart {
	readonly items: SchemaPart & { readonly properties: Readonly<Record<string, SchemaPart>> };
}

function withDrivers(
	sensors: SensorsSchema,
	drivers: ReadonlyMap<string, DriverDeclaration>,
	included: readonly string[] | undefined,
): SensorsSchema {
	const { properties } = sensors.items;
	const driver = driverNameSchema(properties.driver, [...drivers.keys()], included);
	const items = {
		...sensors.items,
		properties: { ...properties, driver },
		allOf: driverConditions(drivers),
	};
	return { ...sensors, items };
}
