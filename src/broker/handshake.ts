import {
	AUTHENTICATION_METHOD,
	BAD_AUTHENTICATION_METHOD,
	CLIENT_IDENTIFIER_NOT_VALID,
	MAXIMUM_PACKET_SIZE,
	QOS_NOT_SUPPORTED,
	QUOTA_EXCEEDED,
	RECEIVE_MAXIMUM,
	SESSION_EXPIRY_INTERVAL,
	SESSION_TAKEN_OVER,
	SUCCESS,
} from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import { utf8 } from "../mqtt/utf8";
import { type Connection, OPEN } from "./connection";
import type { Core } from "./core";
import type { Farewell } from "./farewell";
import { type Sender, UNLIMITED_PACKET } from "./sender";

/** Longest client identifier, bytes; at least 23 must be taken [MQTT-3.1.3-5]. */
export const CLIENT_IDENTIFIER_LIMIT = 256;

const DIGITS = 12;

/** CONNECT and CONNACK (§3.1, §3.2). */
export class Handshake {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #farewell: Farewell;
	/** An assigned client identifier: a prefix, and hexadecimal digits that are filled in. */
	readonly #assigned = utf8("auto-000000000000");

	constructor(core: Core, sender: Sender, farewell: Farewell) {
		this.#core = core;
		this.#sender = sender;
		this.#farewell = farewell;
	}

	/** Answers a CONNECT: the connection is open, or refused and about to be closed. */
	connect(connection: Connection, packet: Packet): void {
		const code = this.#refusal(packet);
		if (code !== SUCCESS) {
			this.refuse(connection, code);
			return;
		}
		const assign = packet.clientIdStart === packet.clientIdEnd;
		const session = this.#session(packet, assign);
		if (session === 0) {
			this.refuse(connection, QUOTA_EXCEEDED);
			return;
		}
		const core = this.#core;
		core.sessions.connection[session] = connection.index;
		connection.session = session;
		connection.state = OPEN;
		core.open++;
		core.counters.opened++;
		this.#accept(connection, packet, assign);
	}

	/** Sends CONNACK with a reason code, if the version has one for it, and lets the connection end [MQTT-3.2.2-7] [MQTT-3.1.1:3.2.2-5]. */
	refuse(connection: Connection, reasonCode: number): void {
		this.#core.counters.refused++;
		const encoder = this.#sender.to(connection);
		try {
			encoder.connack(false, reasonCode); // [MQTT-3.2.2-6] [MQTT-3.1.1:3.2.2-4]
			this.#sender.flush(connection);
		} catch {
			// MQTT 3.1.1 knows no return code for this: the connection is closed without one [MQTT-3.1.1:3.2.2-6]
		}
		this.#core.close(connection, SUCCESS);
	}

	#refusal(packet: Packet): number {
		if (packet.properties.has(AUTHENTICATION_METHOD)) return BAD_AUTHENTICATION_METHOD; // [MQTT-4.12.0-1]
		if (packet.clientIdEnd - packet.clientIdStart > CLIENT_IDENTIFIER_LIMIT) return CLIENT_IDENTIFIER_NOT_VALID; // [MQTT-3.1.3-8]
		if (packet.version === 5 && packet.hasWill && packet.willQoS > 1) return QOS_NOT_SUPPORTED; // [MQTT-3.2.2-12]
		return this.#core.authority.connect(packet);
	}

	/** A fresh session for the client, whose old connection ends; 0 when a pool is used up. */
	#session(packet: Packet, assign: boolean): number {
		const core = this.#core;
		const { sessions } = core;
		let bytes = packet.bytes;
		let start = packet.clientIdStart;
		let end = packet.clientIdEnd;
		if (assign) {
			bytes = this.#assigned;
			start = 0;
			end = bytes.length;
			do this.#invent();
			while (sessions.find(bytes, start, end) !== 0); // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
		} else {
			const known = sessions.find(bytes, start, end);
			const old = core.connectionOf(known);
			if (old !== undefined) {
				core.counters.takeovers++;
				core.close(old, SESSION_TAKEN_OVER); // [MQTT-3.1.4-3] [MQTT-3.1.1:3.1.4-2]
				this.#farewell.end(old);
			}
		}
		if (core.open >= core.settings.connections) return 0;
		const session = sessions.add(bytes, start, end);
		if (session !== 0 && packet.hasWill && !this.#keepWill(session, packet)) {
			sessions.remove(session);
			return 0;
		}
		return session;
	}

	/** Stores the will [MQTT-3.1.2-7]; false when there is no room. */
	#keepWill(session: number, packet: Packet): boolean {
		const { sessions, will } = this.#core;
		const properties = packet.willProperties;
		will.bytes = packet.bytes;
		will.topicStart = packet.willTopicStart;
		will.topicEnd = packet.willTopicEnd;
		will.propertiesStart = properties.from;
		will.propertiesEnd = properties.to;
		will.payloadStart = packet.willPayloadStart;
		will.payloadEnd = packet.willPayloadEnd;
		will.qos = packet.willQoS === 0 ? 0 : 1;
		will.retain = packet.willRetain; // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.1:3.1.2-16] [MQTT-3.1.1:3.1.2-17]
		const record = sessions.wills.add(will);
		sessions.will[session] = record;
		return record !== 0;
	}

	#accept(connection: Connection, packet: Packet, assigned: boolean): void {
		const { settings } = this.#core;
		const told = packet.properties;
		const limit = settings.keepAliveLimit;
		let keepAlive = packet.keepAlive;
		connection.lenient = keepAlive === 0;
		connection.maximumPacket = told.find(MAXIMUM_PACKET_SIZE) ? told.number : UNLIMITED_PACKET;
		const receiveMaximum = told.find(RECEIVE_MAXIMUM) ? told.number : 0xffff;
		connection.window = Math.min(receiveMaximum, settings.inFlight);
		const encoder = this.#sender.to(connection);
		if (connection.version === 4) {
			if (keepAlive === 0) keepAlive = limit;
			encoder.connack(false, SUCCESS);
		} else {
			const properties = this.#sender.properties.reset().maximumQoS(1).maximumPacketSize(settings.packetSize).sharedSubscriptionAvailable(false);
			if (told.find(SESSION_EXPIRY_INTERVAL) && told.number !== 0) properties.sessionExpiryInterval(0);
			if (assigned) properties.assignedClientIdentifier(this.#assigned); // [MQTT-3.2.2-16]
			if (limit !== 0 && (keepAlive === 0 || keepAlive > limit)) {
				keepAlive = limit;
				properties.serverKeepAlive(limit); // [MQTT-3.2.2-21]
			}
			encoder.connack(false, SUCCESS, properties);
		}
		connection.silence = keepAlive * 1500; // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24]
		this.#sender.flush(connection);
	}

	#invent(): void {
		const bytes = this.#assigned;
		const end = bytes.length;
		for (let i = end - DIGITS; i < end; i++) {
			const digit = Math.floor(Math.random() * 16);
			bytes[i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
		}
	}
}
