import { copyBytes, writeUint16 } from "../mqtt/bytes";
import { RETAIN } from "../mqtt/constants";
import { variableHeaderSize, writePublishStart } from "../mqtt/encode/publish";
import type { Packet } from "../mqtt/packet";
import { SUBSCRIPTION_IDENTIFIER, USER_PROPERTY } from "../mqtt/properties";
import { packetSize, varintSize, writeVarint } from "../mqtt/varint";
import { PASSED_BROKER, passedBrokerSize } from "./passed-brokers";
import { mappedLength, type TopicRoute, writeMapped } from "./topic-routes";

/**
 * One message of the other broker on its way into this one: the PUBLISH of MQTT 5.0 that the bridge sends
 * here, under the name that its topic has here, with the packet identifier that it has there.
 */
export class IncomingMessage {
	/** The PUBLISH, from its start. */
	readonly bytes: Uint8Array;
	/** Bytes of it that are there. */
	length = 0;
	qos = 0;
	packetId = 0;

	/** @param size bytes of the largest packet that this broker takes */
	constructor(size: number) {
		this.bytes = new Uint8Array(size);
	}

	/**
	 * Begins with the header.
	 * @param passed names of the brokers that the message comes from; undefined: not known
	 * @returns false: it has no name here, or is larger than a packet may be
	 */
	begin(
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

	/** Adds a piece of the payload, bytes [start, end). */
	append(bytes: Uint8Array, start: number, end: number): void {
		this.length = copyBytes(this.bytes, this.length, bytes, start, end);
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
