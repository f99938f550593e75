import { type FailureCode, MALFORMED_PACKET, PACKET_TOO_LARGE, PROTOCOL_ERROR } from "../../mqtt/constants";
import { packetSize, readVarintByte, VARINT_COMPLETE, VARINT_START, varintValue } from "../../mqtt/varint";
import {
	AWAITING_CONNECT,
	BROKER_EVENTS,
	BROKER_PHASES,
	CLOSING,
	CONNECT_UNREAD,
	CONNECTED,
	DRAIN,
	DRAINING,
	FREE,
	HOLD_CONNECT,
	RESUME_CONNECT,
} from "../../session/broker-phase";
import { VIOLATION } from "../../session/phase";
import type { BrokerCounters } from "../pool/counters";
import type { Memory } from "../pool/memory";
import { ANSWER_ROOM, type Connection, HEADER_START } from "./connection";
import { PartialPackets } from "./partial-packets";

/** Longest time for which input is discarded before a connection is closed, ms. */
export const DRAIN_MS = 500;
/** Largest number of bytes discarded, beyond those that had arrived. */
const DRAIN_BYTES = 16_384;

/** The longest fixed header (§2.1), bytes. */
const MAXIMUM_HEADER_SIZE = 5;

/** Limits of receiving; see the settings of the same names. */
export interface ReceiveLimits {
	readonly packetSize: number;
	readonly assemblyBytes: number;
	readonly turnPackets: number;
	readonly turnBytes: number;
	readonly connections: number;
	readonly handshakes: number;
}

/** Receives what is read. None of its methods throws but onPacket(). */
export interface PacketHandler {
	/**
	 * A whole packet was read: `firstByte` of the connection is its first byte, and the `length` bytes after
	 * its fixed header are in the receive area.
	 */
	onPacket(connection: Connection, length: number): void;
	/** The peer violated the protocol or the packet size limit. */
	onProtocolError(connection: Connection, reasonCode: FailureCode): void;
	/**
	 * Received bytes stay in the socket. Until they are read, the SDK does not tell that the connection has
	 * ended: Connection.probe() must be called soon.
	 */
	onUnread(): void;
	/** The connection has used up the budget of its turn: takeTurn() must be called after others had theirs. */
	onTurnEnded(): void;
	/** An unexpected exception was caught. */
	onInternalError(connection: Connection, error: unknown): void;
	/** Whether the CONNECT of a connection must not be read yet, as an authentication is pending. */
	mustWait(connection: Connection): boolean;
}

/**
 * Reads packets from the sockets of all connections: first the fixed header, then the whole packet into the
 * receive area of the memory.
 *
 * What has arrived of an incomplete packet moves to a pool that all connections share, as the SDK does not
 * tell the end of a connection before its socket is empty. Complete packets stay in the platform's TCP while
 * there is no room for their answers, so that nothing is read from a peer that does not read.
 */
export class PacketReader {
	readonly partialPackets: PartialPackets;
	/** Set before the first connection. */
	handler: PacketHandler | undefined = undefined;
	/** What the connection whose turn it is may still read; see beginTurn(). */
	packetsLeft = 0;
	bytesLeft = 0;
	readonly #memory: Memory;
	readonly #counters: BrokerCounters;
	readonly #limits: ReceiveLimits;

	constructor(memory: Memory, counters: BrokerCounters, limits: ReceiveLimits) {
		this.#memory = memory;
		this.#counters = counters;
		this.#limits = limits;
		this.partialPackets = new PartialPackets(
			memory,
			limits.assemblyBytes,
			limits.connections + limits.handshakes,
		);
	}

	/** Restores the budget, for another connection or another turn. */
	beginTurn(): void {
		// A turn without budget would never end one's wait for the next
		this.packetsLeft = this.#limits.turnPackets || 1;
		this.bytesLeft = this.#limits.turnBytes || 1;
	}

	/** Continues in the next turn. */
	takeTurn(connection: Connection): void {
		connection.waitsForTurn = false;
		if (connection.tcp?.paused !== undefined) connection.tcp.paused = false;
		this.resume(connection);
	}

	/** Continues to read outside a callback of the socket. */
	resume(connection: Connection): void {
		this.beginTurn(); // also that of a WebSocket
		this.readPackets(connection);
		connection.tcp?.resume?.();
	}

	/** Leaves what is unread to the next turn. */
	endTurn(connection: Connection): void {
		const { tcp } = connection;
		if (connection.waitsForTurn || (connection.available === 0 && tcp?.turnEnded !== true)) return;
		connection.waitsForTurn = true;
		// A WebSocket must not end before its unread packets are read
		if (tcp?.paused !== undefined) tcp.paused = true;
		this.#counters.turnsEnded++;
		this.handler!.onTurnEnded();
	}

	/**
	 * Closes the socket after all input that has arrived was discarded.
	 * @param waits whether to go on until the peer closes, see DRAINING, but for DRAIN_BYTES at most
	 */
	drain(connection: Connection, waits: boolean): void {
		connection.dropHeld();
		connection.session = 0;
		connection.enter(DRAIN); // a WebSocket whose turn has ended goes on to its Close frame in the next one
		connection.remainingLength = DRAIN_BYTES + connection.available;
		this.discardInput(connection, !waits);
	}

	/** Begins a turn: passes complete packets to the handler while there is room for their answers. */
	readPackets(connection: Connection): void {
		if (connection.tcp?.turnEnded === undefined) this.beginTurn(); // a WebSocket has begun it itself
		try {
			// The handler is called from here, where little of the stack is in use
			do {
				const length = this.readPacket(connection);
				if (length < 0) break;
				this.handler!.onPacket(connection, length);
			} while (connection.available > 0 || connection.tcp?.turnEnded === true);
			if (connection.available > 0) this.keepRest(connection);
		} catch (error) {
			this.#memory.reopenSendArea();
			this.handler!.onInternalError(connection, error);
		}
	}

	/** Reads one packet; returns its remaining length, -1 if it is incomplete or must wait. */
	private readPacket(connection: Connection): number {
		if (connection.waitsForTurn || (connection.phase !== CONNECTED && !this.mayReadConnect(connection)))
			return -1;
		if (this.packetsLeft <= 0 || this.bytesLeft <= 0) {
			this.endTurn(connection);
			return -1;
		}
		if (connection.lengthState < VARINT_COMPLETE)
			if (connection.available === 0 || !this.readFixedHeader(connection)) return -1;
		const length = connection.remainingLength;
		const rest = length - connection.heldBytes;
		if (connection.available < rest || connection.room < ANSWER_ROOM + (length >> 1)) return -1;
		connection.lengthState = HEADER_START;
		this.packetsLeft--;
		this.bytesLeft -= length;
		if (rest > 0) this.receive(connection, rest);
		if (rest < length) this.prependHeld(connection, rest);
		return length;
	}

	/** Whether a CONNECT may be read now; the phase tells whether one must not be read yet. */
	private mayReadConnect(connection: Connection): boolean {
		const { phase } = connection;
		if (phase !== AWAITING_CONNECT && phase !== CONNECT_UNREAD) return false;
		const waits = this.handler!.mustWait(connection);
		connection.enter(waits && connection.available > 0 ? HOLD_CONNECT : RESUME_CONNECT);
		return !waits;
	}

	/** Reads on in the fixed header, of which at least one byte is available; true once it is complete. */
	private readFixedHeader(connection: Connection): boolean {
		const memory = this.#memory;
		const tcp = connection.tcp!;
		if (connection.lengthState === HEADER_START) {
			const head = connection.available > 1 ? memory.headerView : memory.oneByteView;
			tcp.read(head);
			connection.available -= head.length;
			const first = head[0];
			connection.firstByte = first;
			connection.lengthState = VARINT_START;
			const type = first >> 4;
			if (BROKER_PHASES[connection.phase * BROKER_EVENTS + type] === VIOLATION) {
				// [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
				this.handler!.onProtocolError(connection, type === 0 ? MALFORMED_PACKET : PROTOCOL_ERROR);
				return false;
			}
			if (head.length > 1) {
				const length = head[1];
				if (length < 128 && length <= this.#limits.packetSize - MAXIMUM_HEADER_SIZE) {
					connection.remainingLength = length;
					connection.lengthState = VARINT_COMPLETE;
					return true;
				}
				if (!this.decodeLengthByte(connection, length)) return false;
			}
		}
		const one = memory.oneByteView;
		while (connection.lengthState < VARINT_COMPLETE) {
			if (connection.available < 1) return false;
			tcp.read(one);
			connection.available--;
			if (!this.decodeLengthByte(connection, one[0])) return false;
		}
		return true;
	}

	/** Decodes one byte of the remaining length (§1.5.5); false on a protocol error. */
	private decodeLengthByte(connection: Connection, byte: number): boolean {
		const limit = this.#limits.packetSize;
		const state = readVarintByte(connection.lengthState, byte);
		connection.lengthState = state;
		if (state < 0) {
			this.handler!.onProtocolError(connection, MALFORMED_PACKET); // [MQTT-1.5.5-1]
			return false;
		}
		if (state < VARINT_COMPLETE) return true;
		const remaining = varintValue(state);
		connection.remainingLength = remaining;
		if (remaining > limit - MAXIMUM_HEADER_SIZE && packetSize(remaining) > limit) {
			this.handler!.onProtocolError(connection, PACKET_TOO_LARGE); // [MQTT-3.2.2-15]
			return false;
		}
		return true;
	}

	/** Reads `count` available bytes into the receive area. */
	private receive(connection: Connection, count: number): void {
		const memory = this.#memory;
		const tcp = connection.tcp!;
		if (count === 2) {
			// An acknowledgement: copied, so that the buffer need not change its size
			const { bytes, receiveStart, headerView } = memory;
			tcp.read(headerView);
			bytes[receiveStart] = headerView[0];
			bytes[receiveStart + 1] = headerView[1];
		} else {
			tcp.read(memory.receiveView(count));
			memory.reopenSendArea();
		}
		connection.available -= count;
	}

	/** Puts the part of the packet that was held before the `rest` in the receive area. */
	private prependHeld(connection: Connection, rest: number): void {
		const { bytes, receiveStart } = this.#memory;
		bytes.copyWithin(receiveStart + connection.heldBytes, receiveStart, receiveStart + rest);
		this.partialPackets.take(connection.index, receiveStart);
		connection.heldBytes = 0;
	}

	/**
	 * Moves what is available of an incomplete packet out of the socket, which the SDK requires to tell that
	 * the connection has ended. What must stay there, for lack of room here or for the answer, is reported.
	 */
	private keepRest(connection: Connection): void {
		const { phase } = connection;
		if (phase === DRAINING) this.discardInput(connection, false);
		if (connection.waitsForTurn || phase === FREE || phase === CLOSING || phase === DRAINING) return;
		const count = connection.available;
		if (
			connection.lengthState >= VARINT_COMPLETE &&
			connection.heldBytes + count < connection.remainingLength
		) {
			if (this.partialPackets.hasRoom(count)) {
				this.receive(connection, count);
				this.partialPackets.append(connection.index, this.#memory.receiveStart, count);
				connection.heldBytes += count;
				return;
			}
			this.#counters.partialsRefused++;
		}
		this.handler!.onUnread();
	}

	/**
	 * Reads available input and drops it. The receive area may hold the CONNECT that takes this session over,
	 * so the send area serves. @param closes whether to close afterwards
	 */
	private discardInput(connection: Connection, closes: boolean): void {
		const memory = this.#memory;
		try {
			while (connection.available > 0) {
				const count = Math.min(connection.available, memory.sendSize);
				connection.tcp!.read(memory.sendView(count));
				connection.available -= count;
				connection.remainingLength -= count;
			}
		} catch {
			// a socket that cannot be read can only be closed
			closes = true;
		}
		memory.reopenSendArea();
		if (closes || connection.remainingLength <= 0) connection.close();
	}
}
