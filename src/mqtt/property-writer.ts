import { copyBytes, writeLengthPrefixed, writeUint16, writeUint32 } from "./bytes";
import {
	MALFORMED_PACKET,
	MAXIMUM_REMAINING_LENGTH,
	MAXIMUM_STRING,
	PACKET_TOO_LARGE,
	PROTOCOL_ERROR,
	TOPIC_ALIAS_INVALID,
} from "./constants";
import { MQTTError } from "./error";
import {
	ASSIGNED_CLIENT_IDENTIFIER,
	AUTHENTICATION_DATA,
	AUTHENTICATION_METHOD,
	CONTENT_TYPE,
	CORRELATION_DATA,
	MAXIMUM_PACKET_SIZE,
	MAXIMUM_QOS,
	MESSAGE_EXPIRY_INTERVAL,
	PAYLOAD_FORMAT_INDICATOR,
	propertyBit,
	propertyType,
	propertyValueAllowed,
	REASON_STRING,
	RECEIVE_MAXIMUM,
	REQUEST_PROBLEM_INFORMATION,
	REQUEST_RESPONSE_INFORMATION,
	RESPONSE_INFORMATION,
	RESPONSE_TOPIC,
	RETAIN_AVAILABLE,
	SERVER_KEEP_ALIVE,
	SERVER_REFERENCE,
	SESSION_EXPIRY_INTERVAL,
	SHARED_SUBSCRIPTION_AVAILABLE,
	SUBSCRIPTION_IDENTIFIER,
	SUBSCRIPTION_IDENTIFIER_AVAILABLE,
	TOPIC_ALIAS,
	TOPIC_ALIAS_MAXIMUM,
	USER_PROPERTY,
	WILDCARD_SUBSCRIPTION_AVAILABLE,
	WILL_DELAY_INTERVAL,
} from "./properties";
import type { PropertyReader } from "./property-reader";
import {
	TYPE_BINARY,
	TYPE_BYTE,
	TYPE_STRING,
	TYPE_STRING_PAIR,
	TYPE_UINT16,
	TYPE_UINT32,
} from "./property-types";
import { hasWildcard } from "./topics";
import { validUTF8 } from "./utf8";
import { varintSize, writeVarint } from "./varint";

/**
 * Properties of one packet (§2.2.2) in a fixed buffer, ready for an encoder. Strings are UTF-8 bytes. Methods
 * have the names of the specification and can be chained. Each throws MQTTError: 0x82 (0x94 for a topic
 * alias) for a value that is not allowed or a property given twice, 0x81 for ill-formed UTF-8, 0x95 if the
 * buffer is full or a value is longer than 65,535 bytes; the content is then unchanged.
 */
export class PropertyWriter {
	/** The properties without their length: [0, length). */
	readonly bytes: Uint8Array;
	/** Bytes written. */
	length = 0;
	/** The identifiers present: bit n of `idsLow` is identifier n, bit n of `idsHigh` is n + 32. */
	idsLow = 0;
	idsHigh = 0;

	/** @param size bytes: one per property plus its value, 2 more per string. */
	constructor(size: number) {
		this.bytes = new Uint8Array(size);
	}

	/** Removes all properties. */
	reset(): this {
		this.length = 0;
		this.idsLow = 0;
		this.idsHigh = 0;
		return this;
	}

	payloadFormatIndicator(utf8: boolean): this {
		return this.writeFlag(PAYLOAD_FORMAT_INDICATOR, utf8);
	}

	/** @param seconds 0…4,294,967,295 */
	messageExpiryInterval(seconds: number): this {
		return this.writeInteger(MESSAGE_EXPIRY_INTERVAL, seconds, 0xffff_ffff);
	}

	contentType(text: Uint8Array): this {
		return this.writeText(CONTENT_TYPE, text);
	}

	responseTopic(topic: Uint8Array): this {
		// [MQTT-3.3.2-14] [MQTT-4.7.3-1]
		if (topic.length === 0 || hasWildcard(topic, 0, topic.length))
			throw new MQTTError(PROTOCOL_ERROR, "response topic is no topic name");
		return this.writeText(RESPONSE_TOPIC, topic);
	}

	correlationData(data: Uint8Array): this {
		return this.writeData(CORRELATION_DATA, data);
	}

	/** @param identifier 1…268,435,455 */
	subscriptionIdentifier(identifier: number): this {
		return this.writeInteger(SUBSCRIPTION_IDENTIFIER, identifier, MAXIMUM_REMAINING_LENGTH);
	}

	/** @param seconds 0…4,294,967,295; the largest means that the session does not expire */
	sessionExpiryInterval(seconds: number): this {
		return this.writeInteger(SESSION_EXPIRY_INTERVAL, seconds, 0xffff_ffff);
	}

	assignedClientIdentifier(identifier: Uint8Array): this {
		return this.writeText(ASSIGNED_CLIENT_IDENTIFIER, identifier);
	}

	/** @param seconds 0…65,535 */
	serverKeepAlive(seconds: number): this {
		return this.writeInteger(SERVER_KEEP_ALIVE, seconds, 0xffff);
	}

	authenticationMethod(method: Uint8Array): this {
		return this.writeText(AUTHENTICATION_METHOD, method);
	}

	authenticationData(data: Uint8Array): this {
		return this.writeData(AUTHENTICATION_DATA, data);
	}

	requestProblemInformation(wanted: boolean): this {
		return this.writeFlag(REQUEST_PROBLEM_INFORMATION, wanted);
	}

	/** @param seconds 0…4,294,967,295 */
	willDelayInterval(seconds: number): this {
		return this.writeInteger(WILL_DELAY_INTERVAL, seconds, 0xffff_ffff);
	}

	requestResponseInformation(wanted: boolean): this {
		return this.writeFlag(REQUEST_RESPONSE_INFORMATION, wanted);
	}

	responseInformation(text: Uint8Array): this {
		return this.writeText(RESPONSE_INFORMATION, text);
	}

	serverReference(text: Uint8Array): this {
		return this.writeText(SERVER_REFERENCE, text);
	}

	reasonString(text: Uint8Array): this {
		return this.writeText(REASON_STRING, text);
	}

	/** @param count 1…65,535 */
	receiveMaximum(count: number): this {
		return this.writeInteger(RECEIVE_MAXIMUM, count, 0xffff);
	}

	/** @param aliases 0…65,535 */
	topicAliasMaximum(aliases: number): this {
		return this.writeInteger(TOPIC_ALIAS_MAXIMUM, aliases, 0xffff);
	}

	/** @param alias 1…65,535 */
	topicAlias(alias: number): this {
		return this.writeInteger(TOPIC_ALIAS, alias, 0xffff);
	}

	/** @param qos 0 or 1 */
	maximumQoS(qos: number): this {
		return this.writeInteger(MAXIMUM_QOS, qos, 1);
	}

	retainAvailable(available: boolean): this {
		return this.writeFlag(RETAIN_AVAILABLE, available);
	}

	userProperty(name: Uint8Array, value: Uint8Array): this {
		// [MQTT-1.5.7-1]
		if (!validUTF8(name, 0, name.length) || !validUTF8(value, 0, value.length))
			throw new MQTTError(MALFORMED_PACKET, "user property is not UTF-8");
		if (name.length > MAXIMUM_STRING || value.length > MAXIMUM_STRING)
			throw new MQTTError(PACKET_TOO_LARGE, "user property is longer than 65,535 bytes");
		this.startProperty(USER_PROPERTY, 4 + name.length + value.length);
		this.length = writeLengthPrefixed(this.bytes, writeLengthPrefixed(this.bytes, this.length, name), value);
		return this;
	}

	/** @param bytes 1…4,294,967,295 */
	maximumPacketSize(bytes: number): this {
		return this.writeInteger(MAXIMUM_PACKET_SIZE, bytes, 0xffff_ffff);
	}

	wildcardSubscriptionAvailable(available: boolean): this {
		return this.writeFlag(WILDCARD_SUBSCRIPTION_AVAILABLE, available);
	}

	subscriptionIdentifierAvailable(available: boolean): this {
		return this.writeFlag(SUBSCRIPTION_IDENTIFIER_AVAILABLE, available);
	}

	sharedSubscriptionAvailable(available: boolean): this {
		return this.writeFlag(SHARED_SUBSCRIPTION_AVAILABLE, available);
	}

	/** Adds the reader's current property unchanged. */
	copy(reader: PropertyReader): this {
		const source = reader.bytes;
		const id = reader.id;
		switch (propertyType(id)) {
			case TYPE_STRING:
			case TYPE_BINARY:
				this.startProperty(id, 2 + reader.end - reader.start);
				this.writeRange(source, reader.start, reader.end);
				break;
			case TYPE_STRING_PAIR:
				this.startProperty(id, 4 + reader.nameEnd - reader.nameStart + reader.end - reader.start);
				this.writeRange(source, reader.nameStart, reader.nameEnd);
				this.writeRange(source, reader.start, reader.end);
				break;
			default:
				this.writeInteger(id, reader.number, 0xffff_ffff);
		}
		return this;
	}

	/**
	 * Writes the identifier of a property; throws if it must not repeat, or if `size` more bytes do not fit.
	 */
	private startProperty(id: number, size: number): void {
		const bit = propertyBit(id);
		// Subscription identifiers may repeat in a PUBLISH; for a SUBSCRIBE the caller must add only one
		// (§3.8.2.1.2)
		if (
			((id < 32 ? this.idsLow : this.idsHigh) & bit) !== 0 &&
			id !== USER_PROPERTY &&
			id !== SUBSCRIPTION_IDENTIFIER
		)
			throw new MQTTError(PROTOCOL_ERROR, "property given twice");
		if (this.length + 1 + size > this.bytes.length)
			throw new MQTTError(PACKET_TOO_LARGE, "property writer is full");
		if (id < 32) this.idsLow |= bit;
		else this.idsHigh |= bit;
		this.bytes[this.length++] = id;
	}

	private writeFlag(id: number, value: boolean): this {
		this.startProperty(id, 1);
		this.bytes[this.length++] = value ? 1 : 0;
		return this;
	}

	/** Writes a property of any integer type. */
	private writeInteger(id: number, value: number, maximum: number): this {
		if (!(value >= 0 && value <= maximum) || value % 1 !== 0 || !propertyValueAllowed(id, value))
			// [MQTT-3.3.2-8]
			throw new MQTTError(
				id === TOPIC_ALIAS ? TOPIC_ALIAS_INVALID : PROTOCOL_ERROR,
				"property value is out of its range",
			);
		const bytes = this.bytes;
		switch (propertyType(id)) {
			case TYPE_BYTE:
				this.startProperty(id, 1);
				bytes[this.length++] = value;
				break;
			case TYPE_UINT16:
				this.startProperty(id, 2);
				this.length = writeUint16(bytes, this.length, value);
				break;
			case TYPE_UINT32:
				this.startProperty(id, 4);
				this.length = writeUint32(bytes, this.length, value);
				break;
			default:
				this.startProperty(id, varintSize(value));
				this.length = writeVarint(bytes, this.length, value);
		}
		return this;
	}

	private writeText(id: number, value: Uint8Array): this {
		// [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-3.3.2-13] [MQTT-3.3.2-19]
		if (!validUTF8(value, 0, value.length)) throw new MQTTError(MALFORMED_PACKET, "property is not UTF-8");
		return this.writeData(id, value);
	}

	private writeData(id: number, value: Uint8Array): this {
		if (value.length > MAXIMUM_STRING)
			throw new MQTTError(PACKET_TOO_LARGE, "property is longer than 65,535 bytes");
		this.startProperty(id, 2 + value.length);
		this.length = writeLengthPrefixed(this.bytes, this.length, value);
		return this;
	}

	private writeRange(source: Uint8Array, start: number, end: number): void {
		this.length = copyBytes(
			this.bytes,
			writeUint16(this.bytes, this.length, end - start),
			source,
			start,
			end,
		);
	}
}
