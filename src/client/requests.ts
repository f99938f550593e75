import { filtersSize, subscriptionsSize } from "../mqtt/encode/subscribe";
import type { Packet } from "../mqtt/packet";
import type { Subscription } from "../mqtt/packet-fields";
import { SUBSCRIPTION_IDENTIFIER } from "../mqtt/properties";
import type { PropertyWriter } from "../mqtt/property-writer";
import { hasWildcard, sharedFilterStart } from "../mqtt/topics";
import { packetSize, varintSize } from "../mqtt/varint";
import { IDLE, SUBACK_PENDING, UNSUBACK_PENDING } from "../session/delivery";
import type { Negotiated } from "../session/negotiated";
import {
	BLOCKED_ON_BUFFER,
	BLOCKED_ON_CONNACK,
	BLOCKED_ON_TABLE,
	BUSY,
	type Outbound,
	type PacketId,
	type PublishResult,
	REJECTED,
} from "./outbound";

/*
 * SUBSCRIBE and UNSUBSCRIBE. They are functions over `Outbound`, so that a client without subscriptions has
 * no memory for them; their packet identifiers are in its table until SUBACK or UNSUBACK.
 */

/** See `Client.subscribe`. @param packetId 0: one that is not in use */
export function sendSubscribe(
	outbound: Outbound,
	subscriptions: readonly Subscription[],
	properties: PropertyWriter | undefined,
	packetId: number,
): PublishResult {
	const { connection } = outbound;
	const { encoder, negotiated } = connection;
	const filters = subscriptionsSize(subscriptions, encoder.version); // [MQTT-3.8.3-1] [MQTT-3.8.3-2]
	if (negotiated.isAgreed && !isAvailable(subscriptions, properties, negotiated)) return REJECTED;
	const id = reserveRequest(outbound, filters, properties, packetId);
	if (id === BUSY || id === REJECTED) return id;
	encoder.subscribe(id, subscriptions, properties); // [MQTT-3.8.1-1]
	if (connection.isSubscribed) connection.isSubscribed = false;
	return record(outbound, id, SUBACK_PENDING, subscriptions.length);
}

/** See `Client.unsubscribe`. @param packetId 0: one that is not in use */
export function sendUnsubscribe(
	outbound: Outbound,
	filters: readonly Uint8Array[],
	properties: PropertyWriter | undefined,
	packetId: number,
): PublishResult {
	const { encoder } = outbound.connection;
	const size = filtersSize(filters, encoder.version); // [MQTT-3.10.3-1] [MQTT-3.10.3-2]
	const id = reserveRequest(outbound, size, properties, packetId);
	if (id === BUSY || id === REJECTED) return id;
	encoder.unsubscribe(id, filters, properties); // [MQTT-3.10.1-1]
	return record(outbound, id, UNSUBACK_PENDING, filters.length);
}

/**
 * Whether an answer has a result for each of the filters. [MQTT-3.8.4-6] [MQTT-3.1.1:3.8.4-5] An UNSUBACK of
 * MQTT 3.1.1 has none.
 * @param filters topic filters of the request
 */
export function answersEach(packet: Packet, filters: number): boolean {
	const results = packet.listEnd - packet.listStart;
	return results === filters || (results === 0 && packet.version === 4);
}

/**
 * @param payload bytes of the topic filters
 * @param packetId 0: one that is not in use
 * @returns the packet identifier, or why there is none
 */
function reserveRequest(
	outbound: Outbound,
	payload: number,
	properties: PropertyWriter | undefined,
	packetId: number,
): PublishResult {
	const { connection, options } = outbound;
	const { encoder, negotiated } = connection;
	const propertiesLength = properties === undefined ? 0 : properties.length;
	const prefix = encoder.version === 5 ? varintSize(propertiesLength) + propertiesLength : 0;
	const size = packetSize(2 + prefix + payload);
	if (size > options.sendBuffer) return REJECTED;
	// [MQTT-3.2.2-15]
	if (size > negotiated.maximumPacketSize) {
		if (negotiated.isAgreed) return REJECTED;
		// Cached limits are not final: this connection's CONNACK may allow the request.
		outbound.blockedOn |= BLOCKED_ON_CONNACK;
		return BUSY;
	}
	if (!outbound.hasPlace || (packetId > 0 && outbound.inFlight.state(packetId) !== IDLE)) {
		outbound.blockedOn |= BLOCKED_ON_TABLE;
		return BUSY;
	}
	if (encoder.room < size + connection.reservedBytes) connection.flush();
	if (encoder.room < size + connection.reservedBytes) {
		outbound.blockedOn |= BLOCKED_ON_BUFFER;
		return BUSY;
	}
	// [MQTT-2.2.1-3] [MQTT-3.1.1:2.3.1-2]
	return (packetId > 0 ? packetId : outbound.inFlight.nextPacketId()) as PacketId;
}

function record(
	outbound: Outbound,
	id: PacketId,
	state: typeof SUBACK_PENDING | typeof UNSUBACK_PENDING,
	filters: number,
): PacketId {
	const { connection } = outbound;
	outbound.inFlight.add(id, state, connection.now, filters);
	if (connection.negotiated.isAgreed) outbound.startAcknowledgeDeadline();
	return id;
}

/** Whether the broker supports wildcards, shared subscriptions and identifiers where these are used. */
function isAvailable(
	subscriptions: readonly Subscription[],
	properties: PropertyWriter | undefined,
	negotiated: Negotiated,
): boolean {
	if (
		properties !== undefined &&
		!negotiated.subscriptionIdentifierAvailable &&
		(properties.idsLow & (1 << SUBSCRIPTION_IDENTIFIER)) !== 0
	)
		return false;
	for (let i = 0; i < subscriptions.length; i++) {
		const { filter } = subscriptions[i];
		const shared = sharedFilterStart(filter, 0, filter.length) > 0;
		if (shared && !negotiated.sharedSubscriptionAvailable) return false;
		if (!negotiated.wildcardAvailable && hasWildcard(filter, 0, filter.length)) return false;
	}
	return true;
}
