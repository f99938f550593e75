import { publishSize } from "./limits";
import type { PublishResult } from "./outbound";
import { BLOCKED_ON_BUFFER, BUSY, type Outbound, REJECTED } from "./outbound";

/** See `Client.publishRange`. */
export function publishRange(
	outbound: Outbound,
	bytes: Uint8Array,
	start: number,
	topicEnd: number,
	end: number,
	flags: number,
	packetId: number,
	tag: number,
): PublishResult {
	const { connection, options } = outbound;
	const { encoder } = connection;
	const qos = (flags >> 1) & 3;
	const size = publishSize(encoder.version, topicEnd - start, end - topicEnd, qos, 0);
	if (size > options.sendBuffer) return REJECTED;
	const obstacle = outbound.obstacle(qos, size, packetId);
	if (obstacle !== 0) return obstacle;
	if (encoder.room < size + connection.reservedBytes) connection.flush();
	if (encoder.room < size + connection.reservedBytes) {
		outbound.blockedOn |= BLOCKED_ON_BUFFER;
		return BUSY;
	}
	const id = outbound.identify(flags, packetId);
	encoder.publishHeader(bytes, start, topicEnd, end - topicEnd, outbound.allowedFlags(flags), id);
	encoder.payload(bytes, topicEnd, end);
	outbound.record(id, flags, tag);
	return id;
}
