import {
	NO_LOCAL,
	NO_SUBSCRIPTION_EXISTED,
	NOT_AUTHORIZED,
	QUOTA_EXCEEDED,
	RETAIN_AS_PUBLISHED,
	RETAIN_HANDLING,
	SUCCESS,
} from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { SUBSCRIPTION_IDENTIFIER } from "../../mqtt/properties";
import { sharedFilterStart } from "../../mqtt/topics";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import type { SysTopics } from "../delivery/sys-topics";
import { BRIDGE_CLIENT, type Connection, RETAINED_PENDING } from "../session/connection";
import { SYS_FILTER } from "../topics/subscriptions";

/** Retain handling (§3.8.3.1): stored values are sent at every SUBSCRIBE, or only for a new subscription. */
const SEND_ALWAYS = 0x00;
const SEND_IF_NEW = 0x10;

/** SUBSCRIBE and UNSUBSCRIBE (§3.8 to §3.11). */
export class SubscribeHandler {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #sysTopics: SysTopics;

	constructor(core: Core, packetWriter: PacketWriter, sysTopics: SysTopics) {
		this.#core = core;
		this.#packetWriter = packetWriter;
		this.#sysTopics = sysTopics;
	}

	/** @returns whether stored values must be sent */
	subscribe(connection: Connection, packet: Packet): boolean {
		const codes = this.#packetWriter.reasonCodes;
		const identifier = packet.properties.find(SUBSCRIPTION_IDENTIFIER) ? packet.properties.number : 0;
		let count = 0;
		packet.rewind();
		// [MQTT-3.8.4-5] [MQTT-3.1.1:3.8.4-4]
		while (packet.nextFilter()) codes[count++] = this.add(connection, packet, identifier);
		this.#core.reader.packetsLeft -= count; // each is as much work as a packet
		// [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.9.3-1]
		this.#packetWriter.suback(connection, packet.packetId, codes, count);
		return (connection.clientFlags & RETAINED_PENDING) !== 0;
	}

	unsubscribe(connection: Connection, packet: Packet): void {
		const codes = this.#packetWriter.reasonCodes;
		const { subscriptions, queues } = this.#core;
		let count = 0;
		packet.rewind();
		while (packet.nextFilter()) {
			const { bytes, filterStart, filterEnd } = packet;
			const shared = sharedStart(bytes, filterStart, filterEnd);
			// [MQTT-3.10.4-1] [MQTT-3.10.4-2]
			const removed = subscriptions.remove(connection.session, filterStart, filterEnd, shared);
			if (removed !== 0 && removed === connection.retainedSubscription) connection.retainedSubscription = 0;
			codes[count++] = removed === 0 ? NO_SUBSCRIPTION_EXISTED : SUCCESS;
		}
		this.#core.reader.packetsLeft -= count;
		queues.forgetEndedShares(subscriptions.tree);
		// [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1]
		this.#packetWriter.encoderFor(connection, true).unsuback(packet.packetId, codes, count);
		this.#packetWriter.flush(connection);
	}

	/** Adds a subscription; returns its reason code. */
	private add(connection: Connection, packet: Packet, identifier: number): number {
		const { subscriptions, authorizer, counters } = this.#core;
		const { bytes, filterStart, filterEnd } = packet;
		const shared = sharedStart(bytes, filterStart, filterEnd);
		let { options } = packet;
		// [MQTT-3.8.3-4]
		if (shared === 0 && (connection.clientFlags & BRIDGE_CLIENT) !== 0)
			options |= NO_LOCAL | RETAIN_AS_PUBLISHED;
		if (!authorizer.maySubscribe(connection.session, bytes, shared === 0 ? filterStart : shared, filterEnd))
			return NOT_AUTHORIZED;
		const granted = options & 3;
		const sysFlag =
			shared === 0 && this.#sysTopics.isSysFilter(bytes, filterStart, filterEnd) ? SYS_FILTER : 0;
		const subscription = subscriptions.add(
			connection.session,
			filterStart,
			filterEnd,
			shared,
			(options & 0x0f) | sysFlag,
			identifier,
			this.#core.settings.subscriptionsPerClient,
		);
		if (subscription === 0) {
			counters.subscriptionsOverQuota++;
			return QUOTA_EXCEEDED;
		}
		if (sysFlag !== 0) this.#sysTopics.includeAll();
		const handling = options & RETAIN_HANDLING;
		// Shared subscriptions receive no stored values (§4.8.2)
		if (shared === 0 && (handling === SEND_ALWAYS || (handling === SEND_IF_NEW && !subscriptions.existed))) {
			// [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.1.1:3.3.1-6]
			subscriptions.requestRetained(subscription); // [MQTT-3.8.4-4]
			if (connection.retainedSubscription === subscription) connection.retainedSubscription = 0;
			connection.clientFlags |= RETAINED_PENDING;
			this.#core.retainedRequestedAtMs = this.#core.clock.nowMs;
		}
		return granted; // [MQTT-3.8.4-7]
	}
}

/**
 * The start of a shared subscription's filter after the share name, 0 if it is not shared. MQTT 3.1.1 knows
 * no shared subscriptions, but brokers serve them to its clients as well; there `$share/` without a valid
 * name begins an ordinary filter. The decoder has refused such a filter of MQTT 5.0.
 */
function sharedStart(bytes: Uint8Array, start: number, end: number): number {
	return Math.max(sharedFilterStart(bytes, start, end), 0);
}
