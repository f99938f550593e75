import type { TCP, TCPConstructor } from "../../device";
import type { ReasonCode, Version } from "../../mqtt/constants";
import {
	ACCEPT,
	type BrokerEvent,
	type BrokerPhase,
	brokerPhaseAfter,
	CONNECTED,
	END,
	FREE,
} from "../../session/broker-phase";
import { type AnnouncedLimits, UNLIMITED } from "../../session/negotiated";
import { IGNORED, UNREAD, VIOLATION } from "../../session/phase";
import { networkNumber } from "../pool/peer";
import type { PartialPackets } from "./partial-packets";

/** Index of the listener for WebSocket and the status page. */
export const WEB_SOCKET_LISTENER = 1;

/** In place of the index of a listener: a connection within this device, which keeps its place. */
export const LOCAL_LISTENER = 2;

// Reasons for closing a connection, beside the reason codes of the protocol
/** The connection is lost. */
export const LOST = -1;
/** The peer was told by other means: with CONNACK, or by its WebSocket. */
export const TOLD = -2;

/** Why a connection is closed: a reason code of 0x80 or above is sent to an MQTT 5.0 client in DISCONNECT. */
export type CloseReason = ReasonCode | typeof LOST | typeof TOLD;

/**
 * Room in the socket that is reserved for the answer to a packet, bytes: the longest CONNACK, or any
 * acknowledgement except SUBACK and UNSUBACK.
 */
export const ANSWER_ROOM = 192;

/**
 * Room in the socket that no message uses up, bytes: the acknowledgement of the packet that is being handled
 * and DISCONNECT leave in any case.
 */
export const LAST_WORD_ROOM = 64;

/** `lengthState` before the first byte of a packet. */
export const HEADER_START = -1;

// Client flags
/** The client has no keep alive: it is not closed for silence, and gives way first when places are short. */
export const NO_KEEP_ALIVE = 1;
/** The client accepts no reason strings in acknowledgements (Request Problem Information, §3.1.2.11.7). */
export const NO_REASON_STRING = 2;
/** The client requested the arrival time of stored values. */
export const WANTS_TIMESTAMP = 4;
/** Stored values are pending for the client. */
export const RETAINED_PENDING = 8;
/** A bridge over MQTT 3.1.1: its subscriptions are without what it has published, and RETAIN is kept. */
export const BRIDGE_CLIENT = 16;

/** A socket, and what a WebSocket has besides. */
interface Socket extends TCP {
	/** Whether a Close frame has ended it, whose answer the peer has yet to read. */
	readonly drains?: boolean;
	/** Whether bytes that are not announced are unread in its socket. */
	readonly holdsBack?: boolean;
	/** Whether frames are unread because the budget of the turn, which it has begun, is used up. */
	readonly turnEnded?: boolean;
	/** Whether it carries an HTTP request that is complete, and whose answer is not. */
	readonly answering?: boolean;
	/** Whether what is unread waits for the next turn. */
	paused?: boolean;
	resume?(): void;
}

/** Callbacks of a connection. None of them throws. */
export interface ConnectionOwner {
	/** `bytes` can be read. */
	onReadable(connection: Connection, bytes: number): void;
	/** `bytes` can be written. */
	onWritable(connection: Connection, bytes: number): void;
	/** The socket has failed, or the peer has closed it. */
	onError(connection: Connection): void;
	/**
	 * The connection to the peer is lost.
	 * @param drains whether only its WebSocket has ended: the peer has yet to read why
	 */
	onLost(connection: Connection, drains: boolean): void;
	/** Called before and after each callback of the host, also by the owner itself. */
	beginCallback(): void;
	endCallback(): void;
}

/**
 * One client's connection: its phase, what CONNECT announced, its socket, and the position in the byte stream
 * that the packet reader goes on from. What may happen in a phase is in the table of session/broker-phase.ts.
 */
export class Connection implements AnnouncedLimits {
	/** Counted from 1. */
	readonly index: number;
	phase: BrokerPhase = FREE;
	version: Version = 4;
	session = 0;
	/** Bytes that can be written to the socket now. */
	room = 0;
	/** Largest packet that is sent to the client, bytes: it accepts that, and its socket has room for it. */
	maximumPacketSize = 0;
	/** Maximum number of QoS 1 and 2 messages in flight to the client, by its limit and the broker's. */
	receiveMaximum = 0;
	/** Time of the last packet received, and the timeout from then on (0: none), ms of the broker's clock. */
	lastReceivedAt = 0;
	keepAliveTimeoutMs = 0;
	/** NO_KEEP_ALIVE, NO_REASON_STRING, WANTS_TIMESTAMP, RETAINED_PENDING. */
	clientFlags = 0;
	/** Number of topic aliases that the client accepts, limited by the broker's own maximum. */
	topicAliasMaximum = 0;
	/** Index of the listener that accepted it. */
	listenerIndex = 0;
	/** Set while it is being closed. */
	closeReason: CloseReason = 0;
	/** The client's network, as networkNumber(). */
	network = 0;
	/**
	 * While RETAINED_PENDING is set: the subscription whose stored values are being sent, 0 between two; and
	 * the record examined last, or the subscription before.
	 */
	retainedSubscription = 0;
	retainedCursor = 0;
	/** The socket; undefined in phase FREE. */
	tcp: Socket | undefined;
	/** Bytes that can be read now. */
	available = 0;
	/**
	 * First byte and remaining length of the packet that is being read. `lengthState`: HEADER_START before the
	 * first byte, then that of reading the remaining length.
	 */
	firstByte = 0;
	remainingLength = 0;
	lengthState = HEADER_START;
	/** Bytes of that packet in the pool of partial packets. */
	heldBytes = 0;
	/** Whether its turn has ended with bytes unread: it continues in the next one. */
	waitsForTurn = false;
	readonly owner: ConnectionOwner;
	/** What has arrived of incomplete packets. */
	readonly partialPackets: PartialPackets;

	constructor(index: number, owner: ConnectionOwner, partialPackets: PartialPackets) {
		this.index = index;
		this.owner = owner;
		this.partialPackets = partialPackets;
	}

	/** Enters the phase that follows an event. @returns false: the event is not possible in this phase */
	enter(event: BrokerEvent): boolean {
		const next = brokerPhaseAfter(this.phase, event);
		if (next === VIOLATION || next === IGNORED || next === UNREAD) return false;
		this.phase = next;
		return true;
	}

	/** Takes over a socket from a listener. @throws what the host's socket throws */
	adopt(from: TCP, io: TCPConstructor): void {
		this.room = 0;
		this.session = 0;
		this.clientFlags = 0;
		this.topicAliasMaximum = 0;
		this.maximumPacketSize = UNLIMITED;
		this.version = 4;
		this.retainedSubscription = 0;
		this.retainedCursor = 0;
		this.available = 0;
		this.lengthState = HEADER_START;
		this.waitsForTurn = false;
		this.enter(ACCEPT);
		this.network = 0;
		this.tcp = io.hasTarget ? socketFor(this, io, from) : this.createSocket(io, from);
		// Read now, as the SDK's getter must not be called after the peer has disconnected
		this.network = networkNumber(this.tcp.remoteAddress);
	}

	private createSocket(io: TCPConstructor, from: TCP): TCP {
		// Closures that capture only this connection take the least memory
		return createSocket(
			io,
			from,
			(bytes) => this.owner.onReadable(this, bytes),
			(bytes) => this.owner.onWritable(this, bytes),
			() => this.owner.onError(this),
		);
	}

	/** Writes a sealed view; false if that fails, and the connection is lost. */
	write(view: Uint8Array): boolean {
		const tcp = this.tcp;
		if (tcp !== undefined) {
			try {
				const room = tcp.write(view);
				if (room !== undefined) {
					this.room = room;
					return true;
				}
			} catch {
				// a closed socket throws or returns undefined, depending on the platform
			}
		}
		this.room = 0;
		this.owner.onLost(this, false);
		return false;
	}

	/** Closes the socket and frees the connection. */
	close(): void {
		const { tcp } = this;
		this.tcp = undefined;
		this.enter(END);
		this.session = 0;
		this.room = 0;
		this.waitsForTurn = false;
		this.dropHeld();
		try {
			tcp?.close();
		} catch {
			// already closed
		}
	}

	/** Drops what has arrived of an incomplete packet. */
	dropHeld(): void {
		if (this.heldBytes > 0) this.partialPackets.remove(this.index);
		this.heldBytes = 0;
	}

	/**
	 * Whether the socket may hold back the news that its connection has ended. While it waits for its turn, the
	 * broker itself does: all that the peer has sent is processed first.
	 */
	get needsProbe(): boolean {
		if (this.waitsForTurn) return false;
		return (
			this.available > 0 ||
			(this.phase === CONNECTED && (this.room < ANSWER_ROOM || this.tcp?.holdsBack === true))
		);
	}

	/**
	 * Reports a lost connection whose socket is not empty: a write fails as soon as the connection has ended,
	 * even a write of no bytes (lwIP: xs_tcp_write throws "not ready").
	 */
	probe(): void {
		// A view of its own: a write that throws allocates, which the shortened send area must not see
		this.write(new Uint8Array(0));
	}
}

/** Functions passed as arguments stay anonymous: a name that tsx gives to a function takes 256 B on V8. */
function createSocket(
	io: TCPConstructor,
	from: TCP,
	onReadable: (bytes: number) => void,
	onWritable: (bytes: number) => void,
	onError: () => void,
): TCP {
	return new io({ from, nodelay: true, onReadable, onWritable, onError });
}

/** What callbacks get as `this` from a socket that has a target. */
interface TargetSocket {
	readonly target: Connection;
}

/** With callbacks in flash: three closures take 26 slots of memory. Tail calls take no stack. */
function socketFor(target: Connection, io: TCPConstructor, from: TCP): TCP {
	return new io({
		from,
		nodelay: true,
		target,
		onReadable: targetOnReadable,
		onWritable: targetOnWritable,
		onError: targetOnError,
	});
}

function targetOnReadable(this: TargetSocket, bytes: number): unknown {
	const { target } = this;
	return target.owner.onReadable(target, bytes);
}

function targetOnWritable(this: TargetSocket, bytes: number): unknown {
	const { target } = this;
	return target.owner.onWritable(target, bytes);
}

function targetOnError(this: TargetSocket): unknown {
	const { target } = this;
	return target.owner.onError(target);
}
