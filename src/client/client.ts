import type { ConnectFields } from "../mqtt/packet-fields";
import {
	CLOSE,
	CLOSED,
	CONNECTED,
	CONNECTING,
	DROPPED,
	OPEN,
	PIPELINE,
	PIPELINED,
	TCP_CONNECTED,
} from "../session/client-phase";
import type { InFlight } from "../session/in-flight";
import type { IncomingIds } from "../session/incoming-ids";
import type { Negotiated } from "../session/negotiated";
import { ClientConnection } from "./client-connection";
import { connectFields, connectSize } from "./connect-fields";
import { DEADLINE_PASSED, type Deadline, type DeadlinesHandler, TURN_DEADLINE } from "./deadlines";
import { ClientError } from "./errors";
import { IncomingPackets } from "./incoming-packets";
import type { ClientDevice, ClientHandler, ClientOptions, ClientState, OpenOptions } from "./options";
import { BLOCKED_ON_CONNACK, type Outbound } from "./outbound";
import { PacketSender } from "./packet-sender";
import {
	TRANSPORT_CHANGED,
	TRANSPORT_CONNECTED,
	TRANSPORT_LOST,
	type TransportEvent,
	type TransportHandler,
} from "./transport";

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
 * `open()` reuses them; later only `open()`, the first message of the broker and errors allocate.
 */
export class Client extends PacketSender implements TransportHandler, DeadlinesHandler {
	// Not #: each #name that a method mentions takes a slot of the stack, and these are below all callbacks.
	protected readonly options: ClientOptions;
	private readonly handler: ClientHandler;
	protected readonly device: ClientDevice;
	/** What CONNECT says, until it is staged. */
	declare private fields?: ConnectFields | undefined;
	protected readonly connection: ClientConnection;
	protected readonly outbound: Outbound;
	protected readonly incoming: IncomingPackets;
	/** Nesting depth of host callbacks. Packets staged inside a callback leave at its end, in one write. */
	protected callbackDepth = 0;
	/** Whether packets may leave before CONNACK on this connection. */
	private pipelines = false;

	/**
	 * @throws RangeError or MQTTError for an option that MQTT does not allow, such as U+0000 in a topic, and
	 *   for a CONNECT longer than `sendBuffer`
	 */
	constructor(options: ClientOptions, handler: ClientHandler, device: ClientDevice) {
		super();
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
		this.incoming = new IncomingPackets(options, handler, connection);
	}

	get state(): ClientState {
		const phase = this.connection.phase;
		if (phase === CLOSED) return "closed";
		if (phase === CONNECTING) return "connecting";
		if (phase === CONNECTED) return "open";
		return phase <= PIPELINED ? "handshake" : "closing";
	}

	/** Whether {@link state} is "closed". */
	get isClosed(): boolean {
		return this.connection.phase === CLOSED;
	}

	/** What the last CONNECT and CONNACK fixed; before CONNACK the limits of an earlier one. */
	get negotiated(): Negotiated {
		return this.connection.negotiated;
	}

	/** Address of the broker; undefined: there is no connection, or the platform does not know it. */
	get remoteAddress(): string | undefined {
		return this.connection.transport.remoteAddress;
	}

	/** The device's clock. */
	get time(): ClientDevice["time"] {
		return this.device.time;
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
		connection.negotiated.begin(keepAlive, sessionExpiry, options?.limits);
		this.stageConnect(options?.cleanStart ?? this.options.cleanStart, options?.isBridge);
		connection.connect(options?.server);
	}

	/** What CONNECT says is needed no more then: its memory is free for the socket and for what follows. */
	private stageConnect(cleanStart: boolean, isBridge: boolean | undefined): void {
		const connection = this.connection;
		const fields = this.fields ?? connectFields(this.options);
		this.fields = undefined;
		fields.cleanStart = cleanStart;
		if (isBridge) fields.isBridge = isBridge;
		connection.beginsClean = cleanStart;
		// Of what an application has sent since the last connection, nothing may leave before CONNECT.
		connection.encoder.reset();
		connection.encoder.connect(fields, true); // [MQTT-3.1.0-1]
	}

	/**
	 * Sends DISCONNECT after the staged packets, then closes TCP when the broker has closed it, or after a
	 * timeout. With pipelining, DISCONNECT leaves before CONNACK, which is still read; otherwise it waits for
	 * CONNACK; with QoS 2 messages in flight it waits for their PUBCOMP. Acknowledgements that arrive meanwhile
	 * are still reported.
	 * @param sessionExpiry seconds that the broker keeps the session after this connection, 0 … 2^32 − 1,
	 *   instead of those of CONNECT or CONNACK (§3.14.2.2.2); MQTT 3.1.1 has no such thing, and ignores it
	 * @throws RangeError if it is out of range, or not 0 where CONNECT asked for 0
	 */
	close(sessionExpiry?: number): void {
		const connection = this.connection;
		if (sessionExpiry !== undefined) checkSessionExpiry(sessionExpiry, this.options.sessionExpiry);
		if (!connection.enter(CLOSE)) return;
		if (sessionExpiry !== undefined && this.options.version === 5)
			connection.disconnectExpiry = sessionExpiry;
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
		const connection = this.connection;
		if (!connection.isPaused) return;
		connection.isPaused = false;
		if (this.callbackDepth === 0) {
			connection.now = this.device.time.ticks;
			this.incoming.acknowledgeHeld();
		}
		// Also inside a callback: that of `onWritable` comes after all that is read in its turn
		connection.deadlines.start(TURN_DEADLINE, 0);
	}

	/** A message was delivered, and its acknowledgement waits for the end of a pause, or for room. */
	get owesAcknowledgement(): boolean {
		return this.incoming.owesAcknowledgement;
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

	/** Without them, {@link incomingIds} need not be made, as most nodes never receive a message. */
	clearIncomingIds(): void {
		this.incoming.clearIds();
	}

	/** During a payload only its own pieces may be written, once the buffer is empty. */
	private mayWrite(): boolean {
		const { payloadRemaining, encoder } = this.connection;
		return payloadRemaining ? encoder.length === 0 : this.outbound.canRetry();
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
			if (event !== TRANSPORT_CHANGED) this.onRareEvent(event, deadline);
			this.incoming.read();
			this.finishTurn();
		} catch (cause) {
			this.onHandlerException(cause);
		}
		this.callbackDepth--;
	}

	private onRareEvent(event: TransportEvent | typeof DEADLINE_PASSED, deadline: Deadline): void {
		if (event === DEADLINE_PASSED) this.connection.onDeadlinePassed(deadline);
		else if (event === TRANSPORT_CONNECTED) this.onConnected();
		else if (event === TRANSPORT_LOST) this.onLost();
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
		const transport = connection.transport;
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
		const connection = this.connection;
		connection.enter(TCP_CONNECTED);
		// Without its CONNACK, the last CONNECT may have begun the session that this one finds.
		if (connection.isSubscribed) connection.isSubscribed = connection.isSubscribed === true && "unconfirmed";
		this.incoming.reset();
		// The client may send packets before CONNACK (§3.1.4).
		this.outbound.blockedOn = BLOCKED_ON_CONNACK;
		if (!this.pipelines) return;
		this.connection.enter(PIPELINE);
		this.outbound.blockedOn = 0;
		this.handler.onWritable();
	}

	/** For the transport: nothing is staged, no caller waits to be called again, and all input is read. */
	get isQuiet(): boolean {
		const connection = this.connection;
		return (
			connection.phase === CONNECTED &&
			connection.encoder.length === 0 &&
			this.outbound.blockedOn === 0 &&
			!this.incoming.hasInput
		);
	}

	/** Writes the staged packets, calls `onWritable` if `publish()` may succeed again, and advances a close. */
	private finishTurn(): void {
		// Most turns of a connection that stays end here, and have nothing to do.
		if (this.connection.phase === CONNECTED && this.outbound.blockedOn === 0) {
			if (this.connection.encoder.length > 0) this.connection.flush();
			return;
		}
		this.connection.flushTurn();
		if (this.outbound.blockedOn !== 0 && this.maySend() && this.mayWrite()) {
			this.outbound.blockedOn = 0;
			this.handler.onWritable();
			this.connection.flushTurn();
		}
		if (this.connection.phase !== CONNECTED) this.connection.advanceClose();
	}
}

/** @param connect seconds that CONNECT asked for */
function checkSessionExpiry(seconds: number, connect: number): void {
	if (!(seconds >= 0 && seconds <= 0xffff_ffff) || seconds % 1 !== 0)
		throw new RangeError(`sessionExpiry: ${seconds}, not 0 to 4,294,967,295`);
	if (seconds > 0 && connect === 0) throw new RangeError("sessionExpiry: CONNECT asked for none");
}
