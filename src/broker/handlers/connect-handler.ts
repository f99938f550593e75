import {
	BAD_AUTHENTICATION_METHOD,
	CLIENT_IDENTIFIER_NOT_VALID,
	type FailureCode,
	QUOTA_EXCEEDED,
	RETAIN_NOT_SUPPORTED,
	SUCCESS,
} from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import {
	AUTHENTICATION_METHOD,
	REQUEST_PROBLEM_INFORMATION,
	SESSION_EXPIRY_INTERVAL,
	USER_PROPERTY,
} from "../../mqtt/properties";
import type { PropertyReader } from "../../mqtt/property-reader";
import { utf8 } from "../../mqtt/utf8";
import { ACCEPT_CONNECT, DEFER_CONNECT } from "../../session/broker-phase";
import { readLimits } from "../../session/negotiated";
import { hexDigit } from "../../text/ascii";
import { type AuthResult, PENDING } from "../access/authorizer";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import { NEVER_SECONDS } from "../pool/clock";
import { peerOf, userOfPeer } from "../pool/peer";
import {
	BRIDGE_CLIENT,
	type Connection,
	LAST_WORD_ROOM,
	NO_KEEP_ALIVE,
	NO_REASON_STRING,
	RETAINED_PENDING,
	TOLD,
	WANTS_TIMESTAMP,
} from "../session/connection";
import { nextToGiveWay } from "./admission";
import { encodeConnack } from "./connack";
import { DeferredConnect } from "./deferred-connect";
import { assignSession, knownSession } from "./session-takeover";
import { willSize } from "./wills";

/** Longest client identifier, bytes; at least 23 must be accepted [MQTT-3.1.3-5]. */
const CLIENT_IDENTIFIER_LIMIT = 256;

const ASSIGNED_DIGITS = 12;

/** Result of checking and authenticating a CONNECT, as the reason code of CONNACK. */
export type ConnectResult =
	| AuthResult
	| typeof BAD_AUTHENTICATION_METHOD
	| typeof RETAIN_NOT_SUPPORTED
	| typeof QUOTA_EXCEEDED;

/** CONNECT and CONNACK (§3.1, §3.2). */
export class ConnectHandler {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	/** The CONNECT whose authentication is pending. */
	readonly deferred = new DeferredConnect();
	/** Assigned client identifier: a prefix and random hexadecimal digits. */
	readonly #assignedIdentifier = utf8("auto-000000000000");
	/** Session Present flag of the CONNECT that is being answered. */
	#sessionPresent = false;

	constructor(core: Core, packetWriter: PacketWriter) {
		this.#core = core;
		this.#packetWriter = packetWriter;
	}

	/**
	 * Checks and authenticates a CONNECT, which is in the receive area. @param length of its body, bytes
	 * @returns the result for answer(); PENDING if it arrives later
	 */
	connect(connection: Connection, packet: Packet, length: number): ConnectResult | typeof PENDING {
		const code = this.checkConnect(connection, packet);
		if (code !== PENDING) return code;
		connection.enter(DEFER_CONNECT);
		// restores the full timeout, which evictIdleHandshakes() may have shortened
		connection.keepAliveTimeoutMs = this.#core.settings.connectTimeout;
		this.deferred.hold(this.#core.memory, length);
		wipePassword(packet);
		return code;
	}

	/**
	 * The next session that gives way to the client of a CONNECT, see admission.ts.
	 * @param begun whether another one has given way already
	 */
	nextToGiveWay(connection: Connection, packet: Packet, begun: boolean): number {
		return nextToGiveWay(
			this.#core,
			connection,
			this.peerOf(connection, packet),
			knownSession(this.#core, packet),
			this.bytesFor(packet),
			begun,
		);
	}

	/**
	 * Answers a CONNECT according to its result, after endOldSession() of session-takeover.ts. The
	 * connection is then CONNECTED, or refused and CLOSING. Wipes the password from the memory.
	 */
	answer(connection: Connection, packet: Packet, result: ConnectResult): void {
		try {
			this.completeConnect(connection, packet, result);
		} finally {
			wipePassword(packet);
		}
	}

	private completeConnect(connection: Connection, packet: Packet, result: ConnectResult): void {
		const assign = packet.clientIdStart === packet.clientIdEnd;
		if (result !== SUCCESS) {
			this.refuse(connection, result);
			return;
		}
		const peer = this.peerOf(connection, packet);
		// [MQTT-3.1.2-4] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT-3.1.1:3.1.2-6] [MQTT-3.1.1:3.1.4-3]
		const session = this.openSession(packet, peer, assign);
		if (session === 0) {
			this.refuse(connection, QUOTA_EXCEEDED);
			return;
		}
		const core = this.#core;
		core.authorizer.bindUser(userOfPeer(peer), session);
		core.sessions.setConnection(session, connection.index);
		connection.session = session;
		connection.enter(ACCEPT_CONNECT);
		core.openCount++;
		core.counters.connectsAccepted++;
		if (core.openCount > core.counters.peakClients) core.counters.peakClients = core.openCount;
		this.accept(connection, packet, assign);
	}

	/**
	 * Sends CONNACK with a reason code, if the version has one for it, and closes the connection [MQTT-3.2.2-7]
	 * [MQTT-3.1.1:3.2.2-5].
	 */
	refuse(connection: Connection, reasonCode: FailureCode): void {
		this.#core.counters.connectsRefused++;
		try {
			this.#packetWriter.refuseConnect(connection, reasonCode);
		} catch {
			// MQTT 3.1.1 has no return code for this: the connection is closed without one [MQTT-3.1.1:3.2.2-6]
		}
		// [MQTT-3.1.4-6] [MQTT-4.12.0-4] [MQTT-4.13.2-1] [MQTT-3.1.1:3.1.4-5]
		this.#core.close(connection, TOLD);
	}

	private checkConnect(connection: Connection, packet: Packet): ConnectResult | typeof PENDING {
		const { properties } = packet;
		readLimits(connection, properties);
		if (packet.version === 5) {
			// [MQTT-4.12.0-1] [MQTT-4.12.0-6]
			if (properties.has(AUTHENTICATION_METHOD)) return BAD_AUTHENTICATION_METHOD;
			// [MQTT-3.2.2-13]
			if (packet.hasWill && packet.willRetain && !this.#core.retainAvailable) return RETAIN_NOT_SUPPORTED;
		}
		// [MQTT-3.1.3-8] [MQTT-3.1.1:3.1.3-9]
		if (packet.clientIdEnd - packet.clientIdStart > CLIENT_IDENTIFIER_LIMIT)
			return CLIENT_IDENTIFIER_NOT_VALID;
		return this.#core.authorizer.authenticate(packet, connection.index, connection.network);
	}

	/** The session of the client, new or resumed; 0 if a pool is used up. */
	private openSession(packet: Packet, peer: number, assign: boolean): number {
		const core = this.#core;
		const { sessions } = core;
		let bytes = packet.bytes;
		let start = packet.clientIdStart;
		let end = packet.clientIdEnd;
		let known = 0;
		this.#sessionPresent = false;
		if (assign) {
			bytes = this.#assignedIdentifier;
			start = 0;
			end = bytes.length;
			do this.generateIdentifier();
			while (sessions.find(userOfPeer(peer), bytes, start, end) !== 0); // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
		} else known = knownSession(core, packet); // [MQTT-3.1.3-2] [MQTT-3.1.1:3.1.3-2]
		if (core.openCount >= core.settings.connections) return 0;
		// [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.1:3.1.2-4]
		const session = known === 0 ? sessions.add(peer, bytes, start, end) : known;
		if (session === 0) return 0;
		if (!assignSession(core, session, peer, packet)) {
			if (known === 0) sessions.remove(session);
			return 0;
		}
		this.#sessionPresent = known !== 0;
		return session;
	}

	/** The peer that sent a CONNECT. */
	private peerOf(connection: Connection, packet: Packet): number {
		return peerOf(this.#core.authorizer.userOf(packet), connection.network);
	}

	/** Bytes that a session takes for the client identifier and the will. */
	private bytesFor(packet: Packet): number {
		const identifier = packet.clientIdEnd - packet.clientIdStart || this.#assignedIdentifier.length;
		return identifier + willSize(this.#core, packet);
	}

	private accept(connection: Connection, packet: Packet, assigned: boolean): void {
		const core = this.#core;
		const { settings, sessions, aliases } = core;
		const { session } = connection;
		const limit = settings.keepAliveLimit;
		let keepAlive = packet.keepAlive;
		let clientFlags = keepAlive === 0 && (connection.version === 4 || limit === 0) ? NO_KEEP_ALIVE : 0;
		if (this.#sessionPresent) {
			clientFlags |= RETAINED_PENDING;
			core.retainedRequestedAtMs = core.clock.nowMs;
		}
		if (packet.isBridge) clientFlags |= BRIDGE_CLIENT;
		connection.clientFlags = clientFlags;
		connection.receiveMaximum = Math.min(connection.receiveMaximum, settings.inFlight); // [MQTT-4.9.0-1]
		connection.topicAliasMaximum = Math.min(connection.topicAliasMaximum, aliases.limit);
		// Almost nothing was written so far: a packet that does not fit now would never fit
		connection.maximumPacketSize = Math.min(connection.maximumPacketSize, connection.room - LAST_WORD_ROOM);
		sessions.setEndsAt(session, NEVER_SECONDS);
		if (connection.version === 4) {
			// A client that asks for none cannot be told of a limit (§3.1.2.10): it is never closed for silence
			// [MQTT-3.1.1:3.1.2-5] [MQTT-3.1.1:4.1.0-1]
			sessions.setExpiry(session, packet.cleanStart ? 0 : settings.sessionExpiryLimit);
			// [MQTT-3.1.1:3.2.2-1] [MQTT-3.1.1:3.2.2-2] [MQTT-3.1.1:3.2.2-3]
			this.#packetWriter.encoderFor(connection).connack(this.#sessionPresent, SUCCESS);
		} else {
			if (limit !== 0 && (keepAlive === 0 || keepAlive > limit)) keepAlive = limit;
			this.applyConnectProperties(connection, packet.properties);
			const identifier = assigned ? this.#assignedIdentifier : undefined;
			if (
				!encodeConnack(
					this.#core,
					this.#packetWriter,
					connection,
					packet,
					identifier,
					this.#sessionPresent,
					keepAlive,
				)
			) {
				// DISCONNECT must not be sent without CONNACK [MQTT-3.14.0-1], and a client that does not receive the
				// broker's limits cannot observe them
				this.#core.counters.connectsRefused++;
				sessions.dropWill(session);
				this.#core.close(connection, SUCCESS);
				return;
			}
		}
		connection.keepAliveTimeoutMs = keepAlive * 1500; // [MQTT-3.1.2-22] [MQTT-3.1.1:3.1.2-24] [MQTT-3.2.2-22]
		// [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.1.1:3.1.4-4] [MQTT-3.1.1:3.2.0-1]
		this.#packetWriter.flush(connection);
	}

	/** Applies the CONNECT properties of an MQTT 5.0 client (§3.1.2.11) that are no limits. */
	private applyConnectProperties(connection: Connection, properties: PropertyReader): void {
		const { settings, sessions, timestamp } = this.#core;
		let expiry = 0;
		properties.rewind();
		while (properties.next()) {
			switch (properties.id) {
				case SESSION_EXPIRY_INTERVAL:
					expiry = Math.min(properties.number, settings.sessionExpiryLimit);
					break;
				case REQUEST_PROBLEM_INFORMATION:
					if (properties.number === 0) connection.clientFlags |= NO_REASON_STRING;
					break;
				case USER_PROPERTY:
					if (timestamp.isPropertyName(properties.bytes, properties.nameStart, properties.nameEnd))
						connection.clientFlags |= WANTS_TIMESTAMP;
			}
		}
		sessions.setExpiry(connection.session, expiry);
	}

	private generateIdentifier(): void {
		const bytes = this.#assignedIdentifier;
		const end = bytes.length;
		for (let i = end - ASSIGNED_DIGITS; i < end; i++) {
			const digit = Math.floor(Math.random() * 16);
			bytes[i] = hexDigit(digit);
		}
	}
}

function wipePassword(packet: Packet): void {
	if (packet.hasPassword) packet.bytes.fill(0, packet.passwordStart, packet.passwordEnd);
}
