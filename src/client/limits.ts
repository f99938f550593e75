import type { Version } from "../mqtt/constants";
import { packetSize, varintSize } from "../mqtt/varint";

/** Bytes of a whole PUBLISH (§3.3). */
export function publishSize(
	version: Version,
	topicLength: number,
	payloadLength: number,
	qos: number,
	propertiesLength: number,
): number {
	let remaining = 2 + topicLength + payloadLength;
	if (qos > 0) remaining += 2;
	if (version === 5)
		remaining += propertiesLength === 0 ? 1 : varintSize(propertiesLength) + propertiesLength;
	return packetSize(remaining);
}

/**
 * Bytes of the largest payload of a PUBLISH without properties that fits a packet; negative: not even an
 * empty one fits. At some sizes the remaining length takes a byte more or less, and one byte stays unused.
 */
export function maximumPayload(
	version: Version,
	packetSize: number,
	topicLength: number,
	qos: number,
): number {
	const rest = packetSize - 1 - varintSize(packetSize > 2 ? packetSize - 2 : 0);
	return rest - 2 - topicLength - (qos > 0 ? 2 : 0) - (version === 5 ? 1 : 0);
}
