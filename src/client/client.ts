import {
	AUTH,
	CONNACK,
	DISCONNECT,
	IMPLEMENTATION_SPECIFIC_ERROR,
	PINGRESP,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBREC,
	PUBREL,
	SUCCESS,
	UNSPECIFIED_ERROR,
} from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import type { PropertyWriter } from "../mqtt/property-writer";
import { COMPLETE, PROTOCOL_VIOLATION, SEND_PUBREL } from "../session/delivery";
import { ClientConnection, SEND_RESERVE } from "./client-connection";
import { CONNECT_DEADLINE, DEADLINE_PASSED, type Deadline } from "./deadlines";
import { ClientError, refusalError } from "./errors";
import { maximumPayload } from "./limits";
import type { ClientState, OpenOptions } from "./options";
import { BLOCKED_ON_CONNACK, BUSY, type PacketId, type PublishResult } from "./outbound";
import { FIRST_BYTES } from "./peer-protocol";
import { TRANSPORT_CONNECTED, TRANSPORT_LOST, type TransportEvent } from "./transport";

export { ClientError } from "./errors";
export type { BrokerLimits, CachedLimits } from "./limits";
export type {
	ClientDevice,
	ClientHandler,
	ClientOptions,
	ClientState,
	OpenOptions,
	UserProperty,
	WillOptions,
} from "./options";
export { BUSY, type PacketId, type PublishResult, REJECTED } from "./outbound";

/**
 * Maximum size of the answer to a received packet, in bytes. Such a packet has at least 4 bytes and may end
 * at the first byte read, so the answers to n bytes read take at most 5 + 5 / 4 n bytes.
 */
const MAXIMUM_ANSWER_SIZE = 5;

/** Size of the smallest CONNACK, in bytes: reading it never reads a packet behind it that needs an answer. */
const CONNACK_SIZE = 4;

/**
 * One MQTT session over one TCP connection at a time. The constructor allocates all buffers, and every
 * `open()` reuses them; later only `open()` and errors allocate.
 */
export class Client extends ClientConnection {
	get state(): ClientState {
		return this.currentState;
	}

	/** QoS 1 and 2 messages not yet acknowledged. */
	get inFlight(): number {
		return this.outbound.inFlightCount;
	}

	/** Resolves the name, connects, sends CONNECT. @throws Error if `state` is not "closed" */
	open(options?: OpenOptions): void {
		if (this.currentState !== "closed") throw new Error(`open() while ${this.currentState}`);
		const { pipeline, connectTimeout, host, port, authenticationMethod } = this.options;
		this.currentState = "connecting";
		// [MQTT-3.1.2-30]
		this.pipeline = authenticationMethod === undefined && (options?.pipeline ?? pipeline !== false);
		this.limits.reset(options?.limits);
		this.sentBeforeConnack = this.connackAccepted = this.closeRequested = false;
		this.closeError = undefined;
		this.firstBytesLength = 0;
		this.outbound.reset();
		this.gracefulClose.reset();
		this.deadlines.start(CONNECT_DEADLINE, connectTimeout);
		this.transport.resolveAndConnect(host, port);
	}

	/**
	 * Sends a message. Messages published inside a callback leave together at its end.
	 * @param flags RETAIN | QOS1 or QOS2. RETAIN is cleared if the broker does not support retained messages.
	 *   DUP only together with `packetId`, for a message that was sent and not acknowledged on an earlier
	 *   connection of a session that the broker continues (see `onOpen`) [MQTT-4.3.2-2] [MQTT-4.4.0-1]
	 * @param properties MQTT 5.0 only
	 * @param packetId for QoS 1 and 2: the packet identifier, for callers that use the same one again when they
	 *   resend the message; by default one that is not in use
	 * @returns for QoS 0: 0 if the message was accepted. For QoS 1 and 2: the packet identifier, 1 … 65535.
	 *   {@link BUSY}: the buffer is full, the send quota is used up, `packetId` is in use, or CONNACK has not
	 *   arrived (QoS 2 always waits for it): retry in `onWritable`. {@link REJECTED}: the packet is larger than
	 *   `sendBuffer`, or this connection's CONNACK does not allow its size or QoS (if only cached limits forbid
	 *   it, the result is BUSY until CONNACK).
	 * @throws MQTTError for a topic name or flags that MQTT does not allow
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties?: PropertyWriter,
		packetId = 0,
	): PublishResult {
		if (!this.mayPublish()) {
			this.outbound.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		const outsideCallback = this.callbackDepth === 0;
		if (outsideCallback) this.now = this.device.time.ticks;
		const result = this.outbound.publish(
			topic,
			payload,
			payloadLength,
			flags,
			properties,
			packetId,
			this.reservedBytes,
			this.now,
		);
		if (result >= 0) {
			if (!this.connackAccepted) this.sentBeforeConnack = true;
			if (outsideCallback) this.flush();
		}
		return result;
	}

	/**
	 * Sends PUBREL for a QoS 2 message whose PUBREC arrived (`onReceived`) on an earlier connection of a
	 * session that the broker continues [MQTT-4.4.0-1]. `onAcknowledged` follows after PUBCOMP.
	 * @returns `packetId`, or {@link BUSY}: retry in `onWritable`
	 */
	release(packetId: number): PacketId | typeof BUSY {
		const outsideCallback = this.callbackDepth === 0;
		if (outsideCallback) this.now = this.device.time.ticks;
		const result = this.outbound.resumePubrel(packetId, this.reservedBytes, this.now);
		if (result >= 0 && outsideCallback) this.flush();
		return result;
	}

	/**
	 * Bytes of the largest payload that `sendBuffer` and the broker's limit (before CONNACK the cached one)
	 * allow in a PUBLISH without properties; negative: none.
	 */
	payloadLimit(topicLength: number, qos: number): number {
		const { sendBuffer, version } = this.options;
		const { maximumPacketSize } = this.limits;
		return maximumPayload(
			version,
			maximumPacketSize < sendBuffer ? maximumPacketSize : sendBuffer,
			topicLength,
			qos,
		);
	}

	/**
	 * Sends DISCONNECT after the staged packets, then closes TCP when the broker has closed it, or after a
	 * timeout. With pipelining, DISCONNECT leaves before CONNACK, which is still read; otherwise it waits for
	 * CONNACK; with QoS 2 messages in flight it waits for their PUBCOMP. Acknowledgements that arrive meanwhile
	 * are still reported.
	 */
	close(): void {
		if (this.currentState === "connecting") this.scheduleClose(undefined);
		else if (this.currentState === "handshake" || this.currentState === "open") {
			this.currentState = "closing";
			this.closeRequested = true;
			if (this.callbackDepth > 0) return;
			this.now = this.device.time.ticks;
			this.flushStaged();
			this.watchGracefulClose();
		}
	}

	/** Drops TCP at once, without DISCONNECT: the broker publishes the will. `onClosed(undefined)` follows. */
	abort(): void {
		if (this.currentState !== "closed") this.scheduleClose(undefined);
	}

	private mayPublish(): boolean {
		return this.currentState === "open" || (this.currentState === "handshake" && this.pipeline);
	}

	// The parts call methods of the client, not closures: a method on the prototype takes no memory per client,
	// a closure nine slots.

	/**
	 * Called by transport and deadlines. Every host callback except the resolver's passes through here, as an
	 * uncaught exception in one would end the app.
	 */
	onEvent(event: TransportEvent | typeof DEADLINE_PASSED, deadline: Deadline): void {
		this.callbackDepth++;
		try {
			this.now = this.device.time.ticks;
			switch (event) {
				case TRANSPORT_CONNECTED:
					this.onConnected();
					break;
				case TRANSPORT_LOST:
					this.onLost();
					break;
				case DEADLINE_PASSED:
					this.onDeadlinePassed(deadline);
					break;
			}
			if (this.transport.readable > 0) this.readPackets();
			this.finishTurn();
		} catch (cause) {
			this.onHandlerException(cause);
		}
		this.callbackDepth--;
	}

	/**
	 * The connection has ended. What the broker said last is read first: a refusing CONNACK, or DISCONNECT with
	 * the reason. Nothing can be sent any more, so that what is staged does not hold up reading.
	 */
	private onLost(): void {
		if (this.transport.readable > 0) {
			this.transport.discardOutput();
			this.readPackets();
			if (this.currentState === "closed") return;
		}
		this.onTransportLost();
	}

	/** [MQTT-3.1.1:4.8.0-2] */
	private onHandlerException(cause: unknown): void {
		try {
			if (this.currentState === "closed") throw cause;
			this.finishClose(new ClientError("configuration", "a handler threw an exception", { cause }));
		} catch (lost) {
			this.device.trace?.(`exception in onClosed: ${lost}\n`);
		}
	}

	/** The TCP connection is established. */
	private onConnected(): void {
		this.currentState = "handshake";
		this.decoder.reset();
		this.encoder.connect(this.fields); // [MQTT-3.1.0-1]
		// The client may send packets before CONNACK (§3.1.4).
		this.outbound.blockedOn = BLOCKED_ON_CONNACK;
		if (!this.pipeline) return;
		this.outbound.blockedOn = 0;
		this.handler.onWritable();
	}

	/** Writes the staged packets, calls `onWritable` if `publish()` may succeed again, and advances a close. */
	private finishTurn(): void {
		this.flushStaged();
		const outbound = this.outbound;
		if (outbound.blockedOn !== 0 && this.mayPublish() && outbound.canRetry()) {
			outbound.blockedOn = 0;
			this.handler.onWritable();
			this.flushStaged();
		}
		if (this.currentState === "closing") this.watchGracefulClose();
	}

	/** Writes the staged packets, followed by DISCONNECT after `close()`. */
	private flushStaged(): void {
		if (
			this.closeRequested &&
			(this.connackAccepted || this.pipeline) &&
			!this.outbound.owesPubrel // no packet may follow DISCONNECT [MQTT-3.14.4-1]
		) {
			this.closeRequested = false;
			if (!this.connackAccepted) this.sentBeforeConnack = true;
			this.stageDisconnect(SUCCESS, this.options.acknowledgeTimeout);
		}
		this.flush();
	}

	private readPackets(): void {
		const transport = this.transport;
		const encoder = this.encoder;
		while (transport.readable > 0) {
			// Nothing is read without room for the answers, so that TCP flow control slows the broker down.
			if (encoder.room <= SEND_RESERVE + MAXIMUM_ANSWER_SIZE) this.flush();
			let limit = ((encoder.room - SEND_RESERVE - MAXIMUM_ANSWER_SIZE) * 4) / 5;
			if (!this.connackAccepted && limit < CONNACK_SIZE) limit = CONNACK_SIZE;
			const count = transport.read(limit);
			if (count === 0) return;
			this.keepAlive.noteReceived(this.now);
			if (!this.connackAccepted) this.noteFirstBytes(count);
			this.reservedBytes = SEND_RESERVE + MAXIMUM_ANSWER_SIZE + count + (count >> 2);
			this.decoder.push(transport.chunk, 0, count);
			this.reservedBytes = SEND_RESERVE;
		}
	}

	private noteFirstBytes(count: number): void {
		const { chunk } = this.transport;
		for (let i = 0; i < count && this.firstBytesLength < FIRST_BYTES; i++) {
			this.firstBytes = (this.firstBytes << 8) | chunk[i];
			this.firstBytesLength++;
		}
	}

	/** Called by the decoder. */
	onPacket(packet: Packet): void {
		const { type } = packet;
		if (type === CONNACK && !this.connackAccepted) {
			this.onConnack(packet);
			return;
		}
		// [MQTT-3.2.0-1]
		if (!this.connackAccepted && type !== AUTH) {
			this.failProtocol(PROTOCOL_ERROR, "a packet before CONNACK");
			return;
		}
		switch (type) {
			case PUBACK:
			case PUBREC:
			case PUBCOMP:
				this.onAcknowledgement(packet);
				break;
			case PUBREL:
				this.inbound.onPubrel(packet);
				break;
			case PINGRESP:
				if (this.currentState !== "closing" && !this.keepAlive.onPingresp(this.now))
					this.failProtocol(PROTOCOL_ERROR, "PINGRESP without PINGREQ");
				break;
			case DISCONNECT:
				if (this.currentState === "closing" && packet.reasonCode < UNSPECIFIED_ERROR) break;
				this.finishClose(refusalError("the broker disconnected", packet)); // [MQTT-4.13.2-1]
				break;
			case AUTH:
				// [MQTT-4.12.0-6]
				if (this.options.authenticationMethod === undefined)
					this.failProtocol(PROTOCOL_ERROR, "AUTH without an authentication method");
				else
					this.failConnection(
						IMPLEMENTATION_SPECIFIC_ERROR,
						new ClientError("configuration", "the authentication method needs AUTH, which is not supported"),
					);
				break;
			default:
				this.failProtocol(PROTOCOL_ERROR, "unexpected packet");
		}
	}

	private onAcknowledgement(packet: Packet): void {
		const { type, packetId, reasonCode } = packet;
		switch (this.outbound.onAcknowledgement(type, packetId, reasonCode, this.now)) {
			case COMPLETE:
				this.handler.onAcknowledged(packetId, reasonCode);
				break;
			case SEND_PUBREL:
				this.handler.onReceived?.(packetId);
				break;
			case PROTOCOL_VIOLATION: // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
				this.failProtocol(PROTOCOL_ERROR, "an acknowledgement of the wrong type");
		}
	}

	private onConnack(packet: Packet): void {
		const { reasonCode, sessionPresent } = packet;
		if (reasonCode !== SUCCESS) {
			this.finishClose(refusalError("the broker refused the connection", packet)); // [MQTT-4.13.2-1]
			return;
		}
		// [MQTT-3.2.2-2] [MQTT-3.2.2-4] [MQTT-3.1.1:3.2.2-1]
		if (sessionPresent && this.fields.cleanStart) {
			this.failProtocol(PROTOCOL_ERROR, "a session after Clean Start");
			return;
		}
		const { limits } = this;
		limits.applyConnack(packet);
		this.connackAccepted = true;
		this.inbound.onConnack(sessionPresent);
		this.deadlines.stop(CONNECT_DEADLINE);
		if (this.currentState === "handshake") {
			this.currentState = "open";
			this.outbound.onConnack(this.now);
			// [MQTT-3.2.2-21] [MQTT-3.1.2-21]
			this.keepAlive.start(
				limits.serverKeepAliveSeconds >= 0 ? limits.serverKeepAliveSeconds : this.fields.keepAlive,
				this.now,
			);
		} else if (this.gracefulClose.disconnectSent) this.awaitBrokerClose();
		this.handler.onOpen(sessionPresent);
	}

	/** Called by the decoder. */
	onPublish(packet: Packet): void {
		// [MQTT-3.2.0-1]
		const reasonCode = this.connackAccepted ? this.inbound.onPublish(packet) : PROTOCOL_ERROR;
		if (reasonCode !== 0)
			this.failProtocol(
				reasonCode,
				"PUBLISH before CONNACK, with a topic alias, or beyond the receive maximum",
			);
	}

	/** Called by the decoder. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.inbound.onPayload(bytes, start, end, last);
	}

	/** Called by the decoder. */
	onError(reasonCode: number, message: string): void {
		this.failProtocol(reasonCode, message);
	}
}
