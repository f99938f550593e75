import type { Subscription } from "../mqtt/packet-fields";
import type { PropertyWriter } from "../mqtt/property-writer";
import { CONNECTED, clientPhaseAfter, SEND } from "../session/client-phase";
import { VIOLATION } from "../session/phase";
import { sendAuth } from "./authentication";
import type { ClientConnection } from "./client-connection";
import { TURN_DEADLINE } from "./deadlines";
import type { IncomingPackets } from "./incoming-packets";
import { maximumPayload } from "./limits";
import type { ClientDevice, ClientOptions } from "./options";
import {
	BLOCKED_ON_BUFFER,
	BLOCKED_ON_CONNACK,
	BLOCKED_ON_PAYLOAD,
	BLOCKED_ON_TABLE,
	BUSY,
	type Outbound,
	type PacketId,
	type PublishResult,
} from "./outbound";
import { sendSubscribe, sendUnsubscribe } from "./requests";
import { beginPublish, DEFERRED_ANSWERS, writePayload } from "./streamed-publish";

/**
 * What an application sends: messages, SUBSCRIBE, UNSUBSCRIBE, PINGREQ. Packets staged inside a callback
 * leave together at its end; a call from outside writes at once.
 */
export abstract class PacketSender {
	protected abstract readonly options: ClientOptions;
	protected abstract readonly device: ClientDevice;
	protected abstract readonly connection: ClientConnection;
	protected abstract readonly outbound: Outbound;
	protected abstract readonly incoming: IncomingPackets;
	/** Nesting depth of host callbacks. */
	protected abstract readonly callbackDepth: number;

	/**
	 * Sends a message. Messages published inside a callback leave together at its end.
	 * @param flags RETAIN | QOS1 or QOS2. RETAIN is cleared if the broker does not support retained messages.
	 *   DUP only together with `packetId`, for a message that was sent and not acknowledged on an earlier
	 *   connection of a session that the broker continues (see `onOpen`) [MQTT-4.3.2-2] [MQTT-4.4.0-1]
	 * @param properties of the message (§3.3.2.3): payload format, message expiry, content type, response
	 *   topic, correlation data, user properties. MQTT 3.1.1 has none: they are omitted
	 * @param packetId for QoS 1 and 2: the packet identifier, for callers that use the same one again when they
	 *   resend the message; by default one that is not in use
	 * @param tag for QoS 1 and 2: the caller's own number for the message, 1 … 2^32 − 1, which several may have
	 *   in common; `onAcknowledged` reports it
	 * @returns for QoS 0: 0 if the message was accepted. For QoS 1 and 2: the packet identifier, 1 … 65535.
	 *   {@link BUSY}: the buffer is full, the send quota is used up, `packetId` is in use, or CONNACK has not
	 *   arrived (QoS 2 always waits for it): retry in `onWritable`. {@link REJECTED}: the packet is larger than
	 *   `sendBuffer`, or this connection's CONNACK does not allow its size or QoS (if only cached limits forbid
	 *   it, the result is BUSY until CONNACK).
	 * @throws MQTTError for a topic name, flags or properties that MQTT does not allow, and for a topic alias
	 *   or subscription identifier among the properties
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties?: PropertyWriter,
		packetId = 0,
		tag = 0,
	): PublishResult {
		if (!this.beginSending()) return BUSY;
		return this.endSending(
			this.outbound.publish(topic, payload, payloadLength, flags, properties, packetId, tag),
		);
	}

	/**
	 * Sends PUBREL for a QoS 2 message whose PUBREC arrived (`onReceived`) on an earlier connection of a
	 * session that the broker continues [MQTT-4.4.0-1]. `onAcknowledged` follows after PUBCOMP.
	 * @param tag as of {@link publish}
	 * @returns `packetId`, or {@link BUSY}: retry in `onWritable`
	 */
	release(packetId: number, tag = 0): PacketId | typeof BUSY {
		const connection = this.connection;
		const outsideCallback = this.callbackDepth === 0;
		if (outsideCallback) connection.now = this.device.time.ticks;
		if (connection.payloadRemaining) {
			this.outbound.blockedOn |= BLOCKED_ON_PAYLOAD;
			return BUSY;
		}
		const result = this.outbound.resumePubrel(packetId, tag);
		if (result >= 0 && outsideCallback) connection.flush();
		return result;
	}

	/**
	 * Sends PUBCOMP, which `manualRelease` leaves to the application, for a message of the broker whose PUBREL
	 * arrived (`onReleased`) on this connection.
	 * @returns {@link BUSY}: retry in `onWritable`
	 */
	complete(packetId: number): 0 | typeof BUSY {
		const { connection } = this;
		const outsideCallback = this.callbackDepth === 0;
		if (outsideCallback) connection.now = this.device.time.ticks;
		if (connection.phase !== CONNECTED || !this.incoming.complete(packetId)) {
			this.outbound.blockedOn |= BLOCKED_ON_BUFFER;
			return BUSY;
		}
		if (outsideCallback) connection.flush();
		return 0;
	}

	/**
	 * Sends a message whose topic and payload are bytes [start, topicEnd) and [topicEnd, end) of one array; the
	 * topic must be valid, and so must the properties. Parameters and result as of {@link publish}.
	 */
	publishRange(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		packetId = 0,
		tag = 0,
		properties?: PropertyWriter,
	): PublishResult {
		if (!this.beginSending()) return BUSY;
		return this.endSending(
			this.outbound.publishRange(bytes, start, topicEnd, end, flags, properties, packetId, tag),
		);
	}

	/**
	 * Begins a message whose payload follows in pieces through {@link writePayload}, so that it may be larger
	 * than `sendBuffer`; topic and properties must leave DEFERRED_ANSWERS bytes of that. Until the payload is
	 * complete, `publish()` and requests are BUSY, DISCONNECT waits, and answers to the broker wait; a piece
	 * must follow within `acknowledgeTimeout`. Only `abort()` gives the message up.
	 * @param payloadLength bytes
	 * @returns as `publish()`
	 */
	beginPublish(
		topic: Uint8Array,
		payloadLength: number,
		flags: number,
		properties?: PropertyWriter,
		packetId = 0,
		tag = 0,
	): PublishResult {
		if (!this.beginSending()) return BUSY;
		return this.endSending(
			beginPublish(this.outbound, topic, payloadLength, flags, properties, packetId, tag),
		);
	}

	/**
	 * Sends the next piece, bytes [start, end), of the payload that `beginPublish()` announced.
	 * @returns the number of bytes taken; if they are fewer, `onWritable` follows
	 * @throws RangeError if they are more than {@link payloadRemaining}
	 */
	writePayload(bytes: Uint8Array, start: number, end: number): number {
		const { connection } = this;
		if (this.callbackDepth === 0) connection.now = this.device.time.ticks;
		const count = writePayload(this.outbound, bytes, start, end);
		if (this.callbackDepth === 0) connection.flushTurn();
		return count;
	}

	/** Bytes of payload that are still to be written. */
	get payloadRemaining(): number {
		return this.connection.payloadRemaining ?? 0;
	}

	/**
	 * Sends SUBSCRIBE, and `onSubscribed` tells the result of each filter. It is not repeated on another
	 * connection: where {@link isSubscribed} is false in `onOpen`, the application subscribes again.
	 * @param subscriptions at least one, made by `subscription()`
	 * @param properties MQTT 5.0 only: subscription identifier, user properties
	 * @param packetId 1 … 65535; by default one that is not in use
	 * @returns the packet identifier. {@link BUSY}: `inFlight` is used up, `packetId` is in use, the buffer is
	 *   full, or CONNACK has not arrived: retry in `onWritable`. {@link REJECTED}: the packet is too large, or
	 *   the broker has no wildcards, shared subscriptions or identifiers (§3.2.2.3.11 … 13)
	 * @throws MQTTError for filters or options that MQTT does not allow
	 */
	subscribe(
		subscriptions: readonly Subscription[],
		properties?: PropertyWriter,
		packetId = 0,
	): PublishResult {
		if (!this.beginSending()) return BUSY;
		return this.endSending(sendSubscribe(this.outbound, subscriptions, properties, packetId));
	}

	/**
	 * Whether the session has the subscriptions that this client made: each SUBSCRIBE was answered, and since
	 * then every CONNECT, with Session Present. The last CONNECT that was not answered may have begun the
	 * session which the next CONNACK calls present, and that one has none (§3.1.2.4, §3.2.2.1.1).
	 */
	get isSubscribed(): boolean {
		return this.connection.isSubscribed === true;
	}

	/** Sends UNSUBSCRIBE, and `onUnsubscribed` tells the results. As {@link subscribe}. */
	unsubscribe(filters: readonly Uint8Array[], properties?: PropertyWriter, packetId = 0): PublishResult {
		if (!this.beginSending()) return BUSY;
		return this.endSending(sendUnsubscribe(this.outbound, filters, properties, packetId));
	}

	/**
	 * Sends PINGREQ, also where keep alive is off; `onPingresp` follows, or the connection ends after
	 * `pingTimeout`. While a PINGREQ is unanswered no other is sent.
	 * @returns {@link BUSY} before CONNACK and while the payload of a message is incomplete; otherwise 0
	 */
	ping(): 0 | typeof BUSY {
		const { connection } = this;
		if (connection.phase !== CONNECTED || connection.payloadRemaining) return BUSY;
		connection.keepAlive.ping();
		if (this.callbackDepth === 0) {
			connection.now = this.device.time.ticks;
			connection.flush();
		}
		return 0;
	}

	/**
	 * Sends AUTH (§4.12) with the method of `authenticationMethod`: the answer to `onAuth`, or, if none is due,
	 * the begin of a re-authentication on an established connection. The broker's AUTH is awaited for
	 * `acknowledgeTimeout`, CONNACK for `connectTimeout`. A client that does not trust what it got calls
	 * `abort()`. [MQTT-4.12.1-2] Allocates.
	 * @param data Authentication Data, as the method has it
	 * @returns {@link BUSY}: no room, or the payload of a message is incomplete; retry in `onWritable`
	 * @throws Error without a method, and while the broker's AUTH is awaited. RangeError if the packet is
	 *   larger than `sendBuffer`, or than the broker takes
	 */
	authenticate(data?: Uint8Array): 0 | typeof BUSY {
		const { connection, outbound } = this;
		const outsideCallback = this.callbackDepth === 0;
		if (outsideCallback) connection.now = this.device.time.ticks;
		if (connection.payloadRemaining) outbound.blockedOn |= BLOCKED_ON_PAYLOAD;
		else if (!sendAuth(connection, this.options, data)) outbound.blockedOn |= BLOCKED_ON_BUFFER;
		else {
			if (outsideCallback) connection.flush();
			return 0;
		}
		return BUSY;
	}

	/**
	 * Bytes of the send buffer that messages may use now, or, while the payload of a message is incomplete, how
	 * many of its bytes `writePayload()` is sure to take.
	 */
	get room(): number {
		const { connection } = this;
		if (connection.phase !== CONNECTED) return 0;
		const reserved = connection.reservedBytes + (connection.payloadRemaining ? DEFERRED_ANSWERS : 0);
		return Math.max(connection.encoder.room - reserved, 0);
	}

	/** Whether one more message of QoS 1 or 2, or request, may be in flight. */
	get hasPlace(): boolean {
		return this.outbound.hasPlace;
	}

	/**
	 * Bytes of the largest payload that `sendBuffer` and the broker's limit (before CONNACK the cached one)
	 * allow in a PUBLISH without properties; negative: none.
	 */
	payloadLimit(topicLength: number, qos: number): number {
		const { sendBuffer, version } = this.options;
		const { maximumPacketSize } = this.connection.negotiated;
		return maximumPayload(
			version,
			maximumPacketSize < sendBuffer ? maximumPacketSize : sendBuffer,
			topicLength,
			qos,
		);
	}

	/**
	 * `onWritable` is called once more, in a turn of its own, as soon as {@link hasPlace} is true and what is
	 * staged has been passed to the socket: for callers that fill the buffer step by step.
	 */
	notifyWritable(): void {
		if (this.connection.phase !== CONNECTED) return;
		this.outbound.blockedOn |= this.hasPlace ? BLOCKED_ON_BUFFER : BLOCKED_ON_TABLE;
		this.connection.deadlines.start(TURN_DEADLINE, 0);
	}

	/** `onWritable` is to follow CONNACK. @returns {@link BUSY} */
	awaitWritable(): typeof BUSY {
		this.outbound.blockedOn |= BLOCKED_ON_CONNACK;
		return BUSY;
	}

	/** @returns whether a packet of the application may be staged; if not, `onWritable` follows */
	protected beginSending(): boolean {
		const connection = this.connection;
		if (this.callbackDepth === 0) connection.now = this.device.time.ticks;
		if (connection.payloadRemaining) this.outbound.blockedOn |= BLOCKED_ON_PAYLOAD;
		else if (connection.phase === CONNECTED || this.maySend()) return true;
		else this.outbound.blockedOn |= BLOCKED_ON_CONNACK;
		return false;
	}

	/** Call after a packet was staged, or was not. @returns `result` */
	protected endSending<Result extends number>(result: Result): Result {
		if (result >= 0) {
			if (this.connection.phase !== CONNECTED) this.connection.enter(SEND);
			if (this.callbackDepth === 0) this.connection.flush();
		}
		return result;
	}

	protected maySend(): boolean {
		const phase = this.connection.phase;
		return phase === CONNECTED || clientPhaseAfter(phase, SEND) !== VIOLATION;
	}
}
