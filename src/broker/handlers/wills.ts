import { QUOTA_EXCEEDED } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { WILL_DELAY_INTERVAL } from "../../mqtt/properties";
import type { Core } from "../core/core";
import type { Router } from "../delivery/router";
import { NEVER_SECONDS } from "../pool/clock";
import { normalizeProperties } from "../pool/message-properties";

/*
 * Wills (§3.1.2.5): stored with CONNECT, and published when the connection has ended without a DISCONNECT of
 * reason code 0, at once or after the will delay.
 */

/** Bytes of a will delay interval property, including its identifier. */
const WILL_DELAY_BYTES = 5;

/** Bytes that the will of a CONNECT takes once it is stored; 0 if there is none. */
export function willSize(core: Core, packet: Packet): number {
	if (!packet.hasWill) return 0;
	const { sessions, scratch: will } = core;
	readWill(core, packet);
	// Left out when the will is stored; to do so here would change the packet, which is read again
	if (packet.willProperties.has(WILL_DELAY_INTERVAL)) will.propertiesEnd -= WILL_DELAY_BYTES;
	return sessions.wills.roundedSize(will);
}

/** Stores the will of a CONNECT for its session [MQTT-3.1.2-7]; false when there is no room. */
export function storeWill(core: Core, session: number, packet: Packet): boolean {
	const { sessions, scratch: will } = core;
	const properties = packet.willProperties;
	sessions.setWillDelay(session, properties.find(WILL_DELAY_INTERVAL) ? properties.number : 0);
	readWill(core, packet);
	normalizeProperties(will, properties);
	const record = sessions.wills.add(will);
	sessions.setWill(session, record);
	return record !== 0;
}

/**
 * Begins the will delay of a session whose connection has ended.
 * @returns whether the will must be published now
 */
export function beginWillDelay({ sessions, clock }: Core, session: number): boolean {
	if (sessions.will(session) === 0) return false; // [MQTT-3.1.1:3.1.2-12]
	const delay = sessions.willDelaySeconds(session);
	if (delay !== 0) sessions.setWillAt(session, Math.min(clock.deadlineSeconds(delay), NEVER_SECONDS - 1));
	return delay === 0;
}

/**
 * Publishes and deletes the will of a client that disconnected without a DISCONNECT of reason code 0
 * [MQTT-3.1.2-8] [MQTT-3.1.2-10].
 */
export function publishWill(core: Core, router: Router, session: number): void {
	const { sessions, authorizer, counters, clock, scratch: will } = core;
	sessions.wills.readInto(sessions.will(session), will);
	will.arrivedAtMs = clock.nowMs;
	try {
		if (authorizer.mayPublish(session, will.bytes, will.topicStart, will.topicEnd)) {
			counters.willsPublished++;
			if (router.publish(will, session) === QUOTA_EXCEEDED) publishUnstored(core, router, session);
		} else counters.publishesDenied++;
	} finally {
		// also after a failure, which would otherwise repeat forever
		sessions.dropWill(session);
	}
}

/**
 * Publishes a retained will whose value finds no place, without storing it. The value that it would have
 * replaced is dropped, as for a QoS 0 message: a will is not repeated, and the older value may say the
 * contrary.
 */
function publishUnstored({ counters, store, scratch: will }: Core, router: Router, session: number): void {
	counters.publishesOverQuota++;
	if (will.qos === 0) return;
	const replaced = store.get(will.topicStart, will.topicEnd);
	if (replaced !== 0) store.drop(replaced);
	will.retain = false;
	router.publish(will, session);
}

/** Makes `core.scratch` the will of a CONNECT, with all its properties. */
function readWill({ scratch: will }: Core, packet: Packet): void {
	const properties = packet.willProperties;
	will.bytes = packet.bytes;
	will.topicStart = packet.willTopicStart;
	will.topicEnd = packet.willTopicEnd;
	will.propertiesStart = properties.from;
	will.propertiesEnd = properties.to;
	will.payloadStart = packet.willPayloadStart;
	will.payloadEnd = packet.willPayloadEnd;
	will.qos = packet.willQoS;
	// [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.1:3.1.2-16] [MQTT-3.1.1:3.1.2-17]
	will.retain = packet.willRetain;
}
