import { copyBytes, writeUint16 } from "../bytes";
import { PROTOCOL_ERROR, PUBLISH, type Version } from "../constants";
import { MQTTError } from "../error";
import { ALLOWED_HIGH, ALLOWED_LOW, TOPIC_ALIAS } from "../properties";
import type { PropertyWriter } from "../property-writer";
import { varintSize, writeVarint } from "../varint";

/** Bytes of a topic alias with its identifier. */
export const ALIAS_BYTES = 3;

/**
 * Size of the properties with their length, in bytes; 0 in MQTT 3.1.1, which has no properties and omits
 * those given.
 * @param carrier type of the packet, or WILL_PROPERTIES
 * @throws {MQTTError} 0x82 for a property that the packet may not carry
 */
export function propertiesSize(
	properties: PropertyWriter | undefined,
	version: Version,
	carrier: number,
): number {
	if (version === 4) return 0;
	if (properties === undefined) return 1; // [MQTT-2.2.2-1]
	if (
		(properties.idsLow & ~ALLOWED_LOW[carrier]) !== 0 ||
		(properties.idsHigh & ~ALLOWED_HIGH[carrier]) !== 0
	)
		throw new MQTTError(PROTOCOL_ERROR, "property is not allowed in this packet"); // §2.2.2.2
	const length = properties.length;
	return varintSize(length) + length;
}

/**
 * Size of the properties of a PUBLISH with a topic alias, which is not among `properties`, in bytes with
 * their length.
 * @throws {MQTTError} 0x82 for a property that PUBLISH may not carry
 */
export function aliasedPropertiesSize(properties: PropertyWriter | undefined): number {
	propertiesSize(properties, 5, PUBLISH);
	const length = ALIAS_BYTES + (properties === undefined ? 0 : properties.length);
	return varintSize(length) + length;
}

/** Writes the property length, a topic alias and the properties; returns the index after them. */
export function writeAliasedProperties(
	bytes: Uint8Array,
	at: number,
	properties: PropertyWriter | undefined,
	topicAlias: number,
): number {
	const length = properties === undefined ? 0 : properties.length;
	const next = writeVarint(bytes, at, ALIAS_BYTES + length);
	bytes[next] = TOPIC_ALIAS;
	const after = writeUint16(bytes, next + 1, topicAlias);
	return properties === undefined ? after : copyBytes(bytes, after, properties.bytes, 0, length);
}

/** Writes the property length and the properties; returns the index after them. */
export function writeProperties(
	bytes: Uint8Array,
	at: number,
	properties: PropertyWriter | undefined,
	version: Version,
): number {
	if (version === 4) return at;
	if (properties === undefined) {
		bytes[at] = 0;
		return at + 1;
	}
	const length = properties.length;
	return copyBytes(bytes, writeVarint(bytes, at, length), properties.bytes, 0, length);
}
