import * as properties from "../../src/mqtt/properties";
import type { PropertyReader } from "../../src/mqtt/property-reader";
import { TYPE_BINARY, TYPE_STRING } from "../../src/mqtt/property-types";
import { hexText, PAYLOAD_LIMIT, text } from "./payload-text";
import type { TracedProperties, TracedValue } from "./traced-packet";

/** Names of the properties by identifier, those of the constants in their table: `receiveMaximum`. */
const NAMES: ReadonlyMap<number, string> = new Map(
	Object.entries(properties).flatMap(([name, value]) =>
		typeof value === "number" ? [[value, camelCase(name)]] : [],
	),
);

function camelCase(name: string): string {
	return name
		.toLowerCase()
		.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
		.replace("Qos", "QoS");
}

/** Describes the properties of a packet by name, if there are any. */
export function describeProperties(reader: PropertyReader): { properties?: TracedProperties } {
	if (reader.empty) return {};
	const found: Record<string, TracedValue | TracedValue[]> = {};
	reader.rewind();
	while (reader.next()) {
		const name = NAMES.get(reader.id) ?? `property ${reader.id}`;
		const value = propertyValue(reader);
		const earlier = found[name];
		if (Array.isArray(earlier)) earlier.push(value);
		else if (earlier !== undefined) found[name] = [earlier, value];
		else
			found[name] =
				reader.id === properties.USER_PROPERTY || reader.id === properties.SUBSCRIPTION_IDENTIFIER
					? [value]
					: value;
	}
	return { properties: found };
}

function propertyValue(reader: PropertyReader): TracedValue {
	const { id, bytes, start, end } = reader;
	// Authentication data may hold a password.
	if (id === properties.AUTHENTICATION_DATA) return `${end - start} bytes`;
	if (id === properties.USER_PROPERTY)
		return `${text(bytes, reader.nameStart, reader.nameEnd)}=${text(bytes, start, end)}`;
	switch (properties.propertyType(id)) {
		case TYPE_STRING:
			return text(bytes, start, end);
		case TYPE_BINARY:
			return hexText(bytes.subarray(start, Math.min(end, start + PAYLOAD_LIMIT)));
		default:
			return reader.number;
	}
}
