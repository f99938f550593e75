import {
	AUTH,
	CONNACK,
	CONNECT,
	DISCONNECT,
	NO_LOCAL,
	PINGREQ,
	PINGRESP,
	RETAIN_AS_PUBLISHED,
	type ReasonCode,
	SUBACK,
	SUBSCRIBE,
	UNSUBACK,
	UNSUBSCRIBE,
} from "../../src/mqtt/constants";
import type { Packet } from "../../src/mqtt/packet";
import { describeProperties } from "./describe-properties";
import { describePayload, PAYLOAD_LIMIT, text } from "./payload-text";
import {
	PACKET_TYPE_NAMES,
	type PacketName,
	type TracedConnect,
	type TracedFilter,
	type TracedMessage,
	type TracedPacket,
} from "./traced-packet";

/** What a packet holds, without `sender` and `size`; of a PUBLISH without its payload. */
export type PacketContent = Omit<TracedPacket, "sender" | "size">;

function packetName(type: number): PacketName {
	return PACKET_TYPE_NAMES[type - 1] ?? "undecoded";
}

/** Describes any packet but a PUBLISH. The packet is valid during the call only. */
export function describePacket(packet: Packet): PacketContent {
	const { type } = packet;
	if (type === PINGREQ || type === PINGRESP) return { packet: packetName(type) };
	const content = { packet: packetName(type), ...describeProperties(packet.properties) };
	const identified = { ...content, packetId: packet.packetId };
	switch (type) {
		case CONNECT:
			return { ...content, connect: describeConnect(packet) };
		case CONNACK:
			return { ...content, reasonCode: packet.reasonCode, sessionPresent: packet.sessionPresent };
		case SUBSCRIBE:
		case UNSUBSCRIBE:
			return { ...identified, filters: describeFilters(packet) };
		case SUBACK:
		case UNSUBACK:
			return { ...identified, reasonCodes: describeReasons(packet) };
		case DISCONNECT:
		case AUTH:
			return { ...content, reasonCode: packet.reasonCode };
		default:
			// PUBACK, PUBREC, PUBREL, PUBCOMP
			return packet.reasonCode === 0 ? identified : { ...identified, reasonCode: packet.reasonCode };
	}
}

/** Describes the header of a PUBLISH, whose payload follows. */
export function describePublish(packet: Packet): Omit<PacketContent, "message"> & { message: TracedMessage } {
	return {
		packet: "PUBLISH",
		...(packet.qos === 0 ? {} : { packetId: packet.packetId }),
		dup: packet.dup,
		message: {
			qos: packet.qos,
			retain: packet.retain,
			topic: text(packet.bytes, packet.topicStart, packet.topicEnd),
			payloadSize: packet.payloadLength,
		},
		...describeProperties(packet.properties),
	};
}

function describeConnect(packet: Packet): TracedConnect {
	const { bytes } = packet;
	return {
		version: packet.version === 5 ? "5.0" : "3.1.1",
		clientId: text(bytes, packet.clientIdStart, packet.clientIdEnd),
		cleanStart: packet.cleanStart,
		keepAlive: packet.keepAlive,
		...(packet.hasUsername ? { username: text(bytes, packet.usernameStart, packet.usernameEnd) } : {}),
		...(packet.hasPassword ? { passwordSize: packet.passwordEnd - packet.passwordStart } : {}),
		...(packet.hasWill ? { will: describeWill(packet) } : {}),
	};
}

function describeWill(packet: Packet): TracedMessage {
	const payload = packet.bytes.subarray(packet.willPayloadStart, packet.willPayloadEnd);
	return {
		qos: packet.willQoS,
		retain: packet.willRetain,
		topic: text(packet.bytes, packet.willTopicStart, packet.willTopicEnd),
		...describePayload(payload.subarray(0, PAYLOAD_LIMIT), payload.length),
		payloadSize: payload.length,
		...describeProperties(packet.willProperties),
	};
}

function describeFilters(packet: Packet): TracedFilter[] {
	const filters: TracedFilter[] = [];
	packet.rewind();
	while (packet.nextFilter()) {
		const filter = text(packet.bytes, packet.filterStart, packet.filterEnd);
		if (packet.type === UNSUBSCRIBE) {
			filters.push({ filter });
			continue;
		}
		const { options } = packet;
		const retainHandling = (options >> 4) & 3;
		filters.push({
			filter,
			qos: options & 3,
			...(options & NO_LOCAL ? { noLocal: true } : {}),
			...(options & RETAIN_AS_PUBLISHED ? { retainAsPublished: true } : {}),
			...(retainHandling === 0 ? {} : { retainHandling }),
		});
	}
	return filters;
}

function describeReasons(packet: Packet): ReasonCode[] {
	const codes: ReasonCode[] = [];
	packet.rewind();
	while (packet.nextReason()) codes.push(packet.reasonCode);
	return codes;
}
