import { TOPIC_NAME_INVALID } from "../mqtt/constants";
import { variableHeaderSize } from "../mqtt/encode/publish";
import { Encoder } from "../mqtt/encoder";
import { MQTTError } from "../mqtt/error";
import type { PropertyWriter } from "../mqtt/property-writer";
import { validTopicName } from "../mqtt/topics";
import { packetSize, varintSize } from "../mqtt/varint";
import {
	BLOCKED_ON_BUFFER,
	BUSY,
	type Outbound,
	type OutboundConnection,
	type PublishResult,
	REJECTED,
} from "./outbound";

/*
 * A PUBLISH whose payload follows piece by piece. Until its end no other packet may be staged: answers to
 * what the broker sends meanwhile wait in a buffer of their own, which exists from the first such message on.
 */

/** Bytes of answers that wait; a client with as many reads no more until the payload is complete. */
export const DEFERRED_ANSWERS = 64;

/** See `Client.beginPublish`. */
export function beginPublish(
	outbound: Outbound,
	topic: Uint8Array,
	payloadLength: number,
	flags: number,
	properties: PropertyWriter | undefined,
	packetId: number,
	tag: number,
): PublishResult {
	const { connection, options } = outbound;
	const { encoder } = connection;
	if (!validTopicName(topic, 0, topic.length)) throw new MQTTError(TOPIC_NAME_INVALID, "not a topic name"); // [MQTT-3.3.2-2]
	const propertiesLength = properties === undefined ? 0 : outbound.checkedLength(properties);
	const prefix = encoder.version === 5 ? varintSize(propertiesLength) + propertiesLength : 0;
	const size = packetSize(variableHeaderSize(topic.length, flags, prefix) + payloadLength);
	if (size - payloadLength + DEFERRED_ANSWERS >= options.sendBuffer) return REJECTED;
	const obstacle = outbound.obstacle((flags >> 1) & 3, size, packetId);
	if (obstacle !== 0) return obstacle;
	if (!outbound.hasRoom(size - payloadLength + DEFERRED_ANSWERS)) return BUSY;
	const id = outbound.identify(flags, packetId);
	encoder.publishHeader(topic, 0, topic.length, payloadLength, outbound.allowedFlags(flags), id, properties);
	outbound.record(id, flags, tag);
	connection.payloadRemaining = payloadLength;
	connection.streamedId = id;
	return id;
}

/** See `Client.writePayload`. */
export function writePayload(outbound: Outbound, bytes: Uint8Array, start: number, end: number): number {
	const { connection } = outbound;
	const remaining = connection.payloadRemaining ?? 0;
	if (!(end - start <= remaining))
		throw new RangeError(`${end - start} bytes of payload, ${remaining} remain`);
	const { encoder } = connection;
	let written = 0;
	do {
		const room = encoder.room - connection.reservedBytes - DEFERRED_ANSWERS;
		const limit = start + written + (room > 0 ? room : 0);
		const count = encoder.payload(bytes, start + written, limit < end ? limit : end);
		written += count;
		if (start + written === end) break;
		connection.flush();
		if (encoder.length > 0) {
			outbound.blockedOn |= BLOCKED_ON_BUFFER;
			break;
		}
	} while (start + written < end);
	connection.payloadRemaining = remaining - written;
	outbound.restartWait(connection.streamedId ?? 0);
	if (written === remaining) stageDeferred(connection);
	return written;
}

/** The encoder for answers while a payload is incomplete. */
export function deferredAnswers(connection: OutboundConnection): Encoder {
	connection.deferredAnswers ??= new Encoder({ size: DEFERRED_ANSWERS, version: connection.encoder.version });
	return connection.deferredAnswers;
}

/** The payload is complete: stages the answers that waited, for which room was kept. */
function stageDeferred({ encoder, deferredAnswers: deferred }: OutboundConnection): void {
	if (deferred === undefined || deferred.length === 0) return;
	encoder.payload(deferred.view, 0, deferred.length);
	deferred.reset();
}
