import {
	AUTHENTICATION_METHOD,
	BAD_AUTHENTICATION_METHOD,
	CLIENT_IDENTIFIER_NOT_VALID,
	MAXIMUM_PACKET_SIZE,
	NOT_AUTHORIZED,
	QUOTA_EXCEEDED,
	RECEIVE_MAXIMUM,
	REQUEST_PROBLEM_INFORMATION,
	REQUEST_RESPONSE_INFORMATION,
	RETAIN_NOT_SUPPORTED,
	SESSION_EXPIRY_INTERVAL,
	SESSION_TAKEN_OVER,
	SUCCESS,
	TOPIC_ALIAS_MAXIMUM,
	USER_PROPERTY,
	WILL_DELAY_INTERVAL,
} from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import type { PropertyReader } from "../mqtt/property-reader";
import { hasWildcard } from "../mqtt/topics";
import { utf8 } from "../mqtt/utf8";
import { HeldPacket } from "./access/held-packet";
import { PENDING } from "./authority";
import { NEVER } from "./clock";
import { type Connection, LENIENT, OPEN, QUIET, TIMED, UNFILLED } from "./connection";
import type { Core } from "./core";
import type { Farewell } from "./farewell";
import { settleProperties } from "./properties";
import type { Sender } from "./sender";

/** Longest client identifier, bytes; at least 23 must be taken [MQTT-3.1.3-5]. */
const CLIENT_IDENTIFIER_LIMIT = 256;

const DIGITS = 12;
/** Longest client identifier that is put into a topic for answers, bytes. */
const RESPONSE_LIMIT = 40;

/** CONNECT and CONNACK (§3.1, §3.2). */
export class Handshake {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #farewell: Farewell;
	/** The CONNECT that is being judged. */
	readonly held = new HeldPacket();
	/** An assigned client identifier: a prefix, and hexadecimal digits that are filled in. */
	readonly #assigned = utf8("auto-000000000000");
	/** Whether the session in work was there before. */
	#present = false;

	constructor(core: Core, sender: Sender, farewell: Farewell) {
		this.#core = core;
		this.#sender = sender;
		this.#farewell = farewell;
	}

	/** Takes a CONNECT, which lies in [start, end) of the packet's bytes. @returns the verdict on it, for clear() and answer(); PENDING where that takes time */
	connect(connection: Connection, packet: Packet, start: number, end: number): number {
		const code = this.refusal(connection, packet);
		connection.pending = code === PENDING;
		if (code !== PENDING) return code;
		connection.silence = this.#core.settings.connectTimeout; // all of it again, however much it was hurried
		this.held.keep(packet.bytes, start, end);
		wipePassword(packet);
		return code;
	}

	/**
	 * Ends what is in the way of a CONNECT that is let in: the client's old connection, and its session where it wants a new one. Before answer(), and apart from
	 * it, as either takes much of the stack. @returns whether there was anything
	 */
	clear(packet: Packet, verdict: number): boolean {
		const core = this.#core;
		const { sessions } = core;
		if (verdict !== SUCCESS || packet.clientIdStart === packet.clientIdEnd) return false;
		let known = sessions.find(packet.bytes, packet.clientIdStart, packet.clientIdEnd);
		if (known === 0 || !core.authority.owns(packet, known)) return false;
		const old = core.connectionOf(known);
		if (old !== undefined) {
			core.counters.takeovers++;
			core.close(old, SESSION_TAKEN_OVER); // [MQTT-3.1.4-3] [MQTT-3.1.1:3.1.4-2]
			this.#farewell.end(old);
			known = sessions.find(packet.bytes, packet.clientIdStart, packet.clientIdEnd);
		}
		const ends = known !== 0 && packet.cleanStart && core.open < core.settings.connections;
		if (ends) this.#farewell.finish(known); // [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.1.1:3.1.2-6]
		return ends || old !== undefined;
	}

	/** Answers a CONNECT by the verdict on it, once clear() was called: the connection is open, or refused and about to be closed. The password is gone from the memory afterwards. */
	answer(connection: Connection, packet: Packet, verdict: number): void {
		try {
			this.obey(connection, packet, verdict);
		} finally {
			wipePassword(packet);
		}
	}

	private obey(connection: Connection, packet: Packet, verdict: number): void {
		const assign = packet.clientIdStart === packet.clientIdEnd;
		const known = assign ? 0 : this.#core.sessions.find(packet.bytes, packet.clientIdStart, packet.clientIdEnd);
		const code = verdict === SUCCESS && known !== 0 && !this.#core.authority.owns(packet, known) ? NOT_AUTHORIZED : verdict;
		if (code !== SUCCESS) {
			this.refuse(connection, code);
			return;
		}
		const session = this.session(packet, assign); // [MQTT-3.1.2-4] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT-3.1.1:3.1.2-6] [MQTT-3.1.1:3.1.4-3]
		if (session === 0) {
			this.refuse(connection, QUOTA_EXCEEDED);
			return;
		}
		const core = this.#core;
		core.authority.open(packet, session);
		core.sessions.setConnection(session, connection.index);
		connection.session = session;
		connection.state = OPEN;
		core.open++;
		core.counters.opened++;
		if (core.open > core.counters.mostOpen) core.counters.mostOpen = core.open;
		this.accept(connection, packet, assign);
	}

	/** Sends CONNACK with a reason code, if the version has one for it, and lets the connection end [MQTT-3.2.2-7] [MQTT-3.1.1:3.2.2-5]. */
	refuse(connection: Connection, reasonCode: number): void {
		this.#core.counters.refused++;
		try {
			this.#sender.refuse(connection, reasonCode);
		} catch {
			// MQTT 3.1.1 knows no return code for this: the connection is closed without one [MQTT-3.1.1:3.2.2-6]
		}
		this.#core.close(connection, SUCCESS); // [MQTT-3.1.4-6] [MQTT-4.12.0-4] [MQTT-4.13.2-1] [MQTT-3.1.1:3.1.4-5]
	}

	private refusal(connection: Connection, packet: Packet): number {
		if (packet.version === 5) {
			const told = packet.properties;
			if (told.find(MAXIMUM_PACKET_SIZE)) connection.maximumPacket = told.number;
			if (told.has(AUTHENTICATION_METHOD)) return BAD_AUTHENTICATION_METHOD; // [MQTT-4.12.0-1] [MQTT-4.12.0-6]
			if (packet.hasWill && packet.willRetain && !this.#core.retains) return RETAIN_NOT_SUPPORTED; // [MQTT-3.2.2-13]
		}
		if (packet.clientIdEnd - packet.clientIdStart > CLIENT_IDENTIFIER_LIMIT) return CLIENT_IDENTIFIER_NOT_VALID; // [MQTT-3.1.3-8] [MQTT-3.1.1:3.1.3-9]
		return this.#core.authority.connect(packet, connection.index, connection.address);
	}

	/** The session for the client, new or kept; 0 when a pool is used up. */
	private session(packet: Packet, assign: boolean): number {
		const core = this.#core;
		const { sessions } = core;
		let bytes = packet.bytes;
		let start = packet.clientIdStart;
		let end = packet.clientIdEnd;
		let known = 0;
		this.#present = false;
		if (assign) {
			bytes = this.#assigned;
			start = 0;
			end = bytes.length;
			do this.invent();
			while (sessions.find(bytes, start, end) !== 0); // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
		} else known = sessions.find(bytes, start, end); // [MQTT-3.1.3-2] [MQTT-3.1.1:3.1.3-2]
		if (core.open >= core.settings.connections) return 0;
		const session = known === 0 ? sessions.add(bytes, start, end) : known; // [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.1:3.1.2-4]
		if (session === 0) return 0;
		sessions.dropWill(session); // one that waits for its delay is not published when the session goes on [MQTT-3.1.3-9]
		if (packet.hasWill && !this.keepWill(session, packet)) {
			if (known === 0) sessions.remove(session);
			return 0;
		}
		this.#present = known !== 0;
		return session;
	}

	/** Stores the will [MQTT-3.1.2-7]; false when there is no room. */
	private keepWill(session: number, packet: Packet): boolean {
		const { sessions, will } = this.#core;
		const properties = packet.willProperties;
		sessions.setWillDelay(session, properties.find(WILL_DELAY_INTERVAL) ? properties.number : 0);
		will.bytes = packet.bytes;
		will.topicStart = packet.willTopicStart;
		will.topicEnd = packet.willTopicEnd;
		will.propertiesStart = properties.from;
		will.propertiesEnd = properties.to;
		will.payloadStart = packet.willPayloadStart;
		will.payloadEnd = packet.willPayloadEnd;
		will.qos = packet.willQoS;
		will.retain = packet.willRetain; // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.1:3.1.2-16] [MQTT-3.1.1:3.1.2-17]
		settleProperties(will, properties);
		const record = sessions.wills.add(will);
		sessions.setWill(session, record);
		return record !== 0;
	}

	private accept(connection: Connection, packet: Packet, assigned: boolean): void {
		const { settings, sessions } = this.#core;
		const { session } = connection;
		const limit = settings.keepAliveLimit;
		let keepAlive = packet.keepAlive;
		let traits = keepAlive === 0 ? LENIENT : 0;
		if (this.#present) traits |= UNFILLED;
		connection.traits = traits;
		connection.window = settings.inFlight;
		// Hardly anything was written so far: what has no room now would wait for ever
		connection.maximumPacket = Math.min(connection.maximumPacket, connection.room);
		connection.aliases = 0;
		sessions.setEndsAt(session, NEVER);
		if (connection.version === 4) {
			if (keepAlive === 0) keepAlive = limit;
			sessions.setExpiry(session, packet.cleanStart ? 0 : settings.sessionExpiryLimit); // [MQTT-3.1.1:3.1.2-5] [MQTT-3.1.1:4.1.0-1]
			this.#sender.to(connection).connack(this.#present, SUCCESS); // [MQTT-3.1.1:3.2.2-1] [MQTT-3.1.1:3.2.2-2] [MQTT-3.1.1:3.2.2-3]
		} else {
			if (limit !== 0 && (keepAlive === 0 || keepAlive > limit)) keepAlive = limit;
			this.told(connection, packet.properties);
			if (!this.connack(connection, packet, assigned, keepAlive)) {
				// Without CONNACK there can be no DISCONNECT either, and what the client may not be told it cannot keep to [MQTT-3.14.0-1]
				this.#core.counters.refused++;
				sessions.dropWill(session);
				this.#core.close(connection, SUCCESS);
				return;
			}
		}
		connection.silence = keepAlive * 1500; // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24] [MQTT-3.2.2-22]
		this.#sender.flush(connection); // [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.1.1:3.1.4-4] [MQTT-3.1.1:3.2.0-1]
	}

	/** Takes what an MQTT 5.0 client says of itself (§3.1.2.11). */
	private told(connection: Connection, told: PropertyReader): void {
		const { settings, sessions, aliases, stamp } = this.#core;
		let expiry = 0;
		told.rewind();
		while (told.next()) {
			switch (told.id) {
				case SESSION_EXPIRY_INTERVAL:
					expiry = Math.min(told.number, settings.sessionExpiryLimit);
					break;
				case RECEIVE_MAXIMUM:
					connection.window = Math.min(told.number, settings.inFlight); // [MQTT-4.9.0-1]
					break;
				case TOPIC_ALIAS_MAXIMUM:
					connection.aliases = Math.min(told.number, aliases.limit);
					break;
				case REQUEST_PROBLEM_INFORMATION:
					if (told.number === 0) connection.traits |= QUIET;
					break;
				case USER_PROPERTY:
					if (stamp.named(told.bytes, told.nameStart, told.nameEnd)) connection.traits |= TIMED;
			}
		}
		sessions.setExpiry(connection.session, expiry);
	}

	/**
	 * Encodes the CONNACK of a success. What the client can do without is left out where its maximum packet size is small.
	 * @returns false when that is too small all the same
	 */
	private connack(connection: Connection, packet: Packet, assigned: boolean, keepAlive: number): boolean {
		const { settings, sessions, queues, aliases } = this.#core;
		const { session } = connection;
		const told = packet.properties;
		const properties = this.#sender.properties.reset().receiveMaximum(settings.receiveMaximum).maximumPacketSize(settings.packetSize);
		if (!this.#core.retains) properties.retainAvailable(false); // [MQTT-3.2.2-13]
		if (told.find(SESSION_EXPIRY_INTERVAL) && told.number !== sessions.expiry(session)) properties.sessionExpiryInterval(sessions.expiry(session));
		if (assigned) properties.assignedClientIdentifier(this.#assigned); // [MQTT-3.2.2-16]
		if (keepAlive !== packet.keepAlive) properties.serverKeepAlive(keepAlive); // [MQTT-3.2.2-21]
		const room = connection.maximumPacket - 6; // fixed header, flags, code, property length
		if (properties.length + 3 <= room && aliases.grant(connection.index) !== 0) properties.topicAliasMaximum(aliases.granted(connection.index));
		const needed = properties.length;
		if (told.find(REQUEST_RESPONSE_INFORMATION) && told.number === 1) {
			const information = this.responseInformation(session); // [MQTT-3.1.2-28]
			if (needed + 3 + information.length <= room) properties.responseInformation(information);
		}
		if (this.#present) {
			const name = utf8("firefly-queued");
			const count = utf8(String(queues.waiting(session)));
			if (properties.length + 5 + name.length + count.length <= room) properties.userProperty(name, count); // [MQTT-3.2.2-20]
		}
		return this.#sender.to(connection).connack(this.#present, SUCCESS, properties) <= connection.maximumPacket; // [MQTT-3.1.2-24] [MQTT-3.2.2-2] [MQTT-3.2.2-3]
	}

	/** A topic for answers to this client: `response/` and its identifier, where that can be a topic. */
	private responseInformation(session: number): Uint8Array {
		const { sessions, memory } = this.#core;
		const { bytes } = memory;
		const start = sessions.identifierStart(session);
		const end = sessions.identifierEnd(session);
		const prefix = utf8("response/");
		if (end - start > RESPONSE_LIMIT || hasWildcard(bytes, start, end)) return prefix.slice(0, 8);
		const topic = new Uint8Array(prefix.length + end - start);
		topic.set(prefix);
		topic.set(bytes.slice(start, end), prefix.length);
		return topic;
	}

	private invent(): void {
		const bytes = this.#assigned;
		const end = bytes.length;
		for (let i = end - DIGITS; i < end; i++) {
			const digit = Math.floor(Math.random() * 16);
			bytes[i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
		}
	}
}

function wipePassword(packet: Packet): void {
	if (packet.hasPassword) packet.bytes.fill(0, packet.passwordStart, packet.passwordEnd);
}
