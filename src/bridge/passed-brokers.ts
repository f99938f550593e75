import { USER_PROPERTY } from "../mqtt/properties";
import type { PropertyReader } from "../mqtt/property-reader";
import { utf8 } from "../mqtt/utf8";

/*
 * The brokers that a message has passed on its way over bridges are its user properties of the name
 * "firefly-bridge" (MQTT 5.0): a broker with a bridge does not take a message that it had before. The broker
 * tells its own in CONNACK.
 */

/** Name of the user property. In a preloaded module it lies in flash; never written. */
export const PASSED_BROKER: Uint8Array = utf8("firefly-bridge");

/** Bytes of the property with a broker's name. */
export function passedBrokerSize(broker: Uint8Array | undefined): number {
	return broker === undefined ? 0 : 5 + PASSED_BROKER.length + broker.length;
}

/** Longest name of a broker, bytes. */
const NAME_LIMIT = 40;

/** A broker's own name: the client identifier of its bridge, of a long one the end. */
export function brokerName(clientId: Uint8Array): Uint8Array {
	let start = Math.max(0, clientId.length - NAME_LIMIT);
	while (start < clientId.length && (clientId[start] & 0xc0) === 0x80) start++; // within a character
	return clientId.slice(start);
}

/** The first name among the properties of a CONNACK; undefined: none, or one that is longer than any. */
export function passedBrokerName(reader: PropertyReader): Uint8Array | undefined {
	reader.rewind();
	if (!nextPassedBroker(reader) || reader.end - reader.start > NAME_LIMIT) return undefined;
	return reader.bytes.slice(reader.start, reader.end);
}

/** Whether a message has passed a broker. */
export function hasPassed(reader: PropertyReader, broker: Uint8Array): boolean {
	if (!reader.has(USER_PROPERTY)) return false;
	reader.rewind();
	while (nextPassedBroker(reader)) if (equals(reader.bytes, reader.start, reader.end, broker)) return true;
	return false;
}

function nextPassedBroker(reader: PropertyReader): boolean {
	while (reader.next())
		if (reader.id === USER_PROPERTY && equals(reader.bytes, reader.nameStart, reader.nameEnd, PASSED_BROKER))
			return true;
	return false;
}

/** Whether bytes [start, end) are those of `expected`. */
export function equals(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
	if (end - start !== expected.length) return false;
	for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
	return true;
}
