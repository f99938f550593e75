import type { Client } from "../client/client";
import { BUSY, REJECTED } from "../client/outbound";
import type { QoS } from "../mqtt/constants";
import { Packet } from "../mqtt/packet";
import { SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS } from "../mqtt/properties";
import { PropertyWriter } from "../mqtt/property-writer";
import type { LocalLink } from "./local-link";
import { hasPassed, PASSED_BROKER, passedBrokerSize } from "./passed-brokers";
import { findRoute, mappedLength, type TopicRoute, writeMapped } from "./topic-routes";

/** Bytes of a PUBLISH besides topic, properties and payload, at most. */
export const HEADER_SIZE = 16;

/** Tag of a message of QoS 2 that has left with QoS 1; that of a PUBREL is 3. */
export const LOWERED_TAG = 4;

// Results of forward(), beside BUSY and REJECTED
export const FORWARDED = 0;
/** It is not for the other broker: no topic of the configuration, or it comes from there. */
export const NOT_FORWARDED = 1;
export type ForwardResult = typeof FORWARDED | typeof NOT_FORWARDED | typeof BUSY | typeof REJECTED;

/**
 * The message that waits first in the link, on its way to the other broker: its name there is written over
 * its header, before its payload, and its packet identifier is the one that it has here.
 */
export class OutgoingMessage {
	readonly packet: Packet;
	/** With which it was passed on: no higher than the other broker allows [MQTT-3.2.2-11]. */
	qos: QoS = 0;
	readonly #routes: readonly TopicRoute[];
	/** Undefined in MQTT 3.1.1, which has no properties. */
	readonly #properties: PropertyWriter | undefined;
	readonly #reserve: number;
	/** Where its name there begins; −1: it was not read yet. */
	#topicStart = -1;

	/**
	 * @param size bytes of the largest packet of this broker
	 * @param reserve bytes of the client's send buffer that no message uses
	 */
	constructor(
		link: LocalLink,
		routes: readonly TopicRoute[],
		version: 4 | 5,
		here: Uint8Array,
		size: number,
		reserve: number,
	) {
		this.packet = new Packet(false, link.bytes);
		this.#routes = routes;
		this.#reserve = reserve;
		if (version === 5) this.#properties = new PropertyWriter(size + passedBrokerSize(here));
	}

	/** Call when what waits in the link is gone. */
	reset(): void {
		this.#topicStart = -1;
	}

	/**
	 * Passes the message on; with BUSY call again, otherwise the link may drop it. Its tag is its quality of
	 * service, or LOWERED_TAG if it leaves with QoS 1 in place of 2.
	 * @param here name of this broker @param there name of the other one, if it has told it
	 */
	forward(link: LocalLink, client: Client, here: Uint8Array, there: Uint8Array | undefined): ForwardResult {
		const { packet } = this;
		if (this.#topicStart < 0 && !this.read(link, here, there)) return NOT_FORWARDED;
		const { bytes, payloadStart, payloadLength, packetId } = packet;
		const { maximumQoS } = client.negotiated;
		const isLowered = packet.qos > maximumQoS;
		this.qos = (isLowered ? maximumQoS : packet.qos) as QoS;
		// Without QoS there is no DUP [MQTT-3.3.1-2]
		const flags = isLowered ? (packet.flags & (maximumQoS === 0 ? 1 : 9)) | (maximumQoS << 1) : packet.flags;
		const length =
			HEADER_SIZE + payloadStart - this.#topicStart + payloadLength + (this.#properties?.length ?? 0);
		if (client.room < length + this.#reserve) {
			client.notifyWritable();
			return BUSY;
		}
		const result = client.publishRange(
			bytes,
			this.#topicStart,
			payloadStart,
			payloadStart + payloadLength,
			flags,
			packetId,
			isLowered ? LOWERED_TAG : packet.qos,
			this.#properties,
		);
		if (result === BUSY) return BUSY;
		this.#topicStart = -1;
		return result === REJECTED ? REJECTED : FORWARDED;
	}

	/** Reads the message, and writes its name. @returns whether it has one */
	private read(link: LocalLink, here: Uint8Array, there: Uint8Array | undefined): boolean {
		const { packet } = this;
		link.readMessage(packet);
		const { bytes, topicStart, topicEnd, payloadStart, properties } = packet;
		const route = findRoute(this.#routes, bytes, topicStart, topicEnd);
		if (route === undefined || (there !== undefined && hasPassed(properties, there))) return false;
		const length = mappedLength(route, topicEnd - topicStart);
		if (length === 0) return false;
		const writer = this.#properties;
		if (writer !== undefined) {
			writer.reset();
			properties.rewind();
			while (properties.next())
				if (properties.id !== SUBSCRIPTION_IDENTIFIER && properties.id !== TOPIC_ALIAS)
					writer.copy(properties);
			writer.userProperty(PASSED_BROKER, here);
		}
		this.#topicStart = payloadStart - length;
		writeMapped(route, bytes, this.#topicStart, bytes, topicStart, topicEnd);
		return true;
	}
}
