import { writeUint16, writeUint32 } from "../../mqtt/bytes";
import type { QoS } from "../../mqtt/constants";
import { variableHeaderSize, writePublishStart } from "../../mqtt/encode/publish";
import { SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS, USER_PROPERTY } from "../../mqtt/properties";
import { packetSize, varintSize, writeVarint } from "../../mqtt/varint";
import type { Core } from "../core/core";
import { PUBLISH_OVERHEAD } from "../core/send-area";
import type { Message } from "../pool/message";
import { EXPIRY_BYTES, hasExpiry, secondsLeft } from "../pool/message-properties";
import { type Connection, LAST_WORD_ROOM } from "../session/connection";
import type { OutgoingQueues } from "../session/outgoing-queues";

// Results of publish()
export const SENT = 0;
/** The socket has no room for it now. */
export const NO_ROOM = 1;
/** It exceeds the client's maximum packet size or the send area. */
export const TOO_LARGE = 2;
export const EXPIRED = 3;

export type SendResult = typeof SENT | typeof NO_ROOM | Drop;
/** The message is lost for this client. */
export type Drop = typeof TOO_LARGE | typeof EXPIRED;

const DUP = 8;
const QOS_MASK = 6;

/**
 * Whether a message can be written to the socket of a connection in phase CONNECTED at once, or would never
 * fit into it. It must not wait then, since no onWritable follows where nothing was written.
 */
export function canSendNow(
	queues: OutgoingQueues,
	connection: Connection,
	message: Message,
	qos: QoS,
): boolean {
	// [MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT-3.1.1:4.6.0-5] [MQTT-3.1.1:4.6.0-6]
	if (queues.waiting(connection.session) !== 0) return false;
	// [MQTT-3.3.4-9]
	if (qos !== 0 && queues.inFlight(connection.session) >= connection.receiveMaximum) return false;
	const room = connection.room - LAST_WORD_ROOM;
	return message.size + PUBLISH_OVERHEAD <= room || connection.maximumPacketSize <= room;
}

/** Counts a message that was sent. */
export function countDelivered(core: Core, message: Message): void {
	core.counters.messagesDelivered++;
	core.host.event?.("delivered", message.qos, message.payloadEnd - message.payloadStart);
}

/** Counts a message that was not sent to one client. */
export function countDropped({ counters }: Core, result: Drop): void {
	if (result === TOO_LARGE) counters.droppedSize++;
	else counters.droppedExpired++;
}

/**
 * Writes PUBLISH packets to clients, composed in the memory's send area. One that is there is sent to further
 * recipients with the same form, see canRepeat().
 */
export class PublishWriter {
	readonly #core: Core;
	/** The PUBLISH in the send area. Its packet identifier, if it has one, lies at #packetIdAt. */
	#flags = 0;
	#identifier = 0;
	#packetIdAt = 0;
	#size = 0;

	constructor(core: Core) {
		this.#core = core;
	}

	/**
	 * Sends a message.
	 * @param identifier subscription identifier, 0 for none
	 * @param withTimestamp whether to add the arrival time as a user property
	 */
	publish(
		connection: Connection,
		message: Message,
		flags: number,
		packetId: number,
		identifier: number,
		withTimestamp: boolean,
	): SendResult {
		const result = this.compose(connection, message, flags, packetId, identifier, withTimestamp);
		// Tail call, so that little of the XS stack is in use during the write
		return result === SENT ? this.transmit(connection) : result;
	}

	/** Writes the send area. @returns SENT, also if the connection is lost: onLost() handles that */
	private transmit(connection: Connection): typeof SENT {
		const size = this.#size;
		const core = this.#core;
		const memory = core.memory;
		core.counters.bytesOut += size;
		connection.write(memory.sendView(size));
		memory.reopenSendArea();
		return SENT;
	}

	/** Encodes a PUBLISH in the send area. @returns as publish() */
	private compose(
		connection: Connection,
		message: Message,
		flags: number,
		packetId: number,
		identifier: number,
		withTimestamp: boolean,
	): SendResult {
		const core = this.#core;
		const memory = core.memory;
		const bytes = memory.bytes;
		const isVersion5 = connection.version === 5;
		const topicStart = message.topicStart;
		const topicEnd = message.topicEnd;
		let propertiesStart = message.propertiesStart;
		let expiry = -1;
		if (hasExpiry(message)) {
			expiry = secondsLeft(message, core.clock.nowMs);
			if (expiry < 0) {
				if ((flags & DUP) === 0) return EXPIRED; // [MQTT-3.3.2-5]
				expiry = 0; // its delivery had begun [MQTT-4.3.3-7]
			}
			propertiesStart += EXPIRY_BYTES;
		}
		const payload = message.payloadEnd - message.payloadStart;
		let topic = topicEnd - topicStart;
		let alias = 0;
		let newAlias = false;
		let properties = 0;
		let timestampLength = 0;
		if (isVersion5) {
			if (connection.topicAliasMaximum !== 0) {
				const { aliases } = core;
				const { index } = connection;
				alias = aliases.find(index, connection.topicAliasMaximum, memory.words, topicStart, topicEnd);
				if (alias !== 0) topic = 0;
				else {
					// [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11]
					alias = aliases.assign(index, connection.topicAliasMaximum, bytes, topicStart, topicEnd);
					newAlias = alias !== 0;
				}
			}
			if (withTimestamp) timestampLength = core.timestamp.write(message.arrivedAtMs);
			properties =
				message.propertiesEnd -
				propertiesStart +
				(expiry < 0 ? 0 : EXPIRY_BYTES) +
				(identifier === 0 ? 0 : 1 + varintSize(identifier)) +
				(alias === 0 ? 0 : 3) +
				(timestampLength === 0 ? 0 : 5 + core.timestamp.propertyName.length + timestampLength);
		}
		const remaining =
			variableHeaderSize(topic, flags, isVersion5 ? varintSize(properties) + properties : 0) + payload;
		const size = packetSize(remaining);
		const room = connection.room - LAST_WORD_ROOM;
		if (size > room || size > connection.maximumPacketSize || size > memory.sendSize) {
			if (newAlias) core.aliases.unassign(connection.index, alias);
			// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
			return size > connection.maximumPacketSize || size > memory.sendSize ? TOO_LARGE : NO_ROOM;
		}
		memory.reopenSendArea();
		let at = writePublishStart(bytes, memory.sendStart, flags, remaining, topic);
		if (topic !== 0) {
			bytes.copyWithin(at, topicStart, topicEnd);
			at += topic;
		}
		this.#packetIdAt = at;
		if ((flags & QOS_MASK) !== 0) at = writeUint16(bytes, at, packetId);
		if (isVersion5) {
			if (properties < 128) bytes[at++] = properties;
			else at = writeVarint(bytes, at, properties);
			if (expiry >= 0) {
				bytes[at] = bytes[message.propertiesStart];
				at = writeUint32(bytes, at + 1, expiry); // [MQTT-3.3.2-6]
			}
			// [MQTT-3.1.3-10] [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18]
			// [MQTT-3.3.2-20]
			if (propertiesStart !== message.propertiesEnd) {
				bytes.copyWithin(at, propertiesStart, message.propertiesEnd);
				at += message.propertiesEnd - propertiesStart;
			}
			if (identifier !== 0) {
				bytes[at] = SUBSCRIPTION_IDENTIFIER;
				at = writeVarint(bytes, at + 1, identifier); // [MQTT-3.3.4-3]
			}
			if (alias !== 0) {
				bytes[at] = TOPIC_ALIAS;
				at = writeUint16(bytes, at + 1, alias);
			}
			if (timestampLength !== 0) {
				bytes[at] = USER_PROPERTY;
				at = core.timestamp.copyProperty(bytes, at + 1, timestampLength);
			}
		}
		bytes.copyWithin(at, message.payloadStart, message.payloadEnd);
		core.repeatableVersion = alias === 0 && timestampLength === 0 ? connection.version : 0;
		this.#flags = flags;
		this.#identifier = identifier;
		this.#size = size;
		return SENT;
	}

	/** Whether the PUBLISH in the send area can be repeated to this connection. */
	canRepeat(connection: Connection, flags: number, identifier: number): boolean {
		return (
			this.#core.repeatableVersion === connection.version &&
			this.#flags === flags &&
			this.#identifier === identifier &&
			connection.topicAliasMaximum === 0
		);
	}

	/** Sends the PUBLISH in the send area to another client. @returns as publish() */
	repeat(connection: Connection, packetId: number): SendResult {
		const size = this.#size;
		if (size > connection.maximumPacketSize) return TOO_LARGE; // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
		if (size > connection.room - LAST_WORD_ROOM) return NO_ROOM;
		const { memory } = this.#core;
		if (packetId !== 0) {
			const { bytes } = memory;
			writeUint16(bytes, this.#packetIdAt, packetId);
		}
		return this.transmit(connection);
	}
}
