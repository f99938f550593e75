import {
	type CheckResult,
	MALFORMED_PACKET,
	PROTOCOL_ERROR,
	PUBLISH,
	TOPIC_ALIAS_INVALID,
} from "../constants";
import type { Packet } from "../packet";
import {
	ALLOWED_HIGH,
	ALLOWED_LOW,
	propertyBit,
	propertyValueAllowed,
	RESPONSE_TOPIC,
	SUBSCRIPTION_IDENTIFIER,
	TOPIC_ALIAS,
	USER_PROPERTY,
} from "../properties";
import type { PropertyReader } from "../property-reader";
import { hasWildcard } from "../topics";
import { readVarint, varintSize } from "../varint";

/**
 * Reads the property length at `at` and checks the properties after it; `reader` is then positioned before
 * the first and `reader.to` is the index after the last.
 * @param carrier type of the packet, or WILL_PROPERTIES
 * @returns 0 or the reason code with which the packet is refused
 */
export function readProperties(
	packet: Packet,
	reader: PropertyReader,
	bytes: Uint8Array,
	at: number,
	end: number,
	carrier: number,
): CheckResult {
	const length = readVarint(bytes, at, end); // [MQTT-2.2.2-1]
	if (length < 0) return packet.refuse(MALFORMED_PACKET, "property length is not a variable byte integer");
	const from = at + varintSize(length);
	if (from + length > end) return packet.refuse(MALFORMED_PACKET, "properties run past the packet's end");
	reader.setRange(bytes, from, from + length);
	if (length === 0) return 0;
	const repeatable = packet.type === PUBLISH ? SUBSCRIPTION_IDENTIFIER : USER_PROPERTY;
	let seenLow = 0;
	let seenHigh = 0;
	while (reader.next()) {
		const id = reader.id;
		const bit = propertyBit(id);
		// §2.2.2.2
		if (((id < 32 ? ALLOWED_LOW : ALLOWED_HIGH)[carrier] & bit) === 0)
			return packet.refuse(MALFORMED_PACKET, "property is not allowed in this packet");
		if (((id < 32 ? seenLow : seenHigh) & bit) !== 0 && id !== USER_PROPERTY && id !== repeatable)
			return packet.refuse(PROTOCOL_ERROR, "property occurs twice"); // §3.1.2.11 and after, "more than once"
		if (id < 32) seenLow |= bit;
		else seenHigh |= bit;
		if (id === RESPONSE_TOPIC) {
			if (reader.start === reader.end || hasWildcard(bytes, reader.start, reader.end))
				// [MQTT-3.3.2-14] [MQTT-4.7.3-1]
				return packet.refuse(PROTOCOL_ERROR, "response topic is no topic name");
		} else if (!propertyValueAllowed(id, reader.number))
			return id === TOPIC_ALIAS
				? packet.refuse(TOPIC_ALIAS_INVALID, "topic alias 0")
				: packet.refuse(PROTOCOL_ERROR, "property value is out of its range"); // [MQTT-3.3.2-8]
	}
	if (reader.errorCode !== 0) return packet.refuse(reader.errorCode, "malformed property");
	reader.idsLow = seenLow;
	reader.idsHigh = seenHigh;
	reader.rewind();
	return 0;
}
