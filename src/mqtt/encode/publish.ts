import { MAXIMUM_STRING, PACKET_TOO_LARGE, PROTOCOL_ERROR, PUBLISH, type Version } from "../constants";
import { MQTTError } from "../error";
import { propertyBit, TOPIC_ALIAS } from "../properties";
import type { PropertyWriter } from "../property-writer";
import { writeVarint } from "../varint";
import { aliasedPropertiesSize, propertiesSize } from "./properties";

/**
 * Checks the fields of a PUBLISH, apart from its topic's content, and returns the length of its variable
 * header in bytes.
 */
export function publishHeaderSize(
	topicLength: number,
	flags: number,
	packetId: number,
	properties: PropertyWriter | undefined,
	version: Version,
): number {
	checkPublishFlags(flags, packetId);
	if (topicLength === 0) checkTopicAlias(properties, version);
	else if (topicLength > MAXIMUM_STRING)
		throw new MQTTError(PACKET_TOO_LARGE, "topic is longer than 65,535 bytes"); // [MQTT-4.7.3-3]
	return variableHeaderSize(topicLength, flags, propertiesSize(properties, version, PUBLISH));
}

/** As publishHeaderSize, with a topic alias that is not among the properties. */
export function aliasedHeaderSize(
	topicLength: number,
	flags: number,
	packetId: number,
	properties: PropertyWriter | undefined,
	version: Version,
): number {
	checkPublishFlags(flags, packetId);
	if (version === 4) throw new MQTTError(PROTOCOL_ERROR, "MQTT 3.1.1 has no topic alias");
	return variableHeaderSize(topicLength, flags, aliasedPropertiesSize(properties));
}

/**
 * Length of the variable header of a PUBLISH (§3.3.2), bytes.
 * @param properties bytes of the properties with their length; 0 in MQTT 3.1.1
 */
export function variableHeaderSize(topicLength: number, flags: number, properties: number): number {
	return topicLength + ((flags & 6) === 0 ? 2 : 4) + properties; // [MQTT-2.2.1-2] [MQTT-3.1.1:2.3.1-5]
}

/**
 * Writes the beginning of a PUBLISH, fixed header and length of the topic; returns the index after them. Then
 * follow the topic and, unless the QoS is 0, the packet identifier; the caller writes these, as with them the
 * broker's stack on XS would be too deep.
 */
export function writePublishStart(
	bytes: Uint8Array,
	at: number,
	flags: number,
	remaining: number,
	topicLength: number,
): number {
	bytes[at] = (PUBLISH << 4) | flags;
	let next = at + 1;
	if (remaining < 128) bytes[next++] = remaining;
	else next = writeVarint(bytes, next, remaining);
	bytes[next] = topicLength >> 8;
	bytes[next + 1] = topicLength;
	return next + 2;
}

/**
 * @throws {MQTTError} 0x82 for flags of the fixed header, or a packet identifier with them, that PUBLISH must
 *   not have
 */
function checkPublishFlags(flags: number, packetId: number): void {
	if (!(flags >= 0 && flags <= 15)) throw new MQTTError(PROTOCOL_ERROR, "flags are not of four bits");
	const qos = flags & 6;
	if (qos === 6) throw new MQTTError(PROTOCOL_ERROR, "QoS 3"); // [MQTT-3.3.1-4]
	if (qos !== 0)
		checkPacketId(packetId); // [MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-1]
	else if ((flags & 8) !== 0)
		// [MQTT-3.3.1-2] [MQTT-4.3.1-1]
		throw new MQTTError(PROTOCOL_ERROR, "DUP with QoS 0");
}

/** @throws {MQTTError} 0x82 unless a topic alias replaces the empty topic */
function checkTopicAlias(properties: PropertyWriter | undefined, version: Version): void {
	if (version === 4 || properties === undefined || (properties.idsHigh & propertyBit(TOPIC_ALIAS)) === 0)
		throw new MQTTError(PROTOCOL_ERROR, "neither topic nor topic alias"); // §3.3.2.1 [MQTT-4.7.3-1]
}

/** @throws {MQTTError} 0x82 unless the identifier is 1…65,535 */
export function checkPacketId(packetId: number): void {
	if (!(packetId > 0 && packetId <= 0xffff))
		throw new MQTTError(PROTOCOL_ERROR, "packet identifier is not 1 to 65,535");
}
