import type { ConnectFields, Subscription } from "../mqtt/packet-fields";
import type { PropertyWriter } from "../mqtt/property-writer";
import {
	CLOSE,
	CLOSED,
	CONNECTED,
	CONNECTING,
	clientPhaseAfter,
	DROPPED,
	OPEN,
	PIPELINE,
	PIPELINED,
	SEND,
	TCP_CONNECTED,
} from "../session/client-phase";
import type { InFlight } from "../session/in-flight";
import type { IncomingIds } from "../session/incoming-ids";
import type { Negotiated } from "../session/negotiated";
import { VIOLATION } from "../session/phase";
import { ClientConnection } from "./client-connection";
import { connectFields, connectSize } from "./connect-fields";
import { DEADLINE_PASSED, type Deadline, type DeadlinesHandler, TURN_DEADLINE } from "./deadlines";
import { ClientError } from "./errors";
import { IncomingPackets } from "./incoming-packets";
import { maximumPayload } from "./limits";
import type { ClientDevice, ClientHandler, ClientOptions, ClientState, OpenOptions } from "./options";
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
import { publishRange } from "./publish-range";
import { sendSubscribe, sendUnsubscribe } from "./requests";
import { beginPublish, DEFERRED_ANSWERS, writePayload } from "./streamed-publish";
import { TRANSPORT_CONNECTED, TRANSPORT_LOST, type TransportEvent, type TransportHandler } from "./transport";

export type { CachedLimits } from "../session/negotiated";
export { ClientError } from "./errors";
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
export { type SubscriptionOptions, subscription } from "./subscription";

export type MessagesInFlight = Pick<InFlight, "count" | "hasTag" | "smallestTag" | "removeTag" | "setState">;
export type StoredIds = Pick<IncomingIds, "count" | "at" | "add" | "clear">;

/**
 * One MQTT session over one TCP connection at a time. The constructor allocates all buffers, and every
 * `open()` reuses them; later only `open()` and errors allocate.
 */
export class Client implements TransportHandler, DeadlinesHandler {
	// Not #: each #name that a method mentions takes a slot of the stack, and these are below all callbacks.
	private readonly options: ClientOptions;
	private readonly handler: ClientHandler;
	private readonly device: ClientDevice;
	private readonly fields: ConnectFields;
	private readonly connection: ClientConnection;
	private readonly outbound: Outbound;
	private readonly incoming: IncomingPackets;
	/** Nesting depth of host callbacks. Packets staged inside a callback leave at its end, in one write. */
	private callbackDepth = 0;
	/** Whether packets may leave before CONNACK on this connection. */
	private pipelines = false;

	/**
	 * @throws RangeError or MQTTError for an option that MQTT does not allow, such as U+0000 in a topic, and
	 *   for a CONNECT longer than `sendBuffer`
	 */
	constructor(options: ClientOptions, handler: ClientHandler, device: ClientDevice) {
		const { version, sendBuffer } = options;
		const fields = connectFields(options);
		const size = connectSize(fields, version);
		if (size > sendBuffer) throw new RangeError(`CONNECT takes ${size} bytes, sendBuffer is ${sendBuffer}`);
		this.options = options;
		this.handler = handler;
		this.device = device;
		this.fields = fields;
		const connection = new ClientConnection(options, handler, device, this);
		this.connection = connection;
		this.outbound = connection.outbound;
		this.incoming = new IncomingPackets(options, fields, handler, connection);
	}

	get state(): ClientState {
		const { phase } = this.connection;
		if (phase === CLOSED) return "closed";
		if (phase === CONNECTING) return "connecting";
		if (phase === CONNECTED) return "open";
		return phase <= PIPELINED ? "handshake" : "closing";
	}

	/** What the last CONNECT and CONNACK fixed; before CONNACK the limits of an earlier one. */
	get negotiated(): Negotiated {
		return this.connection.negotiated;
	}

	/** QoS 1 and 2 messages not yet acknowledged; after the end of a connection, those that it left. */
	get inFlight(): MessagesInFlight {
		return this.outbound.inFlight;
	}

	/** Resolves the name, connects, sends CONNECT. @throws Error if `state` is not "closed" */
	open(options?: OpenOptions): void {
		const connection = this.connection;
		if (!connection.enter(OPEN)) throw new Error(`open() while ${this.state}`);
		const { pipeline, authenticationMethod, keepAlive, sessionExpiry } = this.options;
		// [MQTT-3.1.2-30]
		this.pipelines = authenticationMethod === undefined && (options?.pipeline ?? pipeline !== false);
		this.fields.cleanStart = options?.cleanStart ?? this.options.cleanStart;
		connection.negotiated.begin(keepAlive, sessionExpiry, options?.limits);
		connection.connect();
	}

	/**
	 * Sends a message. Messages published inside a callback leave together at its end.
	 * @param flags RETAIN | QOS1 or QOS2. RETAIN is cleared if the broker does not support retained messages.
	 *   DUP only together with `packetId`, for a message that was sent and not acknowledged on an earlier
	 *   connection of a session that the broker continues (see `onOpen`) [MQTT-4.3.2-2] [MQTT-4.4.0-1]
	 * @param properties MQTT 5.0 only
	 * @param packetId for QoS 1 and 2: the packet identifier, for callers that use the same one again when they
	 *   resend the message; by default one that is not in use
	 * @param tag for QoS 1 and 2: the caller's own number for the message, 1 … 2^32 − 1, which several may have
	 *   in common; `onAcknowledged` reports it
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
	 * Sends SUBSCRIBE, and `onSubscribed` tells the result of each filter. It is not repeated on another
	 * connection: a client that finds no session there (`onOpen`) subscribes again.
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
		const { outbound, connection, options } = this;
		return this.endSending(
			sendSubscribe(outbound, connection, options.sendBuffer, subscriptions, properties, packetId),
		);
	}

	/** Sends UNSUBSCRIBE, and `onUnsubscribed` tells the results. As {@link subscribe}. */
	unsubscribe(filters: readonly Uint8Array[], properties?: PropertyWriter, packetId = 0): PublishResult {
		if (!this.beginSending()) return BUSY;
		const { outbound, connection, options } = this;
		return this.endSending(
			sendUnsubscribe(outbound, connection, options.sendBuffer, filters, properties, packetId),
		);
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
	 * `onWritable` is called once more, in a turn of its own, as soon as {@link hasPlace} is true and what is
	 * staged has been passed to the socket: for callers that fill the buffer step by step.
	 */
	notifyWritable(): void {
		if (this.connection.phase !== CONNECTED) return;
		this.outbound.blockedOn |= this.hasPlace ? BLOCKED_ON_BUFFER : BLOCKED_ON_TABLE;
		this.connection.deadlines.start(TURN_DEADLINE, 0);
	}

	/**
	 * Sends a message whose topic and payload are bytes [start, topicEnd) and [topicEnd, end) of one array; the
	 * topic must be valid. Parameters and result as of {@link publish}.
	 */
	publishRange(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		packetId = 0,
		tag = 0,
	): PublishResult {
		if (!this.beginSending()) return BUSY;
		const { outbound, connection, options } = this;
		return this.endSending(
			publishRange(
				outbound,
				connection,
				options.sendBuffer,
				bytes,
				start,
				topicEnd,
				end,
				flags,
				packetId,
				tag,
			),
		);
	}

	/** `onWritable` is to follow CONNACK. @returns {@link BUSY} */
	awaitWritable(): typeof BUSY {
		this.outbound.blockedOn |= BLOCKED_ON_CONNACK;
		return BUSY;
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
		const { outbound, connection, options } = this;
		return this.endSending(
			beginPublish(
				outbound,
				connection,
				options.sendBuffer,
				topic,
				payloadLength,
				flags,
				properties,
				packetId,
				tag,
			),
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
		const count = writePayload(this.outbound, connection, bytes, start, end);
		if (this.callbackDepth === 0) connection.flushTurn();
		return count;
	}

	/** Bytes of payload that are still to be written. */
	get payloadRemaining(): number {
		return this.connection.payloadRemaining ?? 0;
	}

	/**
	 * Call inside `onPayload`: nothing is read until {@link resume}, TCP slows the broker down, the piece stays
	 * valid, and its message is acknowledged only afterwards. A connection that ends meanwhile takes with it
	 * what was not read.
	 */
	pause(): void {
		this.connection.isPaused = true;
		this.incoming.pause();
	}

	/** Acknowledges the message, and reads on. */
	resume(): void {
		const { connection } = this;
		if (!connection.isPaused) return;
		connection.isPaused = false;
		if (this.callbackDepth > 0) return;
		connection.now = this.device.time.ticks;
		this.incoming.acknowledgeHeld();
		connection.deadlines.start(TURN_DEADLINE, 0);
	}

	/** A message was delivered, and its acknowledgement waits for the end of a pause, or for room. */
	get owesAcknowledgement(): boolean {
		return this.incoming.inbound.answerOwed === true;
	}

	/**
	 * From now on, messages are neither delivered nor acknowledged on this connection, the one that
	 * {@link pause} holds included: the broker keeps those of QoS 1 and 2 for the next connection of the
	 * session.
	 */
	leaveMessages(): void {
		this.connection.leavesMessages = true;
	}

	/**
	 * Packet identifiers of QoS 2 messages that were delivered, and that the broker has not released. They
	 * belong to the session: an application that keeps it over a restart stores them by the time that it has
	 * taken a message, and adds them before `open()`. [MQTT-4.1.0-1] [MQTT-3.1.1:3.1.2-4]
	 */
	get incomingIds(): StoredIds {
		return this.incoming.inbound.incomingIds;
	}

	/** @returns whether a packet of the application may be staged; if not, `onWritable` follows */
	private beginSending(): boolean {
		if (this.callbackDepth === 0) this.connection.now = this.device.time.ticks;
		if (this.connection.payloadRemaining) this.outbound.blockedOn |= BLOCKED_ON_PAYLOAD;
		else if (this.maySend()) return true;
		else this.outbound.blockedOn |= BLOCKED_ON_CONNACK;
		return false;
	}

	/** Call after a packet was staged, or was not. @returns `result` */
	private endSending<Result extends number>(result: Result): Result {
		if (result >= 0) {
			if (this.connection.phase !== CONNECTED) this.connection.enter(SEND);
			if (this.callbackDepth === 0) this.connection.flush();
		}
		return result;
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
	 * Sends DISCONNECT after the staged packets, then closes TCP when the broker has closed it, or after a
	 * timeout. With pipelining, DISCONNECT leaves before CONNACK, which is still read; otherwise it waits for
	 * CONNACK; with QoS 2 messages in flight it waits for their PUBCOMP. Acknowledgements that arrive meanwhile
	 * are still reported.
	 */
	close(): void {
		const connection = this.connection;
		if (!connection.enter(CLOSE)) return;
		if (connection.phase === DROPPED) connection.drop(undefined);
		else if (this.callbackDepth === 0) {
			connection.now = this.device.time.ticks;
			connection.flushTurn();
			connection.advanceClose();
		}
	}

	/** Drops TCP at once, without DISCONNECT: the broker publishes the will. `onClosed(undefined)` follows. */
	abort(): void {
		this.connection.drop(undefined);
	}

	/** During a payload only its own pieces may be written, once the buffer is empty. */
	private mayWrite(): boolean {
		const { payloadRemaining, encoder } = this.connection;
		return payloadRemaining ? encoder.length === 0 : this.outbound.canRetry();
	}

	private maySend(): boolean {
		const { phase } = this.connection;
		return phase === CONNECTED || clientPhaseAfter(phase, SEND) !== VIOLATION;
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
			this.connection.now = this.device.time.ticks;
			switch (event) {
				case TRANSPORT_CONNECTED:
					this.onConnected();
					break;
				case TRANSPORT_LOST:
					this.onLost();
					break;
				case DEADLINE_PASSED:
					this.connection.onDeadlinePassed(deadline);
					break;
			}
			if (this.incoming.hasInput) this.incoming.read();
			this.finishTurn();
		} catch (cause) {
			this.onHandlerException(cause);
		}
		this.callbackDepth--;
	}

	/** Called by the transport. */
	onUnreachable(error: ClientError): void {
		this.connection.drop(error);
	}

	/**
	 * The connection has ended. What the broker said last is read first: a refusing CONNACK, or DISCONNECT with
	 * the reason. Nothing can be sent any more, so that what is staged does not hold up reading.
	 */
	private onLost(): void {
		const connection = this.connection;
		const { transport } = connection;
		if (transport.readable > 0) {
			transport.discardOutput();
			this.incoming.read();
			if (connection.phase === CLOSED) return;
		}
		connection.onTransportLost();
	}

	/** [MQTT-3.1.1:4.8.0-2] */
	private onHandlerException(cause: unknown): void {
		const connection = this.connection;
		try {
			if (connection.phase === CLOSED) throw cause;
			connection.end(new ClientError("configuration", "a handler threw an exception", { cause }));
		} catch (lost) {
			this.device.trace?.(`exception in onClosed: ${lost}\n`);
		}
	}

	/** The TCP connection is established. */
	private onConnected(): void {
		this.connection.enter(TCP_CONNECTED);
		this.incoming.reset();
		this.connection.encoder.connect(this.fields); // [MQTT-3.1.0-1]
		// The client may send packets before CONNACK (§3.1.4).
		this.outbound.blockedOn = BLOCKED_ON_CONNACK;
		if (!this.pipelines) return;
		this.connection.enter(PIPELINE);
		this.outbound.blockedOn = 0;
		this.handler.onWritable();
	}

	/** Writes the staged packets, calls `onWritable` if `publish()` may succeed again, and advances a close. */
	private finishTurn(): void {
		this.connection.flushTurn();
		if (this.outbound.blockedOn !== 0 && this.maySend() && this.mayWrite()) {
			this.outbound.blockedOn = 0;
			this.handler.onWritable();
			this.connection.flushTurn();
		}
		if (this.connection.phase !== CONNECTED) this.connection.advanceClose();
	}
}
