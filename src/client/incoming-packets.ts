import {
	AUTH,
	CONNACK,
	DISCONNECT,
	type FailureCode,
	IMPLEMENTATION_SPECIFIC_ERROR,
	PINGRESP,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREL,
	SUBACK,
	SUCCESS,
	UNSUBACK,
} from "../mqtt/constants";
import { Decoder, type DecoderHandler } from "../mqtt/decoder";
import type { Packet } from "../mqtt/packet";
import {
	CLOSED,
	type ClientPhase,
	CONNECTED,
	clientEvent,
	clientPhaseAfter,
	isBeforeConnack,
	isReading,
} from "../session/client-phase";
import { COMPLETE, PROTOCOL_VIOLATION, SEND_PUBREL } from "../session/delivery";
import { IGNORED, VIOLATION } from "../session/phase";
import { receiveAuth } from "./authentication";
import { type ClientConnection, SEND_RESERVE } from "./client-connection";
import { announcedLimits } from "./connect-fields";
import { CONNECT_DEADLINE } from "./deadlines";
import { ClientError, refusalError, violationError } from "./errors";
import { Inbound } from "./inbound";
import type { ClientHandler, ClientOptions } from "./options";
import { answersEach } from "./requests";

/**
 * Maximum size of the answer to a received packet, in bytes. Such a packet has at least 4 bytes and may end
 * at the first byte read, so the answers to n bytes read take at most 5 + 5 / 4 n bytes.
 */
const MAXIMUM_ANSWER_SIZE = 5;

/** Size of the smallest CONNACK, in bytes: reading it never reads a packet behind it that needs an answer. */
const CONNACK_SIZE = 4;

/** Reads the broker's packets, and does what each asks for, if it may arrive in the connection's phase. */
export class IncomingPackets implements DecoderHandler {
	// Not #, and tail calls below, whose methods return nothing in spite of their type: XS drops their frames,
	// so that the callbacks find most of the stack unused.
	private readonly connection: ClientConnection;
	private readonly options: ClientOptions;
	private readonly handler: ClientHandler;
	/** Made for the first message, as most nodes never get one. */
	declare private receiver?: Inbound;
	private readonly decoder: Decoder;
	/** Bytes at the end of the transport's chunk that were read and not decoded, after a pause. */
	declare private heldBytes: number | undefined;

	constructor(options: ClientOptions, handler: ClientHandler, connection: ClientConnection) {
		const { receiveBuffer, version } = options;
		this.connection = connection;
		this.options = options;
		this.handler = handler;
		this.decoder = new Decoder({
			size: receiveBuffer,
			from: "broker",
			version,
			handler: this,
			maximumPacketSize: announcedLimits(options).maximumPacketSize,
		});
	}

	/** Call when TCP is established. */
	reset(): void {
		this.connection.reservedBytes = SEND_RESERVE;
		if (this.heldBytes !== undefined) this.heldBytes = undefined;
		if (this.receiver?.answerOwed) this.receiver.answerOwed = false;
		this.decoder.reset();
	}

	/** What the broker's messages are delivered by. */
	get inbound(): Inbound {
		this.receiver ??= this.makeReceiver();
		return this.receiver;
	}

	/** See `Client.clearIncomingIds`. */
	clearIds(): void {
		this.receiver?.incomingIds.clear();
	}

	private makeReceiver(): Inbound {
		return new Inbound(this.connection, this.handler, announcedLimits(this.options).receiveMaximum);
	}

	/** A message was delivered, and its acknowledgement waits for the end of a pause, or for room. */
	get owesAcknowledgement(): boolean {
		return this.receiver?.answerOwed === true;
	}

	/** Whether there is something to read, if the client is not paused. */
	get hasInput(): boolean {
		return this.connection.transport.readable > 0 || this.heldBytes !== undefined;
	}

	/** Makes the decoder return after the current piece of payload. */
	pause(): void {
		this.decoder.pause();
	}

	/** Reads all that has arrived, as long as the application takes it. */
	read(): void {
		const connection = this.connection;
		const transport = connection.transport;
		while (transport.readable > 0 || this.heldBytes !== undefined) {
			if (connection.isPaused) return;
			const answers = connection.answers;
			// Nothing is read without room for the answers, so that TCP flow control slows the broker down.
			let limit = answers.room - SEND_RESERVE - MAXIMUM_ANSWER_SIZE;
			if (limit <= 0) {
				connection.flush();
				limit = answers.room - SEND_RESERVE - MAXIMUM_ANSWER_SIZE;
			}
			let count = this.heldBytes;
			if (count === undefined) {
				limit = (limit * 4) / 5;
				const beforeConnack = connection.phase !== CONNECTED && isBeforeConnack(connection.phase);
				if (beforeConnack && limit < CONNACK_SIZE) limit = CONNACK_SIZE;
				count = transport.read(limit);
				if (count === 0) return;
				connection.keepAlive.noteReceived(connection.now);
				if (beforeConnack) connection.noteFirstBytes(count);
			} else if (!this.goOn(count)) return;
			connection.reservedBytes = SEND_RESERVE + MAXIMUM_ANSWER_SIZE + count + (count >> 2);
			const chunk = transport.chunk;
			const at = this.decoder.push(chunk, chunk.length - count, chunk.length);
			connection.reservedBytes = SEND_RESERVE;
			if (at !== chunk.length || connection.isPaused) this.heldBytes = chunk.length - at;
		}
	}

	/**
	 * After a pause: sends the answer that waited for its end.
	 * @param held bytes that are to be decoded next
	 * @returns false: there is no room for that answer and theirs
	 */
	private goOn(held: number): boolean {
		const { answers } = this.connection;
		if (answers.room <= SEND_RESERVE + 2 * MAXIMUM_ANSWER_SIZE + held + (held >> 2)) return false;
		this.acknowledgeHeld();
		this.heldBytes = undefined;
		return true;
	}

	/** Stages the answer that waited for the end of a pause, unless the broker is to keep the message. */
	acknowledgeHeld(): void {
		const { connection, receiver } = this;
		if (!receiver?.answerOwed || connection.answers.room <= SEND_RESERVE + MAXIMUM_ANSWER_SIZE) return;
		receiver.answerOwed = false;
		const next = clientPhaseAfter(connection.phase, PUBLISH);
		if (next !== IGNORED && next !== VIOLATION && !connection.leavesMessages) receiver.acknowledge();
	}

	/** Stages the PUBCOMP that the application was to send. @returns whether there is room for it */
	complete(packetId: number): boolean {
		const { connection } = this;
		if (connection.answers.room <= SEND_RESERVE + MAXIMUM_ANSWER_SIZE) return false;
		this.inbound.release(packetId);
		return true;
	}

	/** Called by the decoder. */
	onPacket(packet: Packet): unknown {
		const type = packet.type;
		// Nearly all, as the table of phases has it too
		if (type === PUBACK && this.connection.phase === CONNECTED) return this.onAcknowledgement(packet);
		const next = clientPhaseAfter(this.connection.phase, clientEvent(type, packet.reasonCode));
		if (next === IGNORED) return undefined;
		if (next === VIOLATION) return this.failUnexpected();
		switch (type) {
			case CONNACK:
				return this.onConnack(packet, next);
			case PUBREL:
				return this.onPubrel(packet);
			case SUBACK:
			case UNSUBACK:
				return this.onRequestAnswered(packet);
			case PINGRESP:
				return this.onPingresp();
			case DISCONNECT:
				return this.connection.end(refusalError("the broker disconnected", packet)); // [MQTT-4.13.2-1]
			case AUTH:
				return this.onAuth(packet);
			default:
				return this.onAcknowledgement(packet);
		}
	}

	private onConnack(packet: Packet, next: ClientPhase): unknown {
		const sessionPresent = packet.sessionPresent;
		if (next === CLOSED)
			return this.connection.end(refusalError("the broker refused the connection", packet)); // [MQTT-4.13.2-1]
		// [MQTT-3.2.2-2] [MQTT-3.2.2-4] [MQTT-3.1.1:3.2.2-1]
		if (sessionPresent && this.connection.beginsClean)
			return this.onError(PROTOCOL_ERROR, "a session after Clean Start");
		this.receiver?.onConnack(sessionPresent);
		this.connection.onAccepted(packet, next);
		return this.handler.onOpen(sessionPresent, packet.properties);
	}

	private onPingresp(): unknown {
		const { keepAlive, now } = this.connection;
		if (!keepAlive.onPingresp(now)) return this.onError(PROTOCOL_ERROR, "PINGRESP without PINGREQ");
		return this.handler.onPingresp?.();
	}

	private onPubrel(packet: Packet): unknown {
		if (!this.options.manualRelease) this.inbound.onPubrel(packet);
		return this.handler.onReleased?.(packet.packetId);
	}

	/** PUBACK, PUBREC or PUBCOMP. */
	private onAcknowledgement(packet: Packet): unknown {
		const outbound = this.connection.outbound;
		// After PUBREC the message is the broker's: that it does not know the identifier of a PUBREL which is
		// sent again (0x92) is no error (§3.7.2.1).
		const reasonCode = packet.type === PUBCOMP ? SUCCESS : packet.reasonCode;
		const entry = outbound.inFlight.find(packet.packetId);
		const tag = outbound.inFlight.tagAt(entry);
		switch (outbound.onAcknowledgement(packet, entry, this.connection.now)) {
			case COMPLETE:
				return this.handler.onAcknowledged(packet.packetId, reasonCode, tag);
			case SEND_PUBREL:
				return this.handler.onReceived?.(packet.packetId, tag);
			case PROTOCOL_VIOLATION: // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
				return this.onError(
					PROTOCOL_ERROR,
					packet.type === PUBACK && this.connection.noteMissingQoS2(packet.packetId)
						? "the broker answers QoS 2 with PUBACK: it has only QoS 1"
						: "an acknowledgement of the wrong type",
				);
			default:
				return undefined;
		}
	}

	/** SUBACK or UNSUBACK. */
	private onRequestAnswered(packet: Packet): unknown {
		const { outbound, now } = this.connection;
		const entry = outbound.inFlight.find(packet.packetId);
		const filters = outbound.inFlight.tagAt(entry);
		// A request ends with its connection, so that nothing answers one of an earlier connection.
		if (outbound.onAcknowledgement(packet, entry, now) !== COMPLETE)
			return this.onError(PROTOCOL_ERROR, "SUBACK or UNSUBACK without a request");
		if (!answersEach(packet, filters))
			return this.onError(PROTOCOL_ERROR, "not a reason code for each topic filter");
		if (packet.type === SUBACK) {
			// With others on their way the last answer decides.
			if (outbound.inFlight.requestCount === 0) this.connection.isSubscribed = true;
			return this.handler.onSubscribed?.(packet);
		}
		return this.handler.onUnsubscribed?.(packet);
	}

	/** [MQTT-4.12.0-6] */
	private onAuth(packet: Packet): unknown {
		const { authenticationMethod } = this.options;
		const { connection, handler } = this;
		if (authenticationMethod === undefined)
			return this.onError(PROTOCOL_ERROR, "AUTH without an authentication method");
		if (handler.onAuth === undefined) {
			this.decoder.stop();
			return connection.fail(
				IMPLEMENTATION_SPECIFIC_ERROR,
				new ClientError("configuration", "the authentication method needs AUTH, and there is no onAuth"),
			);
		}
		// A client that closes goes on with nothing, and waits for nothing more.
		if (connection.phase !== CONNECTED && !isBeforeConnack(connection.phase))
			return connection.deadlines.stop(CONNECT_DEADLINE);
		const reasonCode = receiveAuth(connection, authenticationMethod, packet);
		if (reasonCode !== 0) return this.onError(reasonCode, "AUTH out of turn, or with another method");
		return handler.onAuth(packet);
	}

	/** Called by the decoder. */
	onPublish(packet: Packet): void {
		const { connection } = this;
		const next = clientPhaseAfter(connection.phase, PUBLISH);
		if (next === VIOLATION) {
			this.failUnexpected();
			return;
		}
		const reasonCode = this.inbound.onPublish(packet, next !== IGNORED && !connection.leavesMessages);
		if (reasonCode !== 0) this.onError(reasonCode, "a topic alias, or more than the receive maximum");
	}

	/** Called by the decoder. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		const { phase, leavesMessages } = this.connection;
		if (!isReading(phase)) return;
		// A message that is complete only after DISCONNECT is not acknowledged: the broker keeps it.
		const answers = last && !leavesMessages && clientPhaseAfter(phase, PUBLISH) !== IGNORED;
		this.inbound.onPayload(bytes, start, end, last, answers);
	}

	private failUnexpected(): void {
		this.onError(
			PROTOCOL_ERROR,
			isBeforeConnack(this.connection.phase) ? "a packet before CONNACK" : "unexpected packet", // [MQTT-3.2.0-1]
		);
	}

	/** The broker violates the protocol. Also called by the decoder. */
	onError(reasonCode: FailureCode, message: string): void {
		const connection = this.connection;
		this.decoder.stop();
		connection.fail(
			reasonCode,
			connection.foreignPeerError(reasonCode) ??
				violationError(reasonCode, message, connection.negotiated.version),
		);
	}
}
