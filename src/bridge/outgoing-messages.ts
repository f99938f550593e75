import { ANSWER_ROOM } from "../broker/session/connection";
import type { Client } from "../client/client";
import { BUSY, REJECTED } from "../client/outbound";
import { PUBACK, PUBCOMP, PUBREC, type QoS, type ReasonCode, UNSPECIFIED_ERROR } from "../mqtt/constants";
import { Packet } from "../mqtt/packet";
import { SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS } from "../mqtt/properties";
import { PropertyWriter } from "../mqtt/property-writer";
import { IdRing } from "./id-ring";
import type { LocalLink } from "./local-link";
import { hasPassed, PASSED_BROKER, passedBrokerSize } from "./passed-brokers";
import { findRoute, mappedLength, type TopicRoute, writeMapped } from "./topic-routes";

/** Bytes of a PUBLISH besides topic, properties and payload, at most. */
export const HEADER_SIZE = 16;

// Tags in the client: that of a PUBLISH is its QoS
/** A PUBREL. */
const RELEASE_TAG = 3;
/** A message of QoS 2 that has left with QoS 1. */
const LOWERED_TAG = 4;

// What became of the message that waits first, beside BUSY and REJECTED
const FORWARDED = 0;
/** It is not for the other broker: no topic of the configuration, or it comes from there. */
const NOT_FORWARDED = 1;
type ForwardResult = typeof FORWARDED | typeof NOT_FORWARDED | typeof BUSY | typeof REJECTED;

/**
 * Messages of this broker on their way to the other one, and their acknowledgements back. The message that
 * waits first in the link gets its name there written over its header, before its payload; its packet
 * identifier is the one that it has here.
 */
export class OutgoingMessages {
	/** Those that the other broker has acknowledged, or that have left with QoS 0. */
	accepted = 0;
	/** Those that the other broker has refused or does not allow. */
	dropped = 0;
	/** The message that waits first. */
	private readonly packet: Packet;
	/** Quality of service with which it leaves: no higher than the other broker allows [MQTT-3.2.2-11]. */
	private qos: QoS = 0;
	private readonly routes: readonly TopicRoute[];
	/** Undefined in MQTT 3.1.1, which has no properties. */
	private readonly properties: PropertyWriter | undefined;
	private readonly reserve: number;
	/** Where its name there begins; −1: it was not read yet. */
	private topicStart = -1;
	/** Acknowledgements of the other broker that wait for this one, with type and reason code. */
	private readonly acknowledgements: IdRing;

	/**
	 * @param here name of this broker
	 * @param size bytes of the largest packet of this broker
	 * @param reserve bytes of the client's send buffer that no message uses
	 * @param inFlight messages of QoS 1 and 2 that wait for the other broker
	 */
	constructor(
		link: LocalLink,
		routes: readonly TopicRoute[],
		version: 4 | 5,
		here: Uint8Array,
		size: number,
		reserve: number,
		inFlight: number,
	) {
		this.packet = new Packet(false, link.bytes);
		this.routes = routes;
		this.reserve = reserve;
		if (version === 5) this.properties = new PropertyWriter(size + passedBrokerSize(here));
		this.acknowledgements = new IdRing(2 * inFlight);
	}

	/** Call when what waits in the link is gone. */
	reset(): void {
		this.topicStart = -1;
	}

	/** The other broker acknowledges a message or a PUBREL. @returns see {@link acknowledge} */
	onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): boolean {
		if (reasonCode >= UNSPECIFIED_ERROR) this.dropped++;
		else this.accepted++;
		// With a lowered QoS there is no PUBREL: this broker is done once it takes the message as refused
		if (tag === LOWERED_TAG) return this.acknowledge(PUBREC, packetId, UNSPECIFIED_ERROR);
		const type = tag === RELEASE_TAG ? PUBCOMP : tag === 2 ? PUBREC : PUBACK;
		return this.acknowledge(type, packetId, reasonCode);
	}

	/** passAcknowledgements() is to follow. @returns false: there are more than messages can be in flight */
	acknowledge(type: number, packetId: number, reasonCode: number): boolean {
		return this.acknowledgements.push(packetId, type * 0x100 + reasonCode);
	}

	/**
	 * Passes on what waits in the link, as far as the other broker takes it.
	 * @param here name of this broker @param there name of the other one, if it has told it
	 * @returns false: see {@link acknowledge}
	 */
	forward(link: LocalLink, client: Client, here: Uint8Array, there: Uint8Array | undefined): boolean {
		let dropped = false;
		let hasRoom = true;
		while (link.hasMessage) {
			const result = this.forwardFirst(link, client, here, there);
			if (result === BUSY) break;
			const { packet } = this;
			const { qos, packetId } = packet;
			link.dropMessage(packet);
			dropped = true;
			if (result === FORWARDED) {
				if (this.qos > 0) continue;
				this.accepted++;
			} else if (result === REJECTED) this.dropped++;
			// QoS 2 is refused, so that this broker is done with it
			const reason = result !== REJECTED && qos === 1 ? 0 : UNSPECIFIED_ERROR;
			if (qos > 0) hasRoom = this.acknowledge(qos === 1 ? PUBACK : PUBREC, packetId, reason) && hasRoom;
		}
		if (dropped) link.reportRoom();
		return hasRoom;
	}

	/** Acknowledgements of the other broker for messages of this one. */
	passAcknowledgements(link: LocalLink): void {
		const { acknowledgements } = this;
		while (acknowledgements.count > 0) {
			const { connection } = link;
			if (connection === undefined || connection.room < ANSWER_ROOM + 4) return;
			const { packetId, extra } = acknowledgements;
			acknowledgements.shift();
			link.deliverShort(extra >> 8, packetId, extra & 0xff, false);
		}
	}

	forgetAcknowledgements(): void {
		this.acknowledgements.clear();
	}

	/** PUBRELs of this broker for messages to the other one. */
	passReleases(link: LocalLink, client: Client): void {
		const { releases } = link;
		while (releases.count > 0) {
			if (client.release(releases.packetId, RELEASE_TAG) === BUSY) return;
			releases.shift();
		}
	}

	/**
	 * Passes the first message on; with BUSY call again, otherwise the link may drop it. Its tag is its quality
	 * of service, or LOWERED_TAG if it leaves with QoS 1 in place of 2.
	 */
	private forwardFirst(
		link: LocalLink,
		client: Client,
		here: Uint8Array,
		there: Uint8Array | undefined,
	): ForwardResult {
		const { packet } = this;
		if (this.topicStart < 0 && !this.read(link, here, there)) return NOT_FORWARDED;
		const { bytes, payloadStart, payloadLength, packetId } = packet;
		const { maximumQoS } = client.negotiated;
		const isLowered = packet.qos > maximumQoS;
		this.qos = (isLowered ? maximumQoS : packet.qos) as QoS;
		// Without QoS there is no DUP [MQTT-3.3.1-2]
		const flags = isLowered ? (packet.flags & (maximumQoS === 0 ? 1 : 9)) | (maximumQoS << 1) : packet.flags;
		const length =
			HEADER_SIZE + payloadStart - this.topicStart + payloadLength + (this.properties?.length ?? 0);
		if (client.room < length + this.reserve) {
			client.notifyWritable();
			return BUSY;
		}
		const result = client.publishRange(
			bytes,
			this.topicStart,
			payloadStart,
			payloadStart + payloadLength,
			flags,
			packetId,
			isLowered ? LOWERED_TAG : packet.qos,
			this.properties,
		);
		if (result === BUSY) return BUSY;
		this.topicStart = -1;
		return result === REJECTED ? REJECTED : FORWARDED;
	}

	/** Reads the message, and writes its name. @returns whether it has one */
	private read(link: LocalLink, here: Uint8Array, there: Uint8Array | undefined): boolean {
		const { packet } = this;
		link.readMessage(packet);
		const { bytes, topicStart, topicEnd, payloadStart, properties } = packet;
		const route = findRoute(this.routes, bytes, topicStart, topicEnd);
		if (route === undefined || (there !== undefined && hasPassed(properties, there))) return false;
		const length = mappedLength(route, topicEnd - topicStart);
		if (length === 0) return false;
		const writer = this.properties;
		if (writer !== undefined) {
			writer.reset();
			properties.rewind();
			while (properties.next())
				if (properties.id !== SUBSCRIPTION_IDENTIFIER && properties.id !== TOPIC_ALIAS)
					writer.copy(properties);
			writer.userProperty(PASSED_BROKER, here);
		}
		this.topicStart = payloadStart - length;
		writeMapped(route, bytes, this.topicStart, bytes, topicStart, topicEnd);
		return true;
	}
}
