import { AUTH, DISCONNECT, PROTOCOL_ERROR, type ReasonCode, type Version } from "../constants";
import { MQTTError } from "../error";
import { AUTHENTICATION_METHOD, propertyBit } from "../properties";
import type { PropertyWriter } from "../property-writer";
import { reasonAllowed } from "../reasons";
import { propertiesSize, writeProperties } from "./properties";

/**
 * Checks the reason code and properties that end a PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT or AUTH, and
 * returns their length in bytes: both are omitted if they carry no information (§3.4.2.2.1, §3.14.2.2.1).
 */
export function reasonSize(
	type: number,
	reasonCode: ReasonCode,
	properties: PropertyWriter | undefined,
	version: Version,
): number {
	if (version === 4) {
		if (type === AUTH) throw new MQTTError(PROTOCOL_ERROR, "AUTH is of MQTT 5.0"); // Table 2.1 of MQTT 3.1.1
		if (reasonCode > 0x7f || (reasonCode !== 0 && type === DISCONNECT))
			throw new MQTTError(PROTOCOL_ERROR, "MQTT 3.1.1 has no reason codes");
		return 0;
	}
	// An encoder may belong to a client or a broker
	if (!reasonAllowed(type, reasonCode, true) && !reasonAllowed(type, reasonCode, false))
		// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.14.2-1] [MQTT-3.15.2-1]
		throw new MQTTError(PROTOCOL_ERROR, "reason code is not one of this packet");
	if (
		type === AUTH &&
		(properties === undefined || (properties.idsLow & propertyBit(AUTHENTICATION_METHOD)) === 0)
	)
		throw new MQTTError(PROTOCOL_ERROR, "AUTH without an authentication method"); // §3.15.2.2.2
	if (properties === undefined || properties.length === 0) return reasonCode === 0 ? 0 : 1;
	return 1 + propertiesSize(properties, version, type);
}

/** Writes the `size` bytes that reasonSize() computed; returns the index after them. */
export function writeReason(
	bytes: Uint8Array,
	at: number,
	size: number,
	reasonCode: ReasonCode,
	properties: PropertyWriter | undefined,
	version: Version,
): number {
	if (size === 0) return at;
	bytes[at] = reasonCode;
	return size === 1 ? at + 1 : writeProperties(bytes, at + 1, properties, version);
}
