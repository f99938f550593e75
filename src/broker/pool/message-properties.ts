import { readUint32, writeUint32 } from "../../mqtt/bytes";
import { MESSAGE_EXPIRY_INTERVAL, TOPIC_ALIAS, WILL_DELAY_INTERVAL } from "../../mqtt/properties";
import type { PropertyReader } from "../../mqtt/property-reader";
import type { Message } from "./message";

/** Bytes of a message expiry interval property, including its identifier. */
export const EXPIRY_BYTES = 5;

/**
 * Converts the properties of a message, in place, to the form in which they are stored and forwarded:
 * properties of the connection are removed, and the message expiry interval is moved to the front. All others
 * stay unchanged and in order [MQTT-3.3.2-17] [MQTT-3.3.2-18].
 */
export function normalizeProperties(message: Message, reader: PropertyReader): void {
	if (!reader.has(MESSAGE_EXPIRY_INTERVAL) && !reader.has(TOPIC_ALIAS) && !reader.has(WILL_DELAY_INTERVAL))
		return;
	const { bytes, propertiesStart } = message;
	let expiry = -1;
	let from = propertiesStart;
	let to = propertiesStart;
	reader.rewind();
	while (reader.next()) {
		const next = reader.at;
		switch (reader.id) {
			case MESSAGE_EXPIRY_INTERVAL:
				expiry = reader.number;
				break;
			case TOPIC_ALIAS:
			case WILL_DELAY_INTERVAL:
				break;
			default:
				bytes.copyWithin(to, from, next);
				to += next - from;
		}
		from = next;
	}
	if (expiry >= 0) {
		bytes.copyWithin(propertiesStart + EXPIRY_BYTES, propertiesStart, to);
		bytes[propertiesStart] = MESSAGE_EXPIRY_INTERVAL;
		writeUint32(bytes, propertiesStart + 1, expiry);
		to += EXPIRY_BYTES;
	}
	message.propertiesEnd = to;
}

/** Whether the first property is a message expiry interval. */
export function hasExpiry(message: Message): boolean {
	return (
		message.propertiesStart !== message.propertiesEnd &&
		message.bytes[message.propertiesStart] === MESSAGE_EXPIRY_INTERVAL
	);
}

/**
 * Remaining lifetime, s, of a message with an expiry interval at `now`, ms of the broker's clock; negative if
 * it has expired [MQTT-3.3.2-5] [MQTT-3.3.2-6].
 */
export function secondsLeft(message: Message, now: number): number {
	const interval = readUint32(message.bytes, message.propertiesStart + 1);
	const left = interval - Math.floor((now - message.arrivedAtMs) / 1000);
	return left === 0 && interval !== 0 ? -1 : left;
}
