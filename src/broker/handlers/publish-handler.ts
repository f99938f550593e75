import {
	type AcknowledgementType,
	NO_MATCHING_SUBSCRIBERS,
	NOT_AUTHORIZED,
	PACKET_IDENTIFIER_NOT_FOUND,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBREC,
	QUOTA_EXCEEDED,
	RECEIVE_MAXIMUM_EXCEEDED,
	RETAIN_NOT_SUPPORTED,
	SUCCESS,
	TOPIC_ALIAS_INVALID,
} from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { TOPIC_ALIAS } from "../../mqtt/properties";
import {
	actionOn,
	IDLE,
	PUBLISH_ARRIVES,
	PUBREL_ARRIVES,
	PUBREL_PENDING,
	type ReceiverState,
	SEND_PUBCOMP,
	SEND_PUBREC,
} from "../../session/delivery";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import type { RouteResult, Router } from "../delivery/router";
import { Message } from "../pool/message";
import { normalizeProperties } from "../pool/message-properties";
import type { Connection } from "../session/connection";

/** What a client is told of its PUBLISH. */
type PublishResult = RouteResult | typeof NOT_AUTHORIZED;

/** Handles PUBLISH and PUBREL from a client: answers with PUBACK, PUBREC and PUBCOMP (§3.3 to §3.7, §4.3). */
export class PublishHandler {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #router: Router;
	readonly #message: Message;

	constructor(core: Core, packetWriter: PacketWriter, router: Router) {
		this.#core = core;
		this.#packetWriter = packetWriter;
		this.#router = router;
		this.#message = new Message(core.memory.bytes);
	}

	/**
	 * Handles a PUBLISH in the receive area.
	 * @param length of its body, bytes
	 * @returns always false: it frees no send quota
	 */
	publish(connection: Connection, packet: Packet, length: number): boolean {
		const core = this.#core;
		core.counters.publishesReceived++;
		const qos = packet.qos;
		const properties = packet.properties;
		const hasProperties = properties.from !== properties.to;
		const message = this.#message;
		message.bytes = packet.bytes;
		message.topicStart = packet.topicStart;
		message.topicEnd = packet.topicEnd;
		if (packet.retain && connection.version === 5 && !core.retainAvailable) {
			core.close(connection, RETAIN_NOT_SUPPORTED); // §3.2.2.3.5
			return false;
		}
		if (hasProperties && properties.has(TOPIC_ALIAS) && !this.resolveAlias(connection, packet, message))
			return false;
		if (qos === 2 && actionOn(this.stateOf(connection, packet), PUBLISH_ARRIVES) === SEND_PUBREC) {
			// A duplicate is acknowledged again but not routed [MQTT-4.3.3-10] [MQTT-3.1.1:4.3.3-2]
			this.#packetWriter.acknowledge(connection, PUBREC, packet.packetId, SUCCESS);
			return false;
		}
		message.propertiesStart = properties.from;
		message.propertiesEnd = properties.to;
		message.payloadStart = packet.payloadStart;
		message.payloadEnd = core.memory.receiveStart + length;
		message.qos = qos;
		message.retain = packet.retain;
		message.arrivedAtMs = core.clock.nowMs;
		if (hasProperties) normalizeProperties(message, properties);
		// Tail calls, which save stack on XS
		if (qos === 2) return this.exactlyOnce(connection, packet.packetId, message);
		return this.atLeastOnce(connection, packet.packetId, message);
	}

	/** PUBREL: frees the packet identifier for another message. */
	release(connection: Connection, packetId: number): void {
		// [MQTT-4.3.3-12] [MQTT-4.3.3-13]
		const state = this.#core.queues.incomingQos2.delete(connection.session, packetId) ? PUBREL_PENDING : IDLE;
		const found = actionOn(state, PUBREL_ARRIVES) === SEND_PUBCOMP || connection.version === 4;
		// [MQTT-4.3.3-11] [MQTT-3.1.1:4.3.3-2]
		this.#packetWriter.acknowledge(
			connection,
			PUBCOMP,
			packetId,
			found ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND,
		);
	}

	private stateOf(connection: Connection, packet: Packet): ReceiverState {
		const { incomingQos2 } = this.#core.queues;
		return incomingQos2.has(connection.session, packet.packetId) ? PUBREL_PENDING : IDLE;
	}

	private atLeastOnce(connection: Connection, packetId: number, message: Message): boolean {
		const code = this.route(connection, message); // [MQTT-4.3.2-5]
		// [MQTT-4.3.2-4] [MQTT-3.3.4-1] [MQTT-3.1.1:4.3.2-2]
		if (message.qos !== 0) this.acknowledge(connection, PUBACK, packetId, code);
		return false;
	}

	/**
	 * Routes the message at once and keeps its packet identifier until PUBREL (method B of §4.3.3 in MQTT
	 * 3.1.1).
	 */
	private exactlyOnce(connection: Connection, packetId: number, message: Message): boolean {
		const core = this.#core;
		const { incomingQos2 } = core.queues;
		const { session } = connection;
		if (!incomingQos2.add(session, packetId)) {
			core.close(connection, RECEIVE_MAXIMUM_EXCEEDED); // [MQTT-3.3.4-7] [MQTT-3.3.4-8]
			return false;
		}
		const code = this.route(connection, message);
		if (code >= 0x80) incomingQos2.delete(session, packetId); // [MQTT-4.3.3-9]
		this.acknowledge(connection, PUBREC, packetId, code); // [MQTT-4.3.3-8] [MQTT-3.1.1:4.3.3-2]
		return false;
	}

	/** Sets an alias, or replaces it with its topic; false if the connection was closed. */
	private resolveAlias(connection: Connection, packet: Packet, message: Message): boolean {
		const core = this.#core;
		const { aliases } = core;
		const { properties } = packet;
		properties.find(TOPIC_ALIAS);
		const alias = properties.number;
		if (alias > aliases.granted(connection.index)) {
			core.close(connection, TOPIC_ALIAS_INVALID); // [MQTT-3.3.2-9]
			return false;
		}
		if (packet.topicStart !== packet.topicEnd) {
			// [MQTT-3.3.2-12]
			aliases.set(connection.index, alias, packet.bytes, packet.topicStart, packet.topicEnd);
			return true;
		}
		const record = aliases.get(connection.index, alias);
		if (record === 0) {
			core.close(connection, PROTOCOL_ERROR); // §3.3.4: the receiver has no mapping for the alias
			return false;
		}
		message.topicStart = aliases.topicStart(record);
		message.topicEnd = aliases.topicEnd(record);
		return true;
	}

	private route(connection: Connection, message: Message): PublishResult {
		const core = this.#core;
		if (
			!core.authorizer.mayPublish(connection.session, message.bytes, message.topicStart, message.topicEnd)
		) {
			core.counters.publishesDenied++;
			return NOT_AUTHORIZED;
		}
		if (core.bridge?.isLoop(message, connection.session)) return NO_MATCHING_SUBSCRIBERS;
		const code = this.#router.publish(message, connection.session);
		if (code === QUOTA_EXCEEDED) core.counters.publishesOverQuota++;
		return code;
	}

	private acknowledge(
		connection: Connection,
		type: AcknowledgementType,
		packetId: number,
		code: PublishResult,
	): void {
		let reasonCode: PublishResult = code;
		if (connection.version === 4) {
			// Acknowledgements of MQTT 3.1.1 carry no error code. An unauthorized message is acknowledged but not
			// routed [MQTT-3.1.1:3.3.5-2]; for lack of room the connection is closed, so that the client can send
			// it again.
			if (code === QUOTA_EXCEEDED) {
				this.#core.close(connection, QUOTA_EXCEEDED); // [MQTT-3.1.1:4.8.0-2]
				return;
			}
			reasonCode = SUCCESS;
		}
		this.#packetWriter.acknowledge(connection, type, packetId, reasonCode);
	}
}
