import { PACKET_TYPE_NAMES } from "../../sim/capture/traced-packet";
import type { ReasonCode } from "../../src/mqtt/constants";
import type { Encoder } from "../../src/mqtt/encoder";
import type { Packet } from "../../src/mqtt/packet";
import * as properties from "../../src/mqtt/properties";
import type { PropertyReader } from "../../src/mqtt/property-reader";
import { TYPE_BINARY, TYPE_STRING, TYPE_STRING_PAIR } from "../../src/mqtt/property-types";
import { PropertyWriter } from "../../src/mqtt/property-writer";

/** Byte strings are JavaScript strings with one character a byte. */
export type Property = readonly [id: number, value: number | string, value2?: string];
export type Properties = readonly Property[];

export interface Will {
	topic: string;
	payload: string;
	qos: 0 | 1 | 2;
	retain: boolean;
	properties: Properties;
}

/** Packets as plain values, for comparison. */
export type PlainPacket =
	| {
			type: "CONNECT";
			clientId: string;
			keepAlive: number;
			cleanStart: boolean;
			username?: string;
			password?: string;
			will?: Will;
			properties: Properties;
	  }
	| { type: "CONNACK"; sessionPresent: boolean; reasonCode: ReasonCode; properties: Properties }
	| {
			type: "PUBLISH";
			flags: number;
			topic: string;
			packetId: number;
			payload: string;
			properties: Properties;
	  }
	| {
			type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP";
			packetId: number;
			reasonCode: ReasonCode;
			properties: Properties;
	  }
	| {
			type: "SUBSCRIBE";
			packetId: number;
			subscriptions: readonly { filter: string; options: number }[];
			properties: Properties;
	  }
	| { type: "SUBACK" | "UNSUBACK"; packetId: number; codes: readonly number[]; properties: Properties }
	| { type: "UNSUBSCRIBE"; packetId: number; filters: readonly string[]; properties: Properties }
	| { type: "PINGREQ" | "PINGRESP" }
	| { type: "DISCONNECT" | "AUTH"; reasonCode: ReasonCode; properties: Properties };

export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

export function latin1Bytes(text: string): Uint8Array {
	return Uint8Array.from(Buffer.from(text, "latin1"));
}

function plainProperties(reader: PropertyReader): Properties {
	const result: Property[] = [];
	reader.rewind();
	while (reader.next()) {
		const type = properties.propertyType(reader.id);
		if (type !== TYPE_STRING_PAIR && type !== TYPE_STRING && type !== TYPE_BINARY) {
			result.push([reader.id, reader.number]);
			continue;
		}
		const value = latin1Text(reader.bytes, reader.start, reader.end);
		if (type === TYPE_STRING_PAIR)
			result.push([reader.id, latin1Text(reader.bytes, reader.nameStart, reader.nameEnd), value]);
		else result.push([reader.id, value]);
	}
	return result;
}

/** Converts a packet to a plain value; the payload of a PUBLISH is added later. */
export function toPlainPacket(packet: Packet): PlainPacket {
	const { packetId, reasonCode, bytes } = packet;
	const name = PACKET_TYPE_NAMES[packet.type - 1];
	switch (name) {
		case "CONNECT":
			return {
				type: name,
				clientId: latin1Text(bytes, packet.clientIdStart, packet.clientIdEnd),
				keepAlive: packet.keepAlive,
				cleanStart: packet.cleanStart,
				...(packet.hasUsername
					? { username: latin1Text(bytes, packet.usernameStart, packet.usernameEnd) }
					: {}),
				...(packet.hasPassword
					? { password: latin1Text(bytes, packet.passwordStart, packet.passwordEnd) }
					: {}),
				...(packet.hasWill
					? {
							will: {
								topic: latin1Text(bytes, packet.willTopicStart, packet.willTopicEnd),
								payload: latin1Text(bytes, packet.willPayloadStart, packet.willPayloadEnd),
								qos: packet.willQoS as 0 | 1 | 2,
								retain: packet.willRetain,
								properties: plainProperties(packet.willProperties),
							},
						}
					: {}),
				properties: plainProperties(packet.properties),
			};
		case "CONNACK":
			return {
				type: name,
				sessionPresent: packet.sessionPresent,
				reasonCode,
				properties: plainProperties(packet.properties),
			};
		case "PUBLISH":
			return {
				type: name,
				flags: packet.flags,
				topic: latin1Text(bytes, packet.topicStart, packet.topicEnd),
				packetId,
				payload: "",
				properties: plainProperties(packet.properties),
			};
		case "PUBACK":
		case "PUBREC":
		case "PUBREL":
		case "PUBCOMP":
			return { type: name, packetId, reasonCode, properties: plainProperties(packet.properties) };
		case "SUBSCRIBE": {
			const subscriptions: { filter: string; options: number }[] = [];
			while (packet.nextFilter())
				subscriptions.push({
					filter: latin1Text(bytes, packet.filterStart, packet.filterEnd),
					options: packet.options,
				});
			return { type: name, packetId, subscriptions, properties: plainProperties(packet.properties) };
		}
		case "UNSUBSCRIBE": {
			const filters: string[] = [];
			while (packet.nextFilter()) filters.push(latin1Text(bytes, packet.filterStart, packet.filterEnd));
			return { type: name, packetId, filters, properties: plainProperties(packet.properties) };
		}
		case "SUBACK":
		case "UNSUBACK": {
			const codes: number[] = [];
			while (packet.nextReason()) codes.push(packet.reasonCode);
			return { type: name, packetId, codes, properties: plainProperties(packet.properties) };
		}
		case "PINGREQ":
		case "PINGRESP":
			return { type: name };
		case "DISCONNECT":
		case "AUTH":
			return { type: name, reasonCode, properties: plainProperties(packet.properties) };
		default:
			throw new Error(`packet type ${packet.type}`);
	}
}

/** Writes the properties to a writer of exactly their size. */
export function propertyWriter(list: Properties): PropertyWriter {
	const size = list.reduce(
		(sum, property) =>
			sum + 10 + (typeof property[1] === "string" ? property[1].length : 0) + (property[2]?.length ?? 0),
		0,
	);
	const result = new PropertyWriter(size);
	for (const [id, value, pairValue] of list) writeProperty(result, id, value, pairValue);
	return result;
}

function writeProperty(
	target: PropertyWriter,
	id: number,
	value: number | string,
	pairValue: string | undefined,
): void {
	const number = value as number;
	const bytes = typeof value === "string" ? latin1Bytes(value) : new Uint8Array();
	switch (id) {
		case properties.PAYLOAD_FORMAT_INDICATOR:
			return void target.payloadFormatIndicator(number === 1);
		case properties.MESSAGE_EXPIRY_INTERVAL:
			return void target.messageExpiryInterval(number);
		case properties.CONTENT_TYPE:
			return void target.contentType(bytes);
		case properties.RESPONSE_TOPIC:
			return void target.responseTopic(bytes);
		case properties.CORRELATION_DATA:
			return void target.correlationData(bytes);
		case properties.SUBSCRIPTION_IDENTIFIER:
			return void target.subscriptionIdentifier(number);
		case properties.SESSION_EXPIRY_INTERVAL:
			return void target.sessionExpiryInterval(number);
		case properties.ASSIGNED_CLIENT_IDENTIFIER:
			return void target.assignedClientIdentifier(bytes);
		case properties.SERVER_KEEP_ALIVE:
			return void target.serverKeepAlive(number);
		case properties.AUTHENTICATION_METHOD:
			return void target.authenticationMethod(bytes);
		case properties.AUTHENTICATION_DATA:
			return void target.authenticationData(bytes);
		case properties.REQUEST_PROBLEM_INFORMATION:
			return void target.requestProblemInformation(number === 1);
		case properties.WILL_DELAY_INTERVAL:
			return void target.willDelayInterval(number);
		case properties.REQUEST_RESPONSE_INFORMATION:
			return void target.requestResponseInformation(number === 1);
		case properties.RESPONSE_INFORMATION:
			return void target.responseInformation(bytes);
		case properties.SERVER_REFERENCE:
			return void target.serverReference(bytes);
		case properties.REASON_STRING:
			return void target.reasonString(bytes);
		case properties.RECEIVE_MAXIMUM:
			return void target.receiveMaximum(number);
		case properties.TOPIC_ALIAS_MAXIMUM:
			return void target.topicAliasMaximum(number);
		case properties.TOPIC_ALIAS:
			return void target.topicAlias(number);
		case properties.MAXIMUM_QOS:
			return void target.maximumQoS(number);
		case properties.RETAIN_AVAILABLE:
			return void target.retainAvailable(number === 1);
		case properties.USER_PROPERTY:
			return void target.userProperty(bytes, latin1Bytes(pairValue ?? ""));
		case properties.MAXIMUM_PACKET_SIZE:
			return void target.maximumPacketSize(number);
		case properties.WILDCARD_SUBSCRIPTION_AVAILABLE:
			return void target.wildcardSubscriptionAvailable(number === 1);
		case properties.SUBSCRIPTION_IDENTIFIER_AVAILABLE:
			return void target.subscriptionIdentifierAvailable(number === 1);
		case properties.SHARED_SUBSCRIPTION_AVAILABLE:
			return void target.sharedSubscriptionAvailable(number === 1);
		default:
			throw new Error(`property ${id}`);
	}
}

/** Stages the packet; returns the result of the encoder's method. */
export function encodePlain(encoder: Encoder, packet: PlainPacket): number {
	const given =
		"properties" in packet && packet.properties.length > 0 ? propertyWriter(packet.properties) : undefined;
	switch (packet.type) {
		case "CONNECT": {
			const { will } = packet;
			return encoder.connect({
				clientId: latin1Bytes(packet.clientId),
				keepAlive: packet.keepAlive,
				cleanStart: packet.cleanStart,
				username: packet.username === undefined ? undefined : latin1Bytes(packet.username),
				password: packet.password === undefined ? undefined : latin1Bytes(packet.password),
				properties: given,
				will: will && {
					topic: latin1Bytes(will.topic),
					payload: latin1Bytes(will.payload),
					qos: will.qos,
					retain: will.retain,
					properties: will.properties.length > 0 ? propertyWriter(will.properties) : undefined,
				},
			});
		}
		case "CONNACK":
			return encoder.connack(packet.sessionPresent, packet.reasonCode, given);
		case "PUBLISH":
			return encoder.publish(
				latin1Bytes(packet.topic),
				latin1Bytes(packet.payload),
				packet.payload.length,
				packet.flags,
				packet.packetId,
				given,
			);
		case "PUBACK":
			return encoder.puback(packet.packetId, packet.reasonCode, given);
		case "PUBREC":
			return encoder.pubrec(packet.packetId, packet.reasonCode, given);
		case "PUBREL":
			return encoder.pubrel(packet.packetId, packet.reasonCode, given);
		case "PUBCOMP":
			return encoder.pubcomp(packet.packetId, packet.reasonCode, given);
		case "SUBSCRIBE":
			return encoder.subscribe(
				packet.packetId,
				packet.subscriptions.map(({ filter, options }) => ({ filter: latin1Bytes(filter), options })),
				given,
			);
		case "SUBACK":
			return encoder.suback(packet.packetId, Uint8Array.from(packet.codes), packet.codes.length, given);
		case "UNSUBSCRIBE":
			return encoder.unsubscribe(packet.packetId, packet.filters.map(latin1Bytes), given);
		case "UNSUBACK": {
			// MQTT 3.1.1 has no codes here, but the broker's code passes one per filter
			const codes = packet.codes.length === 0 ? [0] : packet.codes;
			return encoder.unsuback(packet.packetId, Uint8Array.from(codes), codes.length, given);
		}
		case "PINGREQ":
			return encoder.pingreq();
		case "PINGRESP":
			return encoder.pingresp();
		case "DISCONNECT":
			return encoder.disconnect(packet.reasonCode, given);
		case "AUTH":
			return encoder.auth(packet.reasonCode, given);
	}
}
