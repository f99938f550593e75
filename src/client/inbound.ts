import {
	PACKET_IDENTIFIER_NOT_FOUND,
	RECEIVE_MAXIMUM_EXCEEDED,
	SUCCESS,
	TOPIC_ALIAS,
	TOPIC_ALIAS_INVALID,
} from "../mqtt/constants";
import type { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import { IncomingQos2Ids } from "./incoming-qos2";
import type { ClientHandler } from "./options";

/** Messages from the broker: delivered, and answered once their last byte was delivered. */
export class Inbound {
	#encoder: Encoder;
	#handler: ClientHandler;
	#incomingQos2: IncomingQos2Ids;
	#qos = 0;
	#packetId = 0;
	/** Not a QoS 2 message that had been delivered before, nor one that came after DISCONNECT. */
	#delivering = false;
	#stopped = false;

	/** @param receiveMaximum QoS 2 messages under way */
	constructor(encoder: Encoder, handler: ClientHandler, receiveMaximum: number) {
		this.#encoder = encoder;
		this.#handler = handler;
		this.#incomingQos2 = new IncomingQos2Ids(receiveMaximum);
	}

	/**
	 * @param sessionPresent of CONNACK: without a session the identifiers of an earlier one mean nothing.
	 *   [MQTT-3.2.2-5] [MQTT-3.1.2-4] [MQTT-3.1.1:3.1.2-6]
	 */
	onConnack(sessionPresent: boolean): void {
		this.#stopped = false;
		if (!sessionPresent) this.#incomingQos2.clear();
	}

	/**
	 * DISCONNECT is staged: nothing is delivered or answered any more, so the broker keeps it for the next
	 * connection. [MQTT-3.14.4-1]
	 */
	stopDelivery(): void {
		this.#stopped = true;
	}

	/** @returns 0, or the reason code for which the connection has to end */
	onPublish(packet: Packet): number {
		// No alias was allowed, as CONNECT carries no Topic Alias Maximum. [MQTT-3.1.2-27]
		const { properties } = packet;
		if (!properties.empty && properties.find(TOPIC_ALIAS)) return TOPIC_ALIAS_INVALID;
		this.#qos = packet.qos;
		this.#packetId = packet.packetId;
		// QoS 1: whatever its packet identifier was used for before [MQTT-4.3.2-5]
		this.#delivering = !this.#stopped;
		if (this.#qos === 2) {
			if (this.#incomingQos2.has(this.#packetId)) this.#delivering = false;
			else if (this.#incomingQos2.full) return RECEIVE_MAXIMUM_EXCEEDED;
		}
		if (this.#delivering) this.#handler.onMessage?.(packet);
		return 0;
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (this.#delivering) this.#handler.onPayload?.(bytes, start, end, last);
		if (!last || this.#stopped) return;
		// The client keeps room for these before it reads. [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-3.3.4-1]
		// [MQTT-3.1.1:4.3.2-2] Each leaves as its message ends, so in their order, and whatever became of the
		// message. [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3]
		if (this.#qos === 1) this.#encoder.puback(this.#packetId);
		else if (this.#qos === 2) {
			if (this.#delivering) this.#incomingQos2.add(this.#packetId);
			this.#encoder.pubrec(this.#packetId);
		}
	}

	/** PUBREL is always answered, and frees its identifier. [MQTT-4.3.3-11] [MQTT-4.3.3-12] */
	onPubrel(packet: Packet): void {
		if (this.#stopped) return;
		const known = this.#incomingQos2.remove(packet.packetId);
		this.#encoder.pubcomp(
			packet.packetId,
			known || packet.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND,
		);
	}
}
