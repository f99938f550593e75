import { copyBytes } from "../bytes";
import { PROTOCOL_ERROR, type Version } from "../constants";
import { MQTTError } from "../error";
import { ALLOWED_HIGH, ALLOWED_LOW } from "../properties";
import type { PropertyWriter } from "../property-writer";
import { varintSize, writeVarint } from "../varint";

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
