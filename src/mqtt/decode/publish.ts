import { type CheckResult, MALFORMED_PACKET, PROTOCOL_ERROR, PUBLISH, type Version } from "../constants";
import type { Packet } from "../packet";
import { SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS } from "../properties";
import { checkTopicName } from "../topics";
import { readVarintByte, VARINT_COMPLETE, VARINT_START, varintValue } from "../varint";
import { readProperties } from "./properties";

/**
 * Computes the length of the variable header of a PUBLISH from its first `available` bytes. The result is
 * larger than `available` if these do not suffice to compute it or the header is incomplete; -1 if the
 * property length is malformed.
 */
export function publishHeaderLength(
	bytes: Uint8Array,
	start: number,
	available: number,
	flags: number,
	version: Version,
): number {
	if (available < 2) return 2;
	let length = 2 + ((bytes[start] << 8) | bytes[start + 1]) + ((flags & 6) === 0 ? 0 : 2);
	if (version === 4) return length;
	let properties = VARINT_START;
	do {
		if (available <= length) return length + 1;
		properties = readVarintByte(properties, bytes[start + length++]);
		if (properties < 0) return -1;
	} while (properties < VARINT_COMPLETE);
	return length + varintValue(properties);
}

/**
 * Decodes the header of a PUBLISH (§3.3). Sets packet.payloadStart to the index after it. Bytes beyond the
 * header may be missing from `bytes`.
 * @param end index after the payload
 * @returns 0 or a reason code
 */
export function decodePublish(
	packet: Packet,
	bytes: Uint8Array,
	start: number,
	end: number,
	fromClient: boolean,
): CheckResult {
	const topicStart = start + 2;
	// [MQTT-3.3.2-1]
	if (topicStart > end) return packet.refuse(MALFORMED_PACKET, "topic runs past the packet's end");
	const topicEnd = topicStart + ((bytes[start] << 8) | bytes[start + 1]);
	if (topicEnd > end) return packet.refuse(MALFORMED_PACKET, "topic runs past the packet's end");
	// [MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.3-2]
	const reasonCode = checkTopicName(bytes, topicStart, topicEnd, packet.words);
	if (reasonCode !== 0) return packet.refuse(reasonCode, "not a topic name");
	packet.topicStart = topicStart;
	packet.topicEnd = topicEnd;

	let at = topicEnd;
	let packetId = 0;
	if ((packet.flags & 6) !== 0) {
		// [MQTT-2.2.1-2] [MQTT-3.1.1:2.3.1-5]
		if (at + 2 > end) return packet.refuse(MALFORMED_PACKET, "PUBLISH ends within its packet identifier");
		packetId = (bytes[at] << 8) | bytes[at + 1];
		// [MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-1]
		if (packetId === 0) return packet.refuse(PROTOCOL_ERROR, "packet identifier 0");
		at += 2;
	}
	packet.packetId = packetId;

	const properties = packet.properties;
	if (packet.version === 4) properties.setRange(bytes, at, at);
	else if (at < end && bytes[at] === 0) {
		at++;
		properties.setRange(bytes, at, at);
	} else {
		const code = readProperties(packet, properties, bytes, at, end, PUBLISH);
		if (code !== 0) return code;
		// [MQTT-3.3.4-6]
		if (fromClient && properties.has(SUBSCRIPTION_IDENTIFIER))
			return packet.refuse(PROTOCOL_ERROR, "subscription identifier from a client");
		at = properties.to;
	}
	// §3.3.2.1 [MQTT-4.7.3-1]
	if (topicStart === topicEnd && !properties.has(TOPIC_ALIAS))
		return packet.refuse(PROTOCOL_ERROR, "neither topic nor topic alias");
	packet.payloadStart = at;
	packet.payloadLength = end - at;
	return 0;
}
