import {
	type CheckResult,
	PACKET_IDENTIFIER_NOT_FOUND,
	RECEIVE_MAXIMUM_EXCEEDED,
	SUCCESS,
	TOPIC_ALIAS_INVALID,
} from "../mqtt/constants";
import type { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import { TOPIC_ALIAS } from "../mqtt/properties";
import {
	actionOn,
	DELIVER,
	IDLE,
	PUBLISH_ARRIVES,
	PUBREL_ARRIVES,
	PUBREL_PENDING,
	SEND_PUBCOMP,
} from "../session/delivery";
import { IncomingIds } from "../session/incoming-ids";
import type { ClientHandler } from "./options";

/** Where answers are staged. */
export interface AnsweringConnection {
	readonly answers: Encoder;
	/** The application has not taken the last piece yet. */
	readonly isPaused?: boolean;
}

/** Delivers messages from the broker and acknowledges each after its last byte. */
export class Inbound {
	private connection: AnsweringConnection;
	private handler: ClientHandler;
	/** QoS 2 messages that were delivered and not yet released. */
	readonly incomingIds: IncomingIds;
	private qos = 0;
	private packetId = 0;
	/** False for a QoS 2 message that was delivered before, and for one that the broker is to keep. */
	private delivering = false;
	/** The message was delivered while paused: its answer waits. */
	declare answerOwed?: boolean;

	/** @param receiveMaximum maximum number of QoS 2 messages in flight */
	constructor(connection: AnsweringConnection, handler: ClientHandler, receiveMaximum: number) {
		this.connection = connection;
		this.handler = handler;
		this.incomingIds = new IncomingIds(receiveMaximum);
	}

	/**
	 * @param sessionPresent from CONNACK; without a session, the identifiers of an earlier one are discarded.
	 *   [MQTT-3.2.2-5] [MQTT-3.1.2-4] [MQTT-3.1.1:3.1.2-6]
	 */
	onConnack(sessionPresent: boolean): void {
		if (!sessionPresent) this.incomingIds.clear();
	}

	/**
	 * @param delivers false after DISCONNECT, and where the application leaves it: the message is neither
	 *   delivered nor acknowledged, so that the broker keeps it for the next connection [MQTT-3.14.4-1]
	 * @returns 0, or the reason code with which the connection must end
	 */
	onPublish(packet: Packet, delivers: boolean): CheckResult {
		// Topic aliases are not allowed, as CONNECT carries no Topic Alias Maximum. [MQTT-3.1.2-27]
		const { properties } = packet;
		if (!properties.empty && properties.find(TOPIC_ALIAS)) return TOPIC_ALIAS_INVALID;
		this.qos = packet.qos;
		this.packetId = packet.packetId;
		// A QoS 1 message is new, whatever its packet identifier was used for before [MQTT-4.3.2-5]
		this.delivering = delivers;
		if (this.qos === 2) {
			const state = this.incomingIds.has(this.packetId) ? PUBREL_PENDING : IDLE;
			if (actionOn(state, PUBLISH_ARRIVES) !== DELIVER) this.delivering = false;
			else if (delivers && this.incomingIds.full) return RECEIVE_MAXIMUM_EXCEEDED;
		}
		if (this.delivering) this.handler.onMessage?.(packet);
		return 0;
	}

	/** @param answers whether the message is complete and may be acknowledged */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean, answers: boolean): void {
		if (this.delivering) this.handler.onPayload?.(bytes, start, end, last);
		if (!answers) return;
		if (this.connection.isPaused) this.answerOwed = true;
		else this.acknowledge();
	}

	/** Answers the last message. */
	acknowledge(): void {
		const { answers } = this.connection;
		// The client reserves room for these before it reads. [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-3.3.4-1]
		// [MQTT-3.1.1:4.3.2-2] Each is staged when its message ends, so they keep the order of the messages,
		// delivered or not. [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3]
		if (this.qos === 1) answers.puback(this.packetId);
		else if (this.qos === 2) {
			if (this.delivering) this.incomingIds.add(this.packetId);
			answers.pubrec(this.packetId);
		}
	}

	/** Answers every PUBREL and releases its identifier. [MQTT-4.3.3-11] [MQTT-4.3.3-12] */
	onPubrel({ packetId, version }: Packet): void {
		const state = this.incomingIds.remove(packetId) ? PUBREL_PENDING : IDLE;
		const found = actionOn(state, PUBREL_ARRIVES) === SEND_PUBCOMP || version === 4;
		this.connection.answers.pubcomp(packetId, found ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND);
	}

	/** Answers a PUBREL for whose message another party answers, whether or not it is known here. */
	release(packetId: number): void {
		this.incomingIds.remove(packetId);
		this.connection.answers.pubcomp(packetId);
	}
}
