import mqtt, { type Packet } from "mqtt-packet";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";

/** One message in the formats of both libraries. */
export interface BenchMessage {
	name: string;
	version: 4 | 5;
	flags: number;
	packetId: number;
	topic: Uint8Array;
	payload: Uint8Array;
	properties: PropertyWriter | undefined;
	/** For mqtt-packet. */
	packet: Packet;
	/** The bytes on the wire. */
	raw: Buffer;
}

function message(
	name: string,
	version: 4 | 5,
	qos: 0 | 1,
	topic: string,
	payload: string,
	withProperties = false,
): BenchMessage {
	const properties = withProperties
		? { messageExpiryInterval: 60, contentType: "text/plain", userProperties: { unit: "C" } }
		: undefined;
	const packet: Packet = {
		cmd: "publish",
		topic,
		payload: Buffer.from(payload),
		qos,
		dup: false,
		retain: false,
		messageId: 10,
		...(properties ? { properties } : {}),
	};
	return {
		name,
		version,
		flags: qos << 1,
		packetId: 10,
		topic: utf8(topic),
		payload: utf8(payload),
		properties: withProperties
			? new PropertyWriter(64)
					.messageExpiryInterval(60)
					.contentType(utf8("text/plain"))
					.userProperty(utf8("unit"), utf8("C"))
			: undefined,
		packet,
		raw: mqtt.generate(packet, { protocolVersion: version }),
	};
}

const topic = "home/greenhouse/humidity"; // 24 bytes
export const messages: readonly BenchMessage[] = [
	message("3.1.1 QoS 1, 24-byte topic, 5-byte payload", 4, 1, topic, "23.74"),
	message("5.0 QoS 1, 24-byte topic, 5-byte payload", 5, 1, topic, "23.74"),
	message("5.0 QoS 0, 24-byte topic, 120-byte payload", 5, 0, topic, "x".repeat(120)),
	message("5.0 QoS 1, three properties", 5, 1, topic, "23.74", true),
];
