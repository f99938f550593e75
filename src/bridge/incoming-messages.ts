import type { Client } from "../client/client";
import { BUSY } from "../client/outbound";
import { copyBytes, writeUint16 } from "../mqtt/bytes";
import { PUBACK, PUBCOMP, PUBREC, PUBREL, RETAIN, UNSPECIFIED_ERROR } from "../mqtt/constants";
import { variableHeaderSize, writePublishStart } from "../mqtt/encode/publish";
import type { Packet } from "../mqtt/packet";
import { SUBSCRIPTION_IDENTIFIER, USER_PROPERTY } from "../mqtt/properties";
import { packetSize, varintSize, writeVarint } from "../mqtt/varint";
import { IdRing } from "./id-ring";
import type { LocalLink } from "./local-link";
import { hasPassed, PASSED_BROKER, passedBrokerSize } from "./passed-brokers";
import { findRoute, mappedLength, type TopicRoute, writeMapped } from "./topic-routes";

// What becomes of the message that is being received
const SKIPPED = 0;
const RECEIVING = 1;
/** It waits for this broker. */
const COMPLETE = 2;
type MessageState = typeof SKIPPED | typeof RECEIVING | typeof COMPLETE;

/**
 * Messages of the other broker on their way into this one, one at a time: the PUBLISH of MQTT 5.0 that the
 * bridge sends here, under the name that its topic has here, with the packet identifier that it has there. An
 * acknowledgement of this broker frees the message there; a PUBREL from there is passed on.
 */
export class IncomingMessages {
	/** Those that this broker has acknowledged, or has read with QoS 0. */
	accepted = 0;
	/** Those that this broker has refused, and that are too large for it. */
	dropped = 0;
	private readonly routes: readonly TopicRoute[];
	/** The PUBLISH, from its start. */
	private readonly bytes: Uint8Array;
	/** Bytes of it that are there. */
	private length = 0;
	private qos = 0;
	private packetId = 0;
	private state: MessageState = SKIPPED;
	/** PUBRELs of the other broker. */
	private readonly releases: IdRing;

	/**
	 * @param size bytes of the largest packet that this broker takes
	 * @param receiveMaximum messages of QoS 2 that the other broker may send before PUBREL
	 */
	constructor(routes: readonly TopicRoute[], size: number, receiveMaximum: number) {
		this.routes = routes;
		this.bytes = new Uint8Array(size);
		this.releases = new IdRing(receiveMaximum);
	}

	/** A message waits for this broker: until it has taken it, the other one is not read from. */
	get isComplete(): boolean {
		return this.state === COMPLETE;
	}

	/** The connection with the other broker is gone, which sends again what has no acknowledgement. */
	reset(): void {
		this.state = SKIPPED;
		this.releases.clear();
	}

	/** The header of a message that is not to be passed on. */
	skip(): void {
		this.state = SKIPPED;
	}

	/**
	 * The header of a message. It is skipped if no topic of the configuration has it, or if it has passed this
	 * broker before.
	 * @param here name of this broker @param there name of the other one; undefined: not known
	 */
	onMessage(packet: Packet, retainAvailable: boolean, here: Uint8Array, there: Uint8Array | undefined): void {
		const route = findRoute(this.routes, packet.bytes, packet.topicStart, packet.topicEnd);
		this.state = SKIPPED;
		if (route === undefined || hasPassed(packet.properties, here)) return;
		if (this.writeHeader(packet, route, retainAvailable, here, there)) this.state = RECEIVING;
		else this.dropped++;
	}

	/** A piece of the payload, bytes [start, end). @returns whether the message is complete, and waits */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): boolean {
		if (this.state !== RECEIVING) return false;
		this.length = copyBytes(this.bytes, this.length, bytes, start, end);
		if (last) this.state = COMPLETE;
		return last;
	}

	/** A PUBREL of the other broker. @returns false: there are more than it may send */
	onReleased(packetId: number): boolean {
		return this.releases.push(packetId);
	}

	/** Passes the complete message to this broker. @returns whether it has taken it */
	deliver(link: LocalLink): boolean {
		const { qos } = this;
		const isRead = link.deliver(this.bytes, this.length, true);
		if (qos > 0) {
			if (link.answerType !== (qos === 1 ? PUBACK : PUBREC) || link.answerId !== this.packetId) return false;
			if (link.answerReason >= UNSPECIFIED_ERROR) this.dropped++;
			else this.accepted++;
		} else if (isRead) this.accepted++;
		else return false;
		this.state = SKIPPED;
		return true;
	}

	/** Passes PUBRELs on: this broker releases first, so that the identifier is free when it comes again. */
	release(link: LocalLink, client: Client): void {
		const { releases } = this;
		while (releases.count > 0) {
			const { packetId } = releases;
			link.deliverShort(PUBREL, packetId, 0, true);
			if (link.answerType !== PUBCOMP || link.answerId !== packetId) return;
			if (client.complete(packetId) === BUSY) return;
			releases.shift();
		}
	}

	/** @returns false: the message has no name here, or is larger than a packet may be */
	private writeHeader(
		packet: Packet,
		route: TopicRoute,
		retainAvailable: boolean,
		here: Uint8Array,
		there: Uint8Array | undefined,
	): boolean {
		const { bytes } = this;
		const { topicStart, topicEnd, properties, payloadLength } = packet;
		const topic = mappedLength(route, topicEnd - topicStart);
		if (topic === 0) return false;
		let length = passedBrokerSize(here) + passedBrokerSize(there);
		properties.rewind();
		for (let from = properties.from; properties.next(); from = properties.at)
			if (properties.id !== SUBSCRIPTION_IDENTIFIER) length += properties.at - from;
		const flags = retainAvailable ? packet.flags : packet.flags & ~RETAIN;
		const remaining = variableHeaderSize(topic, flags, varintSize(length) + length) + payloadLength;
		if (packetSize(remaining) > bytes.length) return false;
		let at = writePublishStart(bytes, 0, flags, remaining, topic);
		at = writeMapped(route, bytes, at, packet.bytes, topicStart, topicEnd);
		this.qos = packet.qos;
		this.packetId = packet.packetId;
		if (this.qos > 0) at = writeUint16(bytes, at, this.packetId);
		at = writeVarint(bytes, at, length);
		properties.rewind();
		for (let from = properties.from; properties.next(); from = properties.at)
			if (properties.id !== SUBSCRIPTION_IDENTIFIER)
				at = copyBytes(bytes, at, properties.bytes, from, properties.at);
		at = this.writePassedBroker(at, there);
		this.length = this.writePassedBroker(at, here);
		return true;
	}

	private writePassedBroker(at: number, broker: Uint8Array | undefined): number {
		if (broker === undefined) return at;
		const { bytes } = this;
		bytes[at] = USER_PROPERTY;
		const value = writeUint16(bytes, at + 1, PASSED_BROKER.length);
		bytes.set(PASSED_BROKER, value);
		const end = writeUint16(bytes, value + PASSED_BROKER.length, broker.length);
		bytes.set(broker, end);
		return end + broker.length;
	}
}
