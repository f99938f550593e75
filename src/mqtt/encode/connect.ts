import { writeLengthPrefixed, writeUint16 } from "../bytes";
import {
	BRIDGE_LEVEL,
	CLEAN_START,
	CLIENT_IDENTIFIER_NOT_VALID,
	CONNECT,
	HAS_PASSWORD,
	HAS_USERNAME,
	MALFORMED_PACKET,
	MAXIMUM_STRING,
	PACKET_TOO_LARGE,
	PROTOCOL_ERROR,
	TOPIC_NAME_INVALID,
	type Version,
	WILL,
	WILL_RETAIN,
} from "../constants";
import { MQTTError } from "../error";
import type { ConnectFields, WillFields } from "../packet-fields";
import { AUTHENTICATION_DATA, AUTHENTICATION_METHOD, propertyBit } from "../properties";
import { WILL_PROPERTIES } from "../property-types";
import { validTopicName } from "../topics";
import { validUTF8 } from "../utf8";
import { propertiesSize, writeProperties } from "./properties";

/**
 * Checks the fields of a CONNECT and returns its remaining length.
 * @param hasValidText strings and the will's topic are known to be valid
 */
export function connectLength(fields: ConnectFields, version: Version, hasValidText: boolean): number {
	const { clientId, keepAlive, cleanStart, username, password, properties, will } = fields;
	// §3.1.2.10
	if (!(keepAlive >= 0 && keepAlive <= 0xffff) || keepAlive % 1 !== 0)
		throw new MQTTError(PROTOCOL_ERROR, "keepAlive is not 0 to 65,535 s");
	if (version === 4) {
		// [MQTT-3.1.1:3.1.3-7]
		if (clientId.length === 0 && !cleanStart)
			throw new MQTTError(CLIENT_IDENTIFIER_NOT_VALID, "no client identifier for a session to keep");
		// [MQTT-3.1.1:3.1.2-22]
		if (password !== undefined && username === undefined)
			throw new MQTTError(PROTOCOL_ERROR, "password without a user name");
	} else if (
		properties !== undefined &&
		(properties.idsLow & propertyBit(AUTHENTICATION_DATA)) !== 0 &&
		(properties.idsLow & propertyBit(AUTHENTICATION_METHOD)) === 0
	)
		throw new MQTTError(PROTOCOL_ERROR, "authentication data without a method"); // §3.1.2.11.10
	// [MQTT-3.1.3-3] [MQTT-3.1.3-4]
	let length = 10 + propertiesSize(properties, version, CONNECT) + dataSize(clientId);
	if (!hasValidText) checkText(fields);
	if (will !== undefined) length += willSize(will, version);
	if (username !== undefined) length += dataSize(username); // [MQTT-3.1.3-12] [MQTT-3.1.1:3.1.3-11]
	if (password !== undefined) length += dataSize(password);
	return length;
}

function willSize(will: WillFields, version: Version): number {
	const { topic, payload, qos, properties } = will;
	// [MQTT-3.1.2-12] [MQTT-3.1.1:3.1.2-14]
	if (qos !== 0 && qos !== 1 && qos !== 2) throw new MQTTError(PROTOCOL_ERROR, "will QoS is not 0, 1 or 2");
	return propertiesSize(properties, version, WILL_PROPERTIES) + dataSize(topic) + dataSize(payload);
}

function checkText({ clientId, username, will }: ConnectFields): void {
	checkString(clientId);
	if (username !== undefined) checkString(username);
	if (will !== undefined) checkWillTopic(will.topic);
}

/** @throws {MQTTError} 0x90 [MQTT-3.1.3-11] [MQTT-3.1.1:3.1.3-10] */
export function checkWillTopic(topic: Uint8Array): void {
	if (!validTopicName(topic, 0, topic.length))
		throw new MQTTError(TOPIC_NAME_INVALID, "will topic is no topic name");
}

function dataSize(field: Uint8Array): number {
	// §1.5.4, §1.5.6
	if (field.length > MAXIMUM_STRING)
		throw new MQTTError(PACKET_TOO_LARGE, "field is longer than 65,535 bytes");
	return 2 + field.length;
}

function checkString(field: Uint8Array): void {
	// [MQTT-1.5.4-1] [MQTT-1.5.4-2]
	if (!validUTF8(field, 0, field.length)) throw new MQTTError(MALFORMED_PACKET, "field is not UTF-8");
}

/** Writes what follows the fixed header; returns the index after it. The order is [MQTT-3.1.3-1]. */
export function writeConnect(
	bytes: Uint8Array,
	from: number,
	fields: ConnectFields,
	version: Version,
): number {
	const { clientId, keepAlive, cleanStart, username, password, properties, will, isBridge } = fields;
	let at = writeUint16(bytes, from, 4);
	bytes[at++] = 0x4d; // MQTT [MQTT-3.1.2-1]
	bytes[at++] = 0x51;
	bytes[at++] = 0x54;
	bytes[at++] = 0x54;
	bytes[at++] = isBridge ? BRIDGE_LEVEL : version; // [MQTT-3.1.2-2]
	// [MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.1:3.1.2-11] [MQTT-3.1.1:3.1.2-13]
	// [MQTT-3.1.1:3.1.2-15]
	let flags = cleanStart ? CLEAN_START : 0;
	if (will !== undefined) flags |= WILL | (will.qos << 3) | (will.retain ? WILL_RETAIN : 0);
	if (username !== undefined) flags |= HAS_USERNAME;
	if (password !== undefined) flags |= HAS_PASSWORD;
	bytes[at++] = flags;
	at = writeUint16(bytes, at, keepAlive);
	at = writeProperties(bytes, at, properties, version);
	at = writeLengthPrefixed(bytes, at, clientId);
	if (will !== undefined) {
		// [MQTT-3.1.2-9]
		at = writeProperties(bytes, at, will.properties, version);
		at = writeLengthPrefixed(bytes, at, will.topic);
		at = writeLengthPrefixed(bytes, at, will.payload);
	}
	// [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.1:3.1.2-18] [MQTT-3.1.1:3.1.2-19]
	if (username !== undefined) at = writeLengthPrefixed(bytes, at, username);
	// [MQTT-3.1.2-18] [MQTT-3.1.2-19] [MQTT-3.1.1:3.1.2-20] [MQTT-3.1.1:3.1.2-21]
	if (password !== undefined) at = writeLengthPrefixed(bytes, at, password);
	return at;
}
