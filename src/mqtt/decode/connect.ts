import { fieldEnd } from "../bytes";
import {
	BRIDGE_LEVEL,
	type CheckResult,
	CLEAN_START,
	CLIENT_IDENTIFIER_NOT_VALID,
	CONNECT,
	HAS_PASSWORD,
	HAS_USERNAME,
	IS_BRIDGE,
	MALFORMED_PACKET,
	PROTOCOL_ERROR,
	TOPIC_NAME_INVALID,
	UNSUPPORTED_PROTOCOL_VERSION,
	WILL,
	WILL_QOS,
	WILL_RETAIN,
} from "../constants";
import type { Packet } from "../packet";
import { AUTHENTICATION_DATA, AUTHENTICATION_METHOD } from "../properties";
import { WILL_PROPERTIES } from "../property-types";
import { hasWildcard } from "../topics";
import { validUTF8 } from "../utf8";
import { readProperties } from "./properties";

/** CONNECT (§3.1). Sets packet.version even if the packet is refused. Returns 0 or a reason code. */
export function decodeConnect(packet: Packet, bytes: Uint8Array, start: number, end: number): CheckResult {
	const nameEnd = fieldEnd(bytes, start, end);
	if (nameEnd < 0 || nameEnd === end)
		return packet.refuse(MALFORMED_PACKET, "CONNECT ends within its protocol name or level");
	const level = bytes[nameEnd];
	packet.version = (level & 0x7f) > 4 ? 5 : 4;
	if (
		nameEnd !== start + 6 ||
		bytes[start + 2] !== 0x4d ||
		bytes[start + 3] !== 0x51 ||
		bytes[start + 4] !== 0x54 ||
		bytes[start + 5] !== 0x54
	)
		return packet.refuse(UNSUPPORTED_PROTOCOL_VERSION, "protocol name is not MQTT"); // [MQTT-3.1.2-1]
	// [MQTT-3.1.2-2]
	if (level !== 4 && level !== 5 && level !== BRIDGE_LEVEL)
		return packet.refuse(UNSUPPORTED_PROTOCOL_VERSION, "protocol level is neither 4 nor 5");

	let at = nameEnd + 1;
	if (at + 3 > end) return packet.refuse(MALFORMED_PACKET, "CONNECT ends within its variable header");
	const flags = bytes[at];
	packet.connectFlags = flags;
	packet.keepAlive = (bytes[at + 1] << 8) | bytes[at + 2];
	const reasonCode = checkConnectFlags(packet, flags);
	if (reasonCode !== 0) return reasonCode;
	if (level === BRIDGE_LEVEL) packet.connectFlags |= IS_BRIDGE;
	at += 3;

	packet.properties.setRange(bytes, at, at);
	if (level === 5) {
		const properties = packet.properties;
		const code = readProperties(packet, properties, bytes, at, end, CONNECT);
		if (code !== 0) return code;
		if (properties.has(AUTHENTICATION_DATA) && !properties.has(AUTHENTICATION_METHOD))
			return packet.refuse(PROTOCOL_ERROR, "authentication data without a method"); // §3.1.2.11.10
		at = properties.to;
	}

	const clientIdEnd = fieldEnd(bytes, at, end); // [MQTT-3.1.3-3]
	// [MQTT-3.1.3-4]
	if (clientIdEnd < 0 || !validUTF8(bytes, at + 2, clientIdEnd))
		return packet.refuse(MALFORMED_PACKET, "malformed client identifier");
	packet.clientIdStart = at + 2;
	packet.clientIdEnd = clientIdEnd;

	const code = decodeAfterClientId(packet, bytes, clientIdEnd, end, level);
	if (code !== 0) return code;
	if (level !== 5 && packet.clientIdStart === clientIdEnd && (flags & CLEAN_START) === 0)
		// [MQTT-3.1.1:3.1.3-7] [MQTT-3.1.1:3.1.3-8]
		return packet.refuse(CLIENT_IDENTIFIER_NOT_VALID, "no client identifier for a session to keep");
	return 0;
}

function checkConnectFlags(packet: Packet, flags: number): CheckResult {
	if ((flags & 1) !== 0) return packet.refuse(MALFORMED_PACKET, "reserved CONNECT flag"); // [MQTT-3.1.2-3]
	if ((flags & WILL) === 0) {
		// [MQTT-3.1.2-11] [MQTT-3.1.1:3.1.2-13]
		if ((flags & WILL_QOS) !== 0) return packet.refuse(PROTOCOL_ERROR, "will QoS without a will");
		// [MQTT-3.1.2-13] [MQTT-3.1.1:3.1.2-15]
		if ((flags & WILL_RETAIN) !== 0) return packet.refuse(PROTOCOL_ERROR, "will retain without a will");
	} else if ((flags & WILL_QOS) === WILL_QOS)
		// [MQTT-3.1.2-12] [MQTT-3.1.1:3.1.2-14]
		return packet.refuse(MALFORMED_PACKET, "will QoS 3");
	if (packet.version === 4 && (flags & HAS_PASSWORD) !== 0 && (flags & HAS_USERNAME) === 0)
		return packet.refuse(PROTOCOL_ERROR, "password without a user name"); // [MQTT-3.1.1:3.1.2-22]
	return 0;
}

/** Decodes the fields after the client identifier, in this order [MQTT-3.1.3-1]. */
function decodeAfterClientId(
	packet: Packet,
	bytes: Uint8Array,
	from: number,
	end: number,
	level: number,
): CheckResult {
	const flags = packet.connectFlags;
	let at = from;
	packet.willProperties.setRange(bytes, at, at);
	if ((flags & WILL) !== 0) {
		// [MQTT-3.1.2-9] [MQTT-3.1.1:3.1.2-11]
		if (level === 5) {
			const code = readProperties(packet, packet.willProperties, bytes, at, end, WILL_PROPERTIES);
			if (code !== 0) return code;
			at = packet.willProperties.to;
		}
		const topicEnd = fieldEnd(bytes, at, end);
		// [MQTT-3.1.3-11] [MQTT-3.1.1:3.1.3-10]
		if (topicEnd < 0 || !validUTF8(bytes, at + 2, topicEnd))
			return packet.refuse(MALFORMED_PACKET, "malformed will topic");
		// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-3.1.1:4.7.1-1]
		if (topicEnd === at + 2 || hasWildcard(bytes, at + 2, topicEnd))
			return packet.refuse(TOPIC_NAME_INVALID, "will topic is no topic name");
		packet.willTopicStart = at + 2;
		packet.willTopicEnd = topicEnd;
		at = fieldEnd(bytes, topicEnd, end);
		if (at < 0) return packet.refuse(MALFORMED_PACKET, "will payload runs past the packet's end");
		packet.willPayloadStart = topicEnd + 2;
		packet.willPayloadEnd = at;
	}
	if ((flags & HAS_USERNAME) !== 0) {
		const usernameEnd = fieldEnd(bytes, at, end); // [MQTT-3.1.2-17] [MQTT-3.1.1:3.1.2-19]
		// [MQTT-3.1.3-12] [MQTT-3.1.1:3.1.3-11]
		if (usernameEnd < 0 || !validUTF8(bytes, at + 2, usernameEnd))
			return packet.refuse(MALFORMED_PACKET, "malformed user name");
		packet.usernameStart = at + 2;
		packet.usernameEnd = usernameEnd;
		at = usernameEnd;
	}
	if ((flags & HAS_PASSWORD) !== 0) {
		const passwordEnd = fieldEnd(bytes, at, end); // [MQTT-3.1.2-19] [MQTT-3.1.1:3.1.2-21]
		if (passwordEnd < 0) return packet.refuse(MALFORMED_PACKET, "password runs past the packet's end");
		packet.passwordStart = at + 2;
		packet.passwordEnd = passwordEnd;
		at = passwordEnd;
	}
	// [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.1:3.1.2-18] [MQTT-3.1.1:3.1.2-20]
	if (at !== end) return packet.refuse(MALFORMED_PACKET, "bytes after the CONNECT payload");
	return 0;
}
