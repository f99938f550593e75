import {
	CONNECT,
	DISCONNECT,
	type FailureCode,
	PACKET_IDENTIFIER_NOT_FOUND,
	PINGREQ,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	QUOTA_EXCEEDED,
	SUBSCRIBE,
	SUCCESS,
	UNSUBSCRIBE,
} from "../../mqtt/constants";
import { decodeShortAcknowledgement } from "../../mqtt/decode/acknowledgement";
import { decodeBody } from "../../mqtt/decode/body";
import { checkFirstByte } from "../../mqtt/decode/fixed-header";
import { decodePublish } from "../../mqtt/decode/publish";
import { Packet } from "../../mqtt/packet";
import { SESSION_EXPIRY_INTERVAL } from "../../mqtt/properties";
import { packetSize } from "../../mqtt/varint";
import { isBeforeConnack } from "../../session/broker-phase";
import {
	COMPLETE,
	deliveryPacket,
	PROTOCOL_VIOLATION,
	SEND_PUBREL,
	SEND_PUBREL_NOT_FOUND,
} from "../../session/delivery";
import { type AuthResult, PENDING } from "../access/authorizer";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import { acknowledge } from "../session/acknowledgement";
import type { Connection } from "../session/connection";
import { NO_ROOM, ROOM } from "./admission";
import type { ConnectHandler, ConnectResult } from "./connect-handler";
import { nextToGiveFilters } from "./filter-room";
import type { PublishHandler } from "./publish-handler";
import type { SessionEnd } from "./session-end";
import { endOldSession } from "./session-takeover";
import type { SubscribeHandler } from "./subscribe-handler";

/** Decodes each packet in place and passes it to its handler. */
export class Dispatcher {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #connectHandler: ConnectHandler;
	readonly #publishHandler: PublishHandler;
	readonly #subscribeHandler: SubscribeHandler;
	readonly #packet: Packet;
	/** Result of a CONNECT that is not answered yet; PENDING if there is none. */
	#connectResult: ConnectResult | typeof PENDING = PENDING;

	constructor(
		core: Core,
		packetWriter: PacketWriter,
		connectHandler: ConnectHandler,
		publishHandler: PublishHandler,
		subscribeHandler: SubscribeHandler,
	) {
		this.#core = core;
		this.#packet = new Packet(true, core.memory.bytes);
		this.#packet.words = core.memory.words;
		this.#packetWriter = packetWriter;
		this.#connectHandler = connectHandler;
		this.#publishHandler = publishHandler;
		this.#subscribeHandler = subscribeHandler;
	}

	/**
	 * Decodes one whole packet, see PacketHandler. handle() is a separate call after it, which saves stack.
	 * @returns false if the packet was rejected
	 */
	decode(connection: Connection, length: number): boolean {
		const core = this.#core;
		const packet = this.#packet;
		const bytes = packet.bytes;
		const start = core.memory.receiveStart;
		const end = start + length;
		const first = connection.firstByte;
		const type = first >> 4;
		this.#connectResult = PENDING; // in case an exception prevented the last answer
		connection.lastReceivedAt = core.clock.nowMs;
		core.counters.bytesIn += packetSize(length);
		packet.version = connection.version;
		packet.type = type;
		packet.flags = first & 15;
		if (length === 2 && decodeShortAcknowledgement(packet, first, bytes, start)) return true;
		let fault = checkFirstByte(packet, first, true, connection.version);
		if (fault === 0)
			fault =
				type === PUBLISH
					? decodePublish(packet, bytes, start, end, true)
					: decodeBody(packet, bytes, start, end, true);
		if (fault === 0) return true;
		this.rejectMalformed(connection, packet, fault);
		if (type === CONNECT) bytes.fill(0, start, end); // it may hold a password
		return false;
	}

	/** Handles the decoded packet. @returns whether queued messages may now be sent on its connection */
	handle(connection: Connection, length: number): boolean {
		// Tail calls, which use no stack on XS
		const packet = this.#packet;
		switch (packet.type) {
			case PUBLISH:
				return this.#publishHandler.publish(connection, packet, length);
			case SUBSCRIBE:
				return this.#subscribeHandler.subscribe(connection, packet);
			case CONNECT:
				return this.handleConnect(connection, packet, length);
			default:
				return this.handleOther(connection, packet);
		}
	}

	/** Restores a deferred CONNECT whose authentication has finished. */
	onAuthResult(connection: Connection, result: AuthResult): void {
		const { memory } = this.#core;
		const packet = this.#packet;
		const end = this.#connectHandler.deferred.restore(memory);
		packet.version = connection.version;
		packet.type = CONNECT;
		packet.flags = 0;
		decodeBody(packet, memory.bytes, memory.receiveStart, end, true);
		this.#connectResult = result;
	}

	/**
	 * Whether a CONNECT was authenticated or refused: nextToGiveWay(), endOldSession() and answerConnect()
	 * follow.
	 */
	get connectReady(): boolean {
		return this.#connectResult !== PENDING;
	}

	/**
	 * The next session that gives way to the client of an accepted CONNECT, see admission.ts, or to its
	 * SUBSCRIBE; ROOM if there is room, or nobody gives way. Called before anything else is done for the
	 * packet, so that a client that is refused for lack of room loses neither its old connection nor its old
	 * session.
	 * @param begun whether another session has given way already
	 */
	nextToGiveWay(connection: Connection, begun: boolean): number {
		if (this.#packet.type === SUBSCRIBE)
			return nextToGiveFilters(this.#core, connection.session, this.#packet);
		if (this.#connectResult !== SUCCESS) return 0;
		const session = this.#connectHandler.nextToGiveWay(connection, this.#packet, begun);
		if (session !== NO_ROOM) return session;
		this.#connectResult = QUOTA_EXCEEDED;
		return ROOM;
	}

	/** Ends the connection and session that an accepted CONNECT replaces. @returns whether either was ended */
	endOldSession(sessionEnd: SessionEnd): boolean {
		if (this.#connectResult !== SUCCESS) return false;
		return endOldSession(this.#core, sessionEnd, this.#packet);
	}

	/** Answers the CONNECT. @returns whether queued messages may now be sent on its connection */
	answerConnect(connection: Connection): boolean {
		const result = this.#connectResult as ConnectResult;
		this.#connectResult = PENDING;
		this.#connectHandler.answer(connection, this.#packet, result);
		return connection.session !== 0;
	}

	/** Wipes a deferred CONNECT whose connection is closed. */
	discardPendingConnect(): void {
		this.#connectHandler.deferred.wipe();
	}

	private handleConnect(connection: Connection, packet: Packet, length: number): boolean {
		connection.version = packet.version;
		this.#connectResult = this.#connectHandler.connect(connection, packet, length);
		return false;
	}

	private handleOther(connection: Connection, packet: Packet): boolean {
		switch (packet.type) {
			case PUBACK: // [MQTT-4.3.2-3]
			case PUBREC: // [MQTT-4.3.3-3]
			case PUBCOMP: // [MQTT-4.3.3-5]
				return this.handleAcknowledgement(connection, packet); // [MQTT-4.4.0-2] [MQTT-4.8.2-6]
			case PUBREL:
				this.#publishHandler.release(connection, packet.packetId);
				return false;
			case UNSUBSCRIBE:
				this.#subscribeHandler.unsubscribe(connection, packet);
				return false;
			case PINGREQ:
				this.#packetWriter.encoderFor(connection).pingresp(); // [MQTT-3.12.4-1]
				this.#packetWriter.flush(connection);
				return false;
			case DISCONNECT:
				this.handleDisconnect(connection, packet);
				return false;
			default: // the table of phases has refused all others
				return false;
		}
	}

	/**
	 * PUBACK, PUBREC or PUBCOMP, by the table of deliveries. One of the wrong type closes the connection: the
	 * two ends disagree on the QoS, and waiting would never end.
	 * @returns whether a message was completed, so that another may be sent
	 */
	private handleAcknowledgement(connection: Connection, packet: Packet): boolean {
		const packetId = packet.packetId;
		const action = acknowledge(
			this.#core.queues,
			connection.session,
			packetId,
			deliveryPacket(packet.type, packet.reasonCode),
		);
		switch (action) {
			case SEND_PUBREL:
				this.#packetWriter.acknowledge(connection, PUBREL, packetId, SUCCESS); // [MQTT-4.3.3-4]
				return false;
			case SEND_PUBREL_NOT_FOUND: {
				const code = connection.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND;
				this.#packetWriter.acknowledge(connection, PUBREL, packetId, code);
				return false;
			}
			case PROTOCOL_VIOLATION:
				this.#core.close(connection, PROTOCOL_ERROR); // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
				return false;
			default:
				return action === COMPLETE;
		}
	}

	/**
	 * DISCONNECT: the will is published only if the reason code is not 0, and the client may change its session
	 * expiry interval.
	 */
	private handleDisconnect(connection: Connection, packet: Packet): void {
		const core = this.#core;
		const { sessions } = core;
		const { session } = connection;
		const properties = packet.properties;
		if (connection.version === 5 && properties.find(SESSION_EXPIRY_INTERVAL)) {
			if (sessions.expirySeconds(session) === 0 && properties.number !== 0) {
				core.close(connection, PROTOCOL_ERROR); // §3.14.2.2.2
				return;
			}
			sessions.setExpiry(session, Math.min(properties.number, core.settings.sessionExpiryLimit));
		}
		// [MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-3.1.2-10]
		if (packet.reasonCode === SUCCESS) sessions.dropWill(session);
		core.close(connection, SUCCESS); // [MQTT-3.14.4-1]
	}

	/** Closes a connection that sent a malformed packet. */
	private rejectMalformed(connection: Connection, packet: Packet, reasonCode: FailureCode): void {
		this.#core.counters.peerFaults++;
		if (isBeforeConnack(connection.phase)) {
			connection.version = packet.version;
			this.#connectHandler.refuse(connection, reasonCode); // [MQTT-3.1.2-2] [MQTT-3.1.4-2] [MQTT-3.1.4-1]
		} else this.#core.close(connection, reasonCode); // [MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT-3.1.1:4.8.0-1]
	}
}
