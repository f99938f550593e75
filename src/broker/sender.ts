import { MAXIMUM_REMAINING_LENGTH, MESSAGE_EXPIRY_INTERVAL, TOPIC_ALIAS, WILL_DELAY_INTERVAL } from "../mqtt/constants";
import { Encoder } from "../mqtt/encoder";
import { PropertyReader } from "../mqtt/property-reader";
import { PropertyWriter } from "../mqtt/property-writer";
import type { Clock } from "./clock";
import type { Connection } from "./connection";
import type { Message } from "./message";

// What became of a message
export const SENT = 0;
/** The socket takes no more now. */
export const NO_ROOM = 1;
/** It is larger than the client takes. */
export const TOO_LARGE = 2;
export const EXPIRED = 3;

/** What a PUBLISH may need beyond topic, properties and payload, bytes: fixed header, two lengths, packet identifier, subscription identifier. */
export const OVERHEAD = 24;

/** Encodes packets in one buffer for all connections and writes them to their sockets. */
export class Sender {
	readonly encoder: Encoder;
	/** For the packet that is encoded next. */
	readonly properties: PropertyWriter;
	readonly #reader: PropertyReader;
	readonly #clock: Clock;
	/** The PUBLISH that is staged, as long as it may be sent to another client too: version 0 for none. Its packet identifier lies at #idAt. */
	#version = 0;
	#flags = 0;
	#identifier = 0;
	#idAt = 0;

	/** @param packetSize bytes of the largest packet that comes in */
	constructor(packetSize: number, clock: Clock) {
		this.encoder = new Encoder({ size: packetSize + OVERHEAD });
		this.properties = new PropertyWriter(packetSize + OVERHEAD);
		this.#reader = new PropertyReader(this.properties.bytes);
		this.#clock = clock;
	}

	/** The encoder, empty, for a packet to a connection. */
	to(connection: Connection): Encoder {
		const encoder = this.encoder;
		this.#version = 0;
		encoder.reset();
		encoder.version = connection.version;
		return encoder;
	}

	/** Writes what is staged; room for answers is there before a packet is read. False when the connection is lost. */
	flush(connection: Connection): boolean {
		return connection.write(this.encoder.seal());
	}

	/** Sends a message. @param identifier subscription identifier, 0 for none @returns SENT, NO_ROOM, TOO_LARGE or EXPIRED */
	publish(connection: Connection, message: Message, flags: number, packetId: number, identifier: number): number {
		const encoder = this.to(connection);
		const payload = message.payloadEnd - message.payloadStart;
		let properties: PropertyWriter | undefined;
		if (message.propertiesStart !== message.propertiesEnd) {
			if (!this.#forward(message)) return EXPIRED;
			properties = this.properties;
		} else if (identifier !== 0) properties = this.properties.reset();
		if (connection.version === 4) properties = undefined;
		else if (identifier !== 0) properties?.subscriptionIdentifier(identifier); // [MQTT-3.3.4-3]
		const header = encoder.publishHeader(message.bytes, message.topicStart, message.topicEnd, payload, flags, packetId, properties);
		if (header === 0 || header + payload > connection.maximumPacket) return TOO_LARGE; // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
		if (header + payload > connection.room) return NO_ROOM;
		encoder.payload(message.bytes, message.payloadStart, message.payloadEnd);
		this.flush(connection);
		this.#version = connection.version;
		this.#flags = flags;
		this.#identifier = identifier;
		const size = header + payload;
		this.#idAt = (size < 130 ? 4 : size < 16_387 ? 5 : 6) + message.topicEnd - message.topicStart;
		return SENT;
	}

	/** What is staged is not about the next message. */
	forget(): void {
		this.#version = 0;
	}

	/** Whether the last message, as it was last sent, can be sent to this connection too. */
	repeats(connection: Connection, flags: number, identifier: number): boolean {
		return this.#version === connection.version && this.#flags === flags && this.#identifier === identifier;
	}

	/** Sends the last message again, to another client. @returns as publish() */
	repeat(connection: Connection, packetId: number): number {
		const { encoder } = this;
		const { length } = encoder;
		if (length > connection.maximumPacket) return TOO_LARGE; // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
		if (length > connection.room) return NO_ROOM;
		if (packetId !== 0) {
			const { view } = encoder;
			const at = this.#idAt;
			view[at] = packetId >> 8;
			view[at + 1] = packetId;
		}
		this.flush(connection);
		return SENT;
	}

	/** Copies the properties that a subscriber is told, in their order; false when the message has expired [MQTT-3.3.2-5]. */
	#forward(message: Message): boolean {
		const properties = this.properties.reset();
		const reader = this.#reader;
		reader.set(message.bytes, message.propertiesStart, message.propertiesEnd);
		while (reader.next()) {
			switch (reader.id) {
				case MESSAGE_EXPIRY_INTERVAL: {
					const left = reader.number - Math.floor((this.#clock.now - message.arrived) / 1000);
					if (left < 0 || (left === 0 && reader.number > 0)) return false;
					properties.messageExpiryInterval(left); // [MQTT-3.3.2-6]
					break;
				}
				case TOPIC_ALIAS:
				case WILL_DELAY_INTERVAL:
					break;
				default:
					properties.copy(reader); // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
			}
		}
		return true;
	}
}

/** A client that names no maximum packet size takes what the protocol can carry. */
export const UNLIMITED_PACKET = MAXIMUM_REMAINING_LENGTH + 5;
