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

/** Moves to the first property that names a broker; false if there is none. */
export function findPassedBroker(reader: PropertyReader): boolean {
	reader.rewind();
	return nextPassedBroker(reader);
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
