import { RETAIN } from "../../mqtt/constants";
import { CONNECTED } from "../../session/broker-phase";
import type { Core } from "../core/core";
import type { Message } from "../pool/message";
import { nextFreePacketId } from "../session/acknowledgement";
import { type Connection, RETAINED_PENDING, WANTS_TIMESTAMP } from "../session/connection";
import { countDelivered, countDropped, EXPIRED, NO_ROOM, type PublishWriter, SENT } from "./publish-writer";
import { makeRoomInFlight } from "./queue-shares";
import type { SysTopics } from "./sys-topics";

/*
 * Fills new subscriptions with stored values: retained messages, last values if so configured, and
 * `$SYS` topics (§3.3.1.3, §3.8.4). SUBSCRIBE marks the subscription and sets RETAINED_PENDING; each pump()
 * of the router sends what fits; what exceeds the budget of a turn is resumed by the broker's timer.
 */

// What a record of the store takes of the budget, in packets
/**
 * Its value is compared with a new subscription: on XS a third of a packet's work, so that 32 values and 24
 * filters would otherwise stop the broker for a second.
 */
const EXAMINED = 0.25;
/** It has no value for new subscribers. */
const SKIPPED = 1 / 64;

// Whether a stored value may be sent with QoS 1 or 2
/** It waits for an acknowledgement. */
const WAITS = -1;
const NOT_KEPT = 0;
/** Its content is kept, so that it can be sent again. */
const KEPT = 1;
type RetainedRoom = typeof WAITS | typeof NOT_KEPT | typeof KEPT;

/**
 * Sends the next stored value for a new subscription.
 * @param message scratch message
 * @returns false if it must wait or none is left
 */
export function sendRetained(
	core: Core,
	publishWriter: PublishWriter,
	sysTopics: SysTopics,
	message: Message,
	connection: Connection,
): boolean {
	const { subscriptions, store, queues, sessions, authorizer, reader, clock } = core;
	const session = connection.session;
	let subscription = connection.retainedSubscription;
	if (subscription === 0) {
		subscription = subscriptions.takeRetainedPending(session, connection.retainedCursor);
		connection.retainedSubscription = subscription;
		connection.retainedCursor = 0;
		if (subscription === 0) {
			connection.clientFlags &= ~RETAINED_PENDING;
			return false;
		}
	}
	const current = core.settings.lastValue === "every";
	const withTimestamp = (connection.clientFlags & WANTS_TIMESTAMP) !== 0;
	const last = subscriptions.isSys(subscription) ? store.records + sysTopics.count : store.records;
	for (let record = connection.retainedCursor + 1; record <= last; record++) {
		if (reader.packetsLeft <= 0) {
			if (core.retainedPaused === 0) core.retainedPaused = connection.index;
			return false;
		}
		connection.retainedCursor = record;
		reader.packetsLeft -= SKIPPED;
		if (record > store.records) {
			if (!sysTopics.compose(record - store.records, message)) continue;
		} else if (store.isInitialValue(record, current, clock.nowMs)) store.messages.readInto(record, message);
		else continue;
		reader.packetsLeft -= EXAMINED;
		// One that came while this subscription waited for its turn was delivered then, or counts as lost
		if (
			record <= store.records &&
			message.arrivedAtMs > core.retainedRequestedAtMs &&
			queues.lost(session) === 0
		)
			continue;
		const { topicStart, topicEnd } = message;
		if (!subscriptions.matches(subscription, topicStart, topicEnd)) continue;
		if (!authorizer.mayReceive(session, message.bytes, topicStart, topicEnd)) continue;
		const granted = subscriptions.qos(subscription);
		const qos = granted < message.qos ? granted : message.qos;
		let keep = qos !== 0 && sessions.persistent(session);
		if (qos !== 0) {
			const kept = prepareRetained(core, connection, message, keep);
			if (kept === WAITS) {
				queues.contents.endMessage();
				connection.retainedCursor = record - 1;
				return false;
			}
			keep = kept === KEPT;
		}
		const packetId = qos === 0 ? 0 : nextFreePacketId(sessions, queues, session);
		const flags = (qos << 1) | RETAIN; // [MQTT-3.1.1:3.3.1-8]
		const identifier = subscriptions.identifier(subscription);
		const result = publishWriter.publish(
			connection,
			message,
			flags,
			packetId,
			identifier,
			withTimestamp && record <= store.records,
		);
		if (result === SENT && qos !== 0) queues.addInFlight(session, packetId, flags, identifier, 0, keep);
		queues.contents.endMessage();
		if (result === NO_ROOM) {
			connection.retainedCursor = record - 1;
			return false;
		}
		if (result === EXPIRED) store.drop(record); // [MQTT-3.3.2-5]
		if (result !== SENT) {
			countDropped(core, result);
			continue;
		}
		countDelivered(core, message);
		reader.packetsLeft--;
		return true;
	}
	connection.retainedSubscription = 0;
	connection.retainedCursor = subscription;
	subscriptions.dirtyFlags?.mark(subscription);
	reader.packetsLeft -= EXAMINED;
	return true;
}

/**
 * Makes room for a stored value that is sent with QoS 1 or 2. Without room it waits for the next
 * acknowledgement, or is sent as makeRoomInFlight() says if none is due: so it never waits for others.
 */
function prepareRetained(core: Core, connection: Connection, message: Message, keep: boolean): RetainedRoom {
	const { queues } = core;
	const { session } = connection;
	const inFlight = queues.inFlight(session);
	queues.contents.beginMessage();
	if (inFlight >= connection.receiveMaximum) return WAITS; // [MQTT-3.3.4-9]
	const kept = makeRoomInFlight(core, session, message, keep);
	if (inFlight !== 0 && (kept !== keep || queues.free === 0)) return WAITS;
	return kept ? KEPT : NOT_KEPT;
}

/**
 * Resumes stored values that waited for the next turn, which the reader has begun, of one connection after
 * the other: a client that asks for them without end does not hold back those of others.
 * @param router sends what waits for a connection, with sendRetained()
 */
export function resumeRetained(core: Core, router: { pump(connection: Connection): void }): void {
	const { connections, reader } = core;
	const count = connections.length - 1;
	const last = core.retainedPaused;
	core.retainedPaused = 0;
	for (let i = 0; i < count && core.retainedPaused === 0; i++) {
		const connection = connections[1 + ((last + i) % count)]!;
		if (connection.phase !== CONNECTED || (connection.clientFlags & RETAINED_PENDING) === 0) continue;
		try {
			router.pump(connection);
		} catch (error) {
			// It would happen again in each turn, and the others would wait for ever
			reader.handler!.onInternalError(connection, error);
		}
	}
}
