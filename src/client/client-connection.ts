import { type FailureCode, KEEP_ALIVE_TIMEOUT, type ReasonCode, SUCCESS } from "../mqtt/constants";
import { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import { PropertyWriter } from "../mqtt/property-writer";
import {
	CLOSE_REQUESTED,
	CLOSED,
	type ClientEvent,
	type ClientPhase,
	CONNECTED,
	CONNECTING,
	clientPhaseAfter,
	DISCONNECT_LEFT,
	DISCONNECTED,
	DISCONNECTED_PIPELINED,
	DISCONNECTING,
	DROP,
	DROPPED,
	END,
	FAIL,
	FAILING,
	hasPipelined,
	isBeforeConnack,
	STAGE_DISCONNECT,
} from "../session/client-phase";
import { PUBREC_PENDING } from "../session/delivery";
import { Negotiated } from "../session/negotiated";
import { IGNORED, VIOLATION } from "../session/phase";
import { AliasingOutbound, hasTopicAliases } from "./aliasing-outbound";
import type { AuthenticationTurn } from "./authentication";
import {
	ACKNOWLEDGE_DEADLINE,
	CONNECT_DEADLINE,
	type Deadline,
	Deadlines,
	type DeadlinesHandler,
	DISCONNECT_DEADLINE,
	KEEP_ALIVE_DEADLINE,
	PINGRESP_DEADLINE,
	TURN_DEADLINE,
	WRITE_FAILED_DEADLINE,
} from "./deadlines";
import { ClientError, timeoutError } from "./errors";
import { KeepAlive } from "./keep-alive";
import type { ClientDevice, ClientHandler, ClientOptions } from "./options";
import { Outbound } from "./outbound";
import { FIRST_BYTES, peerProtocol } from "./peer-protocol";
import type { ServerAddress } from "./server-reference";
import { deferredAnswers } from "./streamed-publish";
import { Transport, type TransportHandler } from "./transport";

/** Bytes of the send buffer that only PINGREQ (2) and DISCONNECT (4) may use. */
export const SEND_RESERVE = 8;

/** Bytes of a DISCONNECT with a session expiry interval. */
const EXPIRING_DISCONNECT_SIZE = 9;

/** Time, in ms, to wait for unread data, or for DISCONNECT to leave, once the connection has failed. */
const LINGER_MS = 250;

const CLOSED_EARLY = "the broker closed before CONNACK";
/** Brokers of MQTT 3.1.1 alone may close on it, as RabbitMQ does before 3.13. */
const CLOSED_ON_5 = `${CLOSED_EARLY}: it may not know MQTT 5.0`;
const UNANSWERED = Object.freeze({ isConnectUnanswered: true });

/**
 * Time, in ms, to wait for the broker to close TCP once DISCONNECT has left. To close is the client's duty
 * [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-1]: many brokers leave it to the client, so that the wait only saves
 * the device TCP's TIME-WAIT where the broker is quick, and its end is no failure.
 */
export const BROKER_CLOSE_WAIT_MS = 100;

/**
 * The connection of a client to its broker: its phase, what leaves it, and every way in which it ends. What
 * may happen in a phase is in the table of session/client-phase.ts.
 */
export class ClientConnection {
	phase: ClientPhase = CLOSED;
	/** Ticks at the start of the current callback of the host. */
	now = 0;
	/** Bytes of the send buffer that are not for messages: a reserve, and the answers to what is being read. */
	reservedBytes = SEND_RESERVE;
	/** CONNECT asked for a new session. */
	beginsClean = false;
	/** The application has not taken the last piece of a message: nothing is read. */
	declare isPaused?: boolean;
	/** Messages are neither delivered nor acknowledged on this connection: the broker keeps them. */
	declare leavesMessages?: boolean;
	/**
	 * See `Client.isSubscribed`; absent: nothing was subscribed; "unconfirmed": if CONNACK finds the session.
	 */
	declare isSubscribed?: boolean | "unconfirmed";
	/** Of an exchange of AUTHs; see authentication.ts. */
	declare authenticationTurn?: AuthenticationTurn | undefined;
	/** Where this connection leads, if not where the options say. */
	declare server?: ServerAddress | undefined;
	/** Seconds; what DISCONNECT says about the session, if anything. */
	declare disconnectExpiry?: number | undefined;
	// Of a message whose payload follows piece by piece; see streamed-publish.ts
	declare payloadRemaining?: number;
	declare streamedId?: number;
	declare deferredAnswers?: Encoder;
	readonly negotiated: Negotiated;
	readonly encoder: Encoder;
	readonly transport: Transport;
	readonly deadlines: Deadlines;
	readonly keepAlive: KeepAlive;
	readonly outbound: Outbound;
	private readonly options: ClientOptions;
	private readonly handler: ClientHandler;
	/** Why the connection ends, while DISCONNECT leaves or until the application is told. */
	private closeError: ClientError | undefined;
	/** The first bytes that the peer sent, at most FIRST_BYTES, as a big-endian number. */
	private firstBytes = 0;
	private firstBytesLength = 0;

	/** @param owner receives the events of the transport and the deadlines */
	constructor(
		options: ClientOptions,
		handler: ClientHandler,
		device: ClientDevice,
		owner: TransportHandler & DeadlinesHandler,
	) {
		const { version, sendBuffer, pingTimeout } = options;
		const { time, timer } = device;
		this.options = options;
		this.handler = handler;
		this.negotiated = new Negotiated(version);
		const encoder = new Encoder({ size: sendBuffer + SEND_RESERVE, version });
		this.encoder = encoder;
		this.transport = new Transport(device, encoder, owner);
		const deadlines = new Deadlines(timer, time, owner);
		this.deadlines = deadlines;
		this.keepAlive = new KeepAlive(time, encoder, deadlines, pingTimeout);
		this.outbound = hasTopicAliases(options)
			? new AliasingOutbound(options, this, time)
			: new Outbound(options, this, time);
	}

	/** Enters the phase that follows an event. @returns false: the event is not possible in this phase */
	enter(event: ClientEvent): boolean {
		const next = clientPhaseAfter(this.phase, event);
		if (next === VIOLATION || next === IGNORED) return false;
		this.phase = next;
		return true;
	}

	/** Where answers are staged: behind the other packets, or apart while a payload is incomplete. */
	get answers(): Encoder {
		return this.payloadRemaining ? deferredAnswers(this) : this.encoder;
	}

	/**
	 * Resolves the name and connects, in phase CONNECTING; CONNECT is staged.
	 * @param server by default as configured
	 */
	connect(server: ServerAddress | undefined): void {
		const { host, port } = server ?? this.options;
		this.closeError = undefined;
		this.firstBytesLength = 0;
		if (this.server !== server) this.server = server;
		if (this.authenticationTurn !== undefined) this.authenticationTurn = undefined;
		if (this.disconnectExpiry !== undefined) this.disconnectExpiry = undefined;
		if (this.isPaused) this.isPaused = false;
		if (this.leavesMessages) this.leavesMessages = false;
		if (this.payloadRemaining) this.payloadRemaining = 0;
		this.deferredAnswers?.reset();
		this.outbound.reset();
		this.deadlines.start(CONNECT_DEADLINE, this.options.connectTimeout);
		this.transport.resolveAndConnect(host, port);
	}

	/** Records the first bytes of the peer. @param count bytes of the transport's chunk */
	noteFirstBytes(count: number): void {
		const chunk = this.transport.chunk;
		for (let i = 0; i < count && this.firstBytesLength < FIRST_BYTES; i++) {
			this.firstBytes = (this.firstBytes << 8) | chunk[i];
			this.firstBytesLength++;
		}
	}

	/** Error for a peer whose first bytes, before CONNACK, show that it is no MQTT broker. */
	foreignPeerError(reasonCode: ReasonCode): ClientError | undefined {
		if (!isBeforeConnack(this.phase)) return undefined;
		const protocol = peerProtocol(this.firstBytes, this.firstBytesLength);
		if (protocol === undefined) return undefined;
		const { host, port } = this.server ?? this.options;
		return new ClientError("configuration", `${host}:${port} is no MQTT broker: it speaks ${protocol}`, {
			reasonCode,
		});
	}

	/** Writes the staged packets if the socket has room for them. */
	flush(): void {
		if (this.transport.flush()) this.keepAlive.noteSent(this.now);
		if (this.transport.writeFailed && !this.deadlines.running(WRITE_FAILED_DEADLINE))
			this.deadlines.start(WRITE_FAILED_DEADLINE, LINGER_MS);
	}

	/** Writes the staged packets, followed by DISCONNECT once the application has closed the connection. */
	flushTurn(): void {
		// No packet may follow DISCONNECT. [MQTT-3.14.4-1]
		if (
			this.phase !== CONNECTED &&
			!this.outbound.owesPubrel &&
			!this.payloadRemaining &&
			this.hasDisconnectRoom &&
			this.enter(STAGE_DISCONNECT)
		)
			this.stageDisconnect(SUCCESS, this.options.acknowledgeTimeout);
		this.flush();
	}

	/** The send buffer's reserve has room for DISCONNECT, but not for the properties. */
	private get hasDisconnectRoom(): boolean {
		if (this.disconnectExpiry === undefined || this.encoder.room >= EXPIRING_DISCONNECT_SIZE) return true;
		this.flush();
		if (this.encoder.room >= EXPIRING_DISCONNECT_SIZE) return true;
		// Without keep alive nothing else would notice that the broker takes nothing any more.
		if (this.phase === CLOSE_REQUESTED && !this.deadlines.running(DISCONNECT_DEADLINE))
			this.deadlines.start(DISCONNECT_DEADLINE, this.options.acknowledgeTimeout);
		return false;
	}

	/** Stages DISCONNECT, the last packet. [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-2] @param ms for it to leave */
	private stageDisconnect(reasonCode: ReasonCode, ms: number): void {
		this.deadlines.stop(ACKNOWLEDGE_DEADLINE);
		// After CONNACK it is that of an AUTH.
		if (this.negotiated.isAgreed) this.deadlines.stop(CONNECT_DEADLINE);
		this.keepAlive.stop();
		const disconnectExpiry = this.disconnectExpiry;
		if (disconnectExpiry === undefined) this.encoder.disconnect(reasonCode);
		else this.encoder.disconnect(reasonCode, new PropertyWriter(5).sessionExpiryInterval(disconnectExpiry));
		this.deadlines.start(DISCONNECT_DEADLINE, ms);
	}

	/** Once DISCONNECT has left: waits for the broker to close TCP. [MQTT-3.14.4-2] [MQTT-3.1.1:3.14.4-1] */
	advanceClose(): void {
		const transport = this.transport;
		if (transport.writeFailed || !transport.drained || !this.enter(DISCONNECT_LEFT)) return;
		// Before CONNACK the connection has its own deadline.
		if (this.phase === DISCONNECTED_PIPELINED) this.deadlines.stop(DISCONNECT_DEADLINE);
		else this.awaitBrokerClose();
	}

	/** CONNACK has accepted the connection. @param next the phase that follows */
	onAccepted(connack: Packet, next: ClientPhase): void {
		const negotiated = this.negotiated;
		negotiated.agree(connack.properties, connack.sessionPresent);
		if (this.isSubscribed) this.isSubscribed = connack.sessionPresent;
		this.phase = next;
		if (this.authenticationTurn !== undefined) this.authenticationTurn = undefined;
		this.deadlines.stop(CONNECT_DEADLINE);
		if (next === CONNECTED) {
			this.outbound.onConnack(this.now);
			this.keepAlive.start(negotiated.keepAliveSeconds, this.now);
		} else if (next === DISCONNECTED) this.awaitBrokerClose();
	}

	/**
	 * A PUBACK has arrived that violates the protocol. @returns whether the broker lacks QoS 2, as brokers of
	 * MQTT 3.1.1 do that answer it so (RabbitMQ 3): they cannot tell before, and are sent QoS 1 from then on
	 */
	noteMissingQoS2(packetId: number): boolean {
		const { negotiated, outbound } = this;
		if (negotiated.version !== 4 || outbound.inFlight.state(packetId) !== PUBREC_PENDING) return false;
		negotiated.maximumQoS = 1;
		return true;
	}

	/** Waits for the broker to close the connection, and longer for missing acknowledgements. */
	awaitBrokerClose(): void {
		this.deadlines.start(
			DISCONNECT_DEADLINE,
			this.outbound.inFlight.count > 0 ? this.options.acknowledgeTimeout : BROKER_CLOSE_WAIT_MS,
		);
	}

	/**
	 * Ends the connection because of an error, which DISCONNECT reports to an MQTT 5.0 broker. [MQTT-4.13.2-1]
	 * [MQTT-3.1.1:4.8.0-1] MQTT 3.1.1 has only the normal DISCONNECT, which would suppress the will.
	 */
	fail(reasonCode: FailureCode, error: ClientError): void {
		if (this.disconnectExpiry !== undefined) this.disconnectExpiry = undefined;
		if (this.payloadRemaining) {
			// No packet may follow half a PUBLISH.
			this.end(error);
			return;
		}
		if (this.negotiated.version === 4 || !this.enter(FAIL)) {
			this.end(error);
			return;
		}
		this.closeError = error;
		this.stageDisconnect(reasonCode, LINGER_MS);
	}

	/**
	 * Drops TCP and calls `onClosed` from the timer, as no handler callback runs inside a method of the client.
	 */
	drop(error: ClientError | undefined): void {
		if (!this.enter(DROP)) return;
		this.closeError = error;
		this.transport.close();
		this.deadlines.stopAll();
		this.deadlines.start(TURN_DEADLINE, 0);
	}

	/** Ends the connection now. */
	end(error: ClientError | undefined): void {
		if (!this.enter(END)) return;
		this.transport.close();
		this.deadlines.dispose();
		this.handler.onClosed(error);
	}

	/** TCP has ended, and all that the broker said is read. */
	onTransportLost(): void {
		const phase = this.phase;
		const failure = this.transport.failure;
		if (phase === FAILING) this.end(this.closeError);
		else if (failure !== undefined && (phase === CONNECTING || isBeforeConnack(phase)))
			this.end(new ClientError(failure.fault, failure.message));
		else if (phase === CONNECTING)
			this.end(new ClientError("transport", "no TCP connection: refused or unreachable"));
		else if (isBeforeConnack(phase))
			this.end(
				this.foreignPeerError(0) ??
					new ClientError("transport", this.negotiated.version === 5 ? CLOSED_ON_5 : CLOSED_EARLY, {
						pipelineRefused: hasPipelined(phase),
						isConnectUnanswered: true,
					}),
			);
		else if (
			(phase === DISCONNECTING || phase === DISCONNECTED) &&
			this.encoder.length === 0 &&
			!this.transport.writeFailed
		)
			this.end(undefined);
		else
			this.end(
				new ClientError(
					failure?.fault ?? "transport",
					failure === undefined ? "the connection was lost" : `the connection was lost: ${failure.message}`,
				),
			);
	}

	onDeadlinePassed(deadline: Deadline): void {
		const { connectTimeout, acknowledgeTimeout, pingTimeout } = this.options;
		switch (deadline) {
			case CONNECT_DEADLINE:
				if (this.phase === CONNECTING)
					this.end(timeoutError("transport", "no TCP connection", connectTimeout));
				else if (isBeforeConnack(this.phase))
					this.end(
						this.foreignPeerError(0) ?? timeoutError("peer", "no CONNACK", connectTimeout, UNANSWERED),
					);
				else this.end(timeoutError("peer", "no AUTH", acknowledgeTimeout));
				break;
			case ACKNOWLEDGE_DEADLINE:
				// What is missing may have arrived, and not be read yet.
				if (this.isPaused) this.outbound.inFlight.restartWaits(this.now);
				if (this.outbound.acknowledgeOverdue(this.now)) {
					const problem = this.outbound.inFlight.count > 0 ? "no PUBACK" : "no SUBACK or UNSUBACK";
					this.end(timeoutError("peer", problem, acknowledgeTimeout));
				}
				break;
			case KEEP_ALIVE_DEADLINE:
				if (this.payloadRemaining) this.deadlines.start(KEEP_ALIVE_DEADLINE, pingTimeout);
				else this.keepAlive.onDeadline(this.now);
				break;
			case PINGRESP_DEADLINE:
				if (this.isPaused) this.deadlines.start(PINGRESP_DEADLINE, pingTimeout);
				else this.end(timeoutError("peer", "no PINGRESP", pingTimeout, { reasonCode: KEEP_ALIVE_TIMEOUT }));
				break;
			case DISCONNECT_DEADLINE:
				if (this.phase === FAILING) this.end(this.closeError);
				else if (this.phase !== DISCONNECTED)
					this.end(timeoutError("transport", "DISCONNECT did not leave", acknowledgeTimeout));
				else if (this.outbound.inFlight.count > 0)
					this.end(timeoutError("peer", "no PUBACK after DISCONNECT", acknowledgeTimeout));
				else this.end(undefined);
				break;
			case WRITE_FAILED_DEADLINE:
				this.onTransportLost();
				break;
			case TURN_DEADLINE:
				if (this.phase === DROPPED) this.end(this.closeError);
				break;
		}
	}
}
