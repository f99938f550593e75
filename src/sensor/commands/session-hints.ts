import { USER_PROPERTY } from "../../mqtt/properties";
import type { PropertyReader } from "../../mqtt/property-reader";
import { utf8 } from "../../mqtt/utf8";
import { NINE, ZERO } from "../../text/ascii";

/** User property of CONNACK by which Firefly's broker says how many messages wait for the client. */
const QUEUED: Uint8Array = utf8("firefly-queued");

/** Messages that the broker has queued, as its CONNACK says; −1: it does not say. Allocates nothing. */
export function queuedMessages(properties: PropertyReader): number {
	properties.rewind();
	while (properties.next())
		if (properties.id === USER_PROPERTY && hasName(properties))
			return decimal(properties.bytes, properties.start, properties.end);
	return -1;
}

function hasName({ bytes, nameStart, nameEnd }: PropertyReader): boolean {
	const { length } = QUEUED;
	if (nameEnd - nameStart !== length) return false;
	for (let i = 0; i < length; i++) if (bytes[nameStart + i] !== QUEUED[i]) return false;
	return true;
}

function decimal(bytes: Uint8Array, start: number, end: number): number {
	let value = 0;
	for (let at = start; at < end; at++) {
		const digit = bytes[at];
		if (digit < ZERO || digit > NINE || value > 0xffff) return -1;
		value = value * 10 + digit - ZERO;
	}
	return start === end ? -1 : value;
}
