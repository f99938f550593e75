import type { TCP, TCPConstructor } from "../../device";
import {
	MALFORMED_PACKET,
	MAXIMUM_REMAINING_LENGTH,
	PACKET_TOO_LARGE,
	PROTOCOL_ERROR,
	type Version,
} from "../../mqtt/constants";
import { packetSize, readVarintByte, VARINT_COMPLETE, VARINT_START, varintValue } from "../../mqtt/varint";
import {
	ACCEPT,
	AWAITING_CONNECT,
	type BrokerEvent,
	type BrokerPhase,
	brokerPhaseAfter,
	CLOSING,
	CONNECT_UNREAD,
	CONNECTED,
	DRAIN,
	DRAINING,
	END,
	FREE,
	HOLD_CONNECT,
	RESUME_CONNECT,
} from "../../session/broker-phase";
import { IGNORED, type PacketType, UNREAD, VIOLATION } from "../../session/phase";
import { networkNumber } from "../pool/peer";
import type { ReceiveContext } from "./receive-context";

/** Index of the listener for WebSocket and the status page. */
export const WEB_SOCKET_LISTENER = 1;

/** Longest time for which input is discarded before a connection is closed, ms. */
export const DRAIN_MS = 500;
/** Largest number of bytes discarded, beyond those that had arrived. */
const DRAIN_BYTES = 16_384;

// Reasons for closing a connection, beside the reason codes of the protocol; no DISCONNECT is sent
/** The connection is lost. */
export const LOST = 1;
/** The peer was told by other means: with CONNACK, or by its WebSocket. */
export const TOLD = 2;

/**
 * Room in the socket that is reserved for the answer to a packet, bytes: the longest CONNACK, or any
 * acknowledgement except SUBACK and UNSUBACK.
 */
const ANSWER_ROOM = 192;

/**
 * Room in the socket that no message uses up, bytes: the acknowledgement of the packet that is being handled
 * and DISCONNECT leave in any case.
 */
export const LAST_WORD_ROOM = 64;

/** State of the fixed header before its first byte. */
const HEADER_START = -1;

// Client flags
/** The client has no keep alive: it is not closed for silence, and gives way first when places are short. */
export const NO_KEEP_ALIVE = 1;
/** The client accepts no reason strings in acknowledgements (Request Problem Information, §3.1.2.11.7). */
export const NO_REASON_STRING = 2;
/** The client requested the arrival time of stored values. */
export const WANTS_TIMESTAMP = 4;
/** Stored values are pending for the client. */
export const RETAINED_PENDING = 8;

/** Maximum packet size of a client that sets none: the limit of the protocol. */
const UNLIMITED_PACKET = MAXIMUM_REMAINING_LENGTH + 5;

/** What a WebSocket has besides the members of a socket. */
interface WebSocket extends TCP {
	readonly drains?: boolean;
	/** Whether bytes that are not announced are unread in its socket. */
	readonly holdsBack?: boolean;
	/** Whether frames are unread because the budget of the turn, which it has begun, is used up. */
	readonly turnEnded?: boolean;
	/** Whether what is unread waits for the next turn. */
	paused?: boolean;
	resume?(): void;
}

/** Callbacks of a connection. None of them throws. */
export interface ConnectionOwner {
	/**
	 * A whole packet was read: its first byte, and the rest after its fixed header in [start, end) of the
	 * memory.
	 */
	onPacket(connection: Connection, first: number, start: number, end: number): void;
	/** The peer violated the protocol or the packet size limit. */
	onProtocolError(connection: Connection, reasonCode: number): void;
	/** There is room to write again. */
	onWritable(connection: Connection): void;
	/**
	 * The connection to the peer is lost.
	 * @param drains whether only its WebSocket has ended: the peer has yet to read why
	 */
	onLost(connection: Connection, drains: boolean): void;
	/**
	 * Received bytes stay in the socket. Until they are read, the SDK does not tell that the connection has
	 * ended: probe() must be called soon.
	 */
	onUnread(): void;
	/** The connection has used up the budget of its turn: takeTurn() must be called after others had theirs. */
	onTurnEnded(): void;
	/** Called before and after each callback of the socket. */
	beginCallback(): void;
	endCallback(): void;
	/** An unexpected exception was caught. */
	onInternalError(connection: Connection, error: unknown): void;
	/** Whether the CONNECT of a connection must not be read yet, as an authentication is pending. */
	mustWait(connection: Connection): boolean;
}

/**
 * One client's socket, and the read position in its byte stream.
 *
 * What has arrived of an incomplete packet moves to a pool that all connections share, as the SDK does not
 * tell the end of a connection before its socket is empty. Complete packets stay in the platform's TCP while
 * there is no room for their answers, so that nothing is read from a peer that does not read.
 */
export class Connection {
	/** Counted from 1. */
	readonly index: number;
	phase: BrokerPhase = FREE;
	version: Version = 4;
	session = 0;
	/** Bytes that can be written to the socket now. */
	room = 0;
	/** Largest packet the client accepts, bytes. */
	maximumPacketSize = 0;
	/** Maximum number of QoS 1 and 2 messages in flight to the client. */
	sendQuota = 0;
	/** Time of the last packet received, and the timeout from then on (0: none), ms of the broker's clock. */
	lastReceivedAt = 0;
	keepAliveTimeoutMs = 0;
	/** NO_KEEP_ALIVE, NO_REASON_STRING, WANTS_TIMESTAMP, RETAINED_PENDING. */
	clientFlags = 0;
	/** Number of topic aliases that the client accepts, limited by the broker's own maximum. */
	topicAliasMaximum = 0;
	/** Index of the listener that accepted it. */
	listenerIndex = 0;
	/** Reason code with which it is being closed. */
	closeReason = 0;
	/** The client's network, as networkNumber(). */
	network = 0;
	/**
	 * While RETAINED_PENDING is set: the subscription whose stored values are being sent, 0 between two; and
	 * the record examined last, or the subscription before.
	 */
	retainedSubscription = 0;
	retainedCursor = 0;
	readonly #owner: ConnectionOwner;
	readonly #context: ReceiveContext;
	#tcp: TCP | undefined;
	/** Bytes that can be read now. */
	#available = 0;
	/**
	 * First byte and remaining length of the packet that is being read. `#lengthState`: HEADER_START before the
	 * first byte, then that of reading the remaining length.
	 */
	#firstByte = 0;
	#remainingLength = 0;
	#lengthState = HEADER_START;
	/** Whether its turn has ended with bytes unread: it continues with takeTurn(). */
	waitsForTurn = false;
	/** Bytes of that packet in the pool of partial packets. */
	#held = 0;

	constructor(index: number, owner: ConnectionOwner, context: ReceiveContext) {
		this.index = index;
		this.#owner = owner;
		this.#context = context;
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
		this.maximumPacketSize = UNLIMITED_PACKET;
		this.version = 4;
		this.retainedSubscription = 0;
		this.retainedCursor = 0;
		this.#available = 0;
		this.#lengthState = HEADER_START;
		this.waitsForTurn = false;
		this.enter(ACCEPT);
		this.network = 0;
		// Closures that capture only this connection take the least memory
		this.#tcp = createSocket(
			io,
			from,
			(bytes) => this.onReadable(bytes),
			(bytes) => this.onWritable(bytes),
			() => this.onError(),
		);
		// Read now, as the SDK's getter must not be called after the peer has disconnected
		this.network = networkNumber(this.#tcp.remoteAddress);
	}

	private onReadable(bytes: number): void {
		this.#owner.beginCallback();
		this.#available = bytes;
		this.beginTurn();
		this.readPackets();
		this.#owner.endCallback();
	}

	private onWritable(bytes: number): void {
		this.#owner.beginCallback();
		this.room = bytes;
		this.beginTurn();
		this.readPackets();
		this.notifyWritable();
		if (this.webSocketTurnEnded) this.endTurn();
		if (this.needsProbe) this.#owner.onUnread();
		this.#owner.endCallback();
	}

	/** Begins a turn, unless a WebSocket has begun it, whose frames count too. */
	private beginTurn(): void {
		if ((this.#tcp as WebSocket | undefined)?.turnEnded === undefined) this.#context.beginTurn();
	}

	/** Whether it is a WebSocket with unread frames that wait for the next turn. */
	private get webSocketTurnEnded(): boolean {
		return (this.#tcp as WebSocket | undefined)?.turnEnded === true;
	}

	private onError(): void {
		this.#owner.beginCallback();
		if (this.phase === DRAINING) this.close();
		else this.#owner.onLost(this, (this.#tcp as WebSocket | undefined)?.drains === true);
		this.#owner.endCallback();
	}

	/** Passes complete packets to the owner while there is room for their answers. */
	readPackets(): void {
		const { receiveStart } = this.#context.memory;
		try {
			// The owner is called from here, where little of the stack is in use
			for (let length = this.readPacket(); length >= 0; length = this.readPacket())
				this.#owner.onPacket(this, this.#firstByte, receiveStart, receiveStart + length);
			if (this.#available > 0) this.keepRest();
		} catch (error) {
			this.#context.memory.reopenSendArea();
			this.#owner.onInternalError(this, error);
		}
	}

	/** Reads one packet; returns its remaining length, -1 if it is incomplete or must wait. */
	private readPacket(): number {
		if (this.waitsForTurn || (this.phase !== CONNECTED && !this.mayReadConnect())) return -1;
		if (this.#context.packetsLeft <= 0 || this.#context.bytesLeft <= 0) return this.endTurn();
		if (!this.readFixedHeader()) return -1;
		const length = this.#remainingLength;
		const rest = length - this.#held;
		if (this.#available < rest || this.room < ANSWER_ROOM + (length >> 1)) return -1;
		this.#lengthState = HEADER_START;
		this.#context.packetsLeft--;
		this.#context.bytesLeft -= length;
		if (rest > 0) this.receive(rest);
		if (rest < length) this.prependHeld(rest);
		return length;
	}

	/** Leaves what is unread to the next turn. @returns -1 */
	private endTurn(): number {
		if (!this.waitsForTurn && (this.#available > 0 || this.webSocketTurnEnded)) {
			this.waitsForTurn = true;
			this.pause(true);
			this.#context.counters.turnsEnded++;
			this.#owner.onTurnEnded();
		}
		return -1;
	}

	/** Tells a WebSocket whether unread packets wait, which must be read before it ends. */
	private pause(paused: boolean): void {
		const tcp = this.#tcp as WebSocket | undefined;
		if (tcp?.paused !== undefined) tcp.paused = paused;
	}

	/** Continues in the next turn. */
	takeTurn(): void {
		this.#owner.beginCallback();
		this.waitsForTurn = false;
		this.pause(false);
		this.resume();
		this.#owner.endCallback();
	}

	/** Reads `count` available bytes into the receive area. */
	private receive(count: number): void {
		const { memory } = this.#context;
		this.#tcp!.read(memory.receiveView(count));
		memory.reopenSendArea();
		this.#available -= count;
	}

	/** Puts the part of the packet that was held before the `rest` in the receive area. */
	private prependHeld(rest: number): void {
		const { memory, partialPackets } = this.#context;
		const { bytes, receiveStart } = memory;
		bytes.copyWithin(receiveStart + this.#held, receiveStart, receiveStart + rest);
		partialPackets.take(this.index, receiveStart);
		this.#held = 0;
	}

	/**
	 * Moves what is available of an incomplete packet out of the socket, which the SDK requires to tell that
	 * the connection has ended. What must stay there, for lack of room here or for the answer, is reported.
	 */
	private keepRest(): void {
		const { phase } = this;
		if (phase === DRAINING) this.discardInput(false);
		if (this.waitsForTurn || phase === FREE || phase === CLOSING || phase === DRAINING) return;
		const count = this.#available;
		if (this.#lengthState >= VARINT_COMPLETE && this.#held + count < this.#remainingLength) {
			const { memory, partialPackets, counters } = this.#context;
			if (partialPackets.hasRoom(count)) {
				this.receive(count);
				partialPackets.append(this.index, memory.receiveStart, count);
				this.#held += count;
				return;
			}
			counters.partialsRefused++;
		}
		this.#owner.onUnread();
	}

	/**
	 * Whether the socket may hold back the news that its connection has ended. While it waits for its turn, the
	 * broker itself does: all that the peer has sent is processed first.
	 */
	get needsProbe(): boolean {
		if (this.waitsForTurn) return false;
		return (
			this.#available > 0 ||
			(this.phase === CONNECTED &&
				(this.room < ANSWER_ROOM || (this.#tcp as WebSocket | undefined)?.holdsBack === true))
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

	/** Whether a CONNECT may be read now; the phase tells whether one must not be read yet. */
	private mayReadConnect(): boolean {
		const { phase } = this;
		if (phase !== AWAITING_CONNECT && phase !== CONNECT_UNREAD) return false;
		const waits = this.#owner.mustWait(this);
		this.enter(waits && this.#available > 0 ? HOLD_CONNECT : RESUME_CONNECT);
		return !waits;
	}

	/** Continues to read outside a callback of the socket. */
	resume(): void {
		this.#context.beginTurn();
		this.readPackets();
		(this.#tcp as WebSocket | undefined)?.resume?.();
	}

	/** Whether it carries an HTTP request that is complete, and its answer is not. */
	get answering(): boolean {
		return (this.#tcp as (TCP & { readonly answering?: boolean }) | undefined)?.answering === true;
	}
	private notifyWritable(): void {
		try {
			this.#owner.onWritable(this);
		} catch (error) {
			this.#owner.onInternalError(this, error);
		}
	}

	/** Writes a sealed view; false if that fails, and the connection is lost. */
	write(view: Uint8Array): boolean {
		const tcp = this.#tcp;
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
		// The view may have shortened the buffer, and the owner may allocate
		this.#context.memory.reopenSendArea();
		this.#owner.onLost(this, false);
		return false;
	}

	/**
	 * Closes the socket after all input that has arrived was discarded.
	 * @param waits whether to go on until the peer closes, see DRAINING
	 */
	drain(waits: boolean): void {
		this.dropHeld();
		this.session = 0;
		this.enter(DRAIN); // a WebSocket whose turn has ended goes on to its Close frame in the next one
		this.#remainingLength = DRAIN_BYTES + this.#available;
		this.discardInput(!waits);
	}

	/**
	 * Reads available input and drops it. The receive area may hold the CONNECT that takes this session over,
	 * so the send area serves. @param closes whether to close afterwards
	 */
	private discardInput(closes: boolean): void {
		const { memory } = this.#context;
		try {
			while (this.#available > 0) {
				const count = Math.min(this.#available, memory.sendSize);
				this.#tcp!.read(memory.sendView(count));
				this.#available -= count;
				this.#remainingLength -= count;
			}
		} catch {
			// a socket that cannot be read can only be closed
			closes = true;
		}
		memory.reopenSendArea();
		if (closes || this.#remainingLength <= 0) this.close();
	}

	private dropHeld(): void {
		if (this.#held > 0) this.#context.partialPackets.remove(this.index);
		this.#held = 0;
	}

	/** Closes the socket and frees the connection. */
	close(): void {
		const tcp = this.#tcp;
		this.#tcp = undefined;
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

	/** Continues to read the fixed header; true once it is complete. */
	private readFixedHeader(): boolean {
		if (this.#lengthState >= VARINT_COMPLETE) return true;
		const { memory } = this.#context;
		if (this.#lengthState === HEADER_START) {
			if (this.#available < 1) return false;
			const head = this.#available > 1 ? memory.headerView : memory.oneByteView;
			this.#tcp!.read(head);
			this.#available -= head.length;
			this.#firstByte = head[0];
			this.#lengthState = VARINT_START;
			const type = (head[0] >> 4) as PacketType;
			if (brokerPhaseAfter(this.phase, type) === VIOLATION) {
				// [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
				this.#owner.onProtocolError(this, type === 0 ? MALFORMED_PACKET : PROTOCOL_ERROR);
				return false;
			}
			if (head.length > 1 && !this.decodeLengthByte(head[1])) return false;
		}
		const one = memory.oneByteView;
		while (this.#lengthState < VARINT_COMPLETE) {
			if (this.#available < 1) return false;
			this.#tcp!.read(one);
			this.#available--;
			if (!this.decodeLengthByte(one[0])) return false;
		}
		return true;
	}

	/** Decodes one byte of the remaining length (§1.5.5); false on a protocol error. */
	private decodeLengthByte(byte: number): boolean {
		const state = readVarintByte(this.#lengthState, byte);
		this.#lengthState = state;
		if (state < 0) {
			this.#owner.onProtocolError(this, MALFORMED_PACKET); // [MQTT-1.5.5-1]
			return false;
		}
		if (state < VARINT_COMPLETE) return true;
		const remaining = varintValue(state);
		this.#remainingLength = remaining;
		if (packetSize(remaining) > this.#context.packetSizeLimit) {
			this.#owner.onProtocolError(this, PACKET_TOO_LARGE); // [MQTT-3.2.2-15]
			return false;
		}
		return true;
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
