import type { TCP, TCPConstructor } from "../../device";
import {
	CONNECT,
	MALFORMED_PACKET,
	MAXIMUM_REMAINING_LENGTH,
	PACKET_TOO_LARGE,
	PROTOCOL_ERROR,
	type Version,
} from "../../mqtt/constants";
import type { Memory } from "../pool/memory";

/** No socket. */
export const FREE = 0;
/** Waiting for CONNECT. */
export const OPENING = 1;
/** CONNECT was accepted. */
export const OPEN = 2;
/** To be closed before the current turn ends; nothing more is read or written. */
export const CLOSING = 3;

/**
 * Room in the socket that is kept for the answer to a packet, bytes: the longest CONNACK, or any
 * acknowledgement but SUBACK and UNSUBACK.
 */
const ANSWER_ROOM = 192;

// Traits of a client
/** It asked for no keepalive, so its reading of what we send counts as a sign of life. */
export const NO_KEEP_ALIVE = 1;
/** It wants no reason strings in acknowledgements (Request Problem Information, §3.1.2.11.7). */
export const NO_REASON_STRING = 2;
/** It wants to be told when values from the store came. */
export const WANTS_TIMESTAMP = 4;
/** Stored values are still to be sent to it. */
export const RETAINED_PENDING = 8;

/** A client that names no maximum packet size takes what the protocol can carry. */
const UNLIMITED_PACKET = MAXIMUM_REMAINING_LENGTH + 5;

/** Who takes what a connection reads. None of these throws. */
export interface ConnectionOwner {
	/**
	 * A whole packet was read: its first byte, and what follows its fixed header in [start, end) of the memory.
	 */
	onPacket(connection: Connection, first: number, start: number, end: number): void;
	/** What the peer sent cannot be read. */
	onProtocolError(connection: Connection, reasonCode: number): void;
	/** There is room to write again. */
	onWritable(connection: Connection): void;
	/** The peer is gone. */
	onLost(connection: Connection): void;
	/** Before and after each call from the socket. */
	beginCallback(): void;
	endCallback(): void;
	/** An exception where none should be. */
	onInternalError(connection: Connection, error: unknown): void;
	/** Whether a CONNECT is being judged, so that no other may be read. */
	readonly authenticating: boolean;
	/** Whether the addresses of clients are wanted. */
	readonly wantsAddresses: boolean;
}

/**
 * One client's socket, and where in the byte stream it is.
 *
 * Only the fixed header of a packet is read ahead. The rest stays in the platform's TCP until all of it has
 * arrived, so that a connection needs no buffer of its own, a packet that never ends costs nothing, and a
 * peer that does not read its answers is not read from either.
 */
export class Connection {
	/** Counted from 1. */
	readonly index: number;
	state = FREE;
	version: Version = 4;
	session = 0;
	/** Bytes that the socket takes now. */
	room = 0;
	/** Largest packet the client takes, bytes. */
	maximumPacketSize = 0;
	/** QoS 1 and 2 messages that may be under way to it. */
	sendQuota = 0;
	/**
	 * When it was last heard of, and for how long it may be silent (0: for ever), in ms of the broker's clock.
	 */
	lastReceivedAt = 0;
	keepAliveTimeoutMs = 0;
	/** LENIENT, QUIET, TIMED, UNFILLED. */
	clientFlags = 0;
	/** Topic aliases that it takes, within those that the broker has room for. */
	topicAliasMaximum = 0;
	/** The port that it came in by. */
	listenerIndex = 0;
	/** Why it is being closed. */
	closeReason = 0;
	/** Whether its CONNECT is being judged. */
	awaitingAuth = false;
	/** The client's address, where the platform knows it and the authority wants it. */
	address: string | undefined = undefined;
	/**
	 * While UNFILLED: the subscription that stored values are for, 0 between two; and the last one looked at.
	 */
	retainedSubscription = 0;
	retainedCursor = 0;
	readonly #owner: ConnectionOwner;
	readonly #memory: Memory;
	readonly #packetSizeLimit: number;
	#tcp: TCP | undefined;
	/** Bytes that can be read now. */
	#available = 0;
	/**
	 * First byte and remaining length of the packet that is being read; `#shift` is 0 until the remaining
	 * length has begun, -1 once it is complete.
	 */
	#firstByte = 0;
	#remainingLength = 0;
	#lengthShift = 0;

	/** @param packetSizeLimit bytes of the largest packet */
	constructor(index: number, owner: ConnectionOwner, memory: Memory, packetSizeLimit: number) {
		this.index = index;
		this.#owner = owner;
		this.#memory = memory;
		this.#packetSizeLimit = packetSizeLimit;
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
		this.#available = 0;
		this.#lengthShift = 0;
		this.state = OPENING;
		this.awaitingAuth = false;
		this.address = undefined;
		// Closures that hold nothing but this connection are the smallest
		this.#tcp = createSocket(
			io,
			from,
			(bytes) => this.onReadable(bytes),
			(bytes) => this.onWritable(bytes),
			() => this.onError(),
		);
		// Here, as the SDK's getter must not be asked once the peer is gone
		if (this.#owner.wantsAddresses) this.address = this.#tcp.remoteAddress;
	}

	private onReadable(bytes: number): void {
		this.#owner.beginCallback();
		this.#available = bytes;
		this.readPackets();
		this.#owner.endCallback();
	}

	private onWritable(bytes: number): void {
		this.#owner.beginCallback();
		this.room = bytes;
		this.readPackets();
		this.notifyWritable();
		this.#owner.endCallback();
	}

	private onError(): void {
		this.#owner.beginCallback();
		this.#owner.onLost(this);
		this.#owner.endCallback();
	}

	/** Hands over the packets that are complete, as long as there is room for their answers. */
	readPackets(): void {
		const { receiveStart } = this.#memory;
		try {
			// The owner is called from here, where little is on the stack yet
			for (let length = this.readPacket(); length >= 0; length = this.readPacket())
				this.#owner.onPacket(this, this.#firstByte, receiveStart, receiveStart + length);
		} catch (error) {
			this.#owner.onInternalError(this, error);
		}
	}

	/**
	 * Reads one packet; returns the length of what follows its fixed header, -1 when it is not complete or has
	 * to wait.
	 */
	private readPacket(): number {
		if (this.state !== OPEN && (this.state !== OPENING || this.#owner.authenticating)) return -1;
		if (!this.readFixedHeader()) return -1;
		const length = this.#remainingLength;
		if (this.#available < length || this.room < ANSWER_ROOM + (length >> 1)) return -1;
		this.#lengthShift = 0;
		if (length > 0) {
			this.#tcp!.read(this.#memory.receiveView(length));
			this.#memory.reopenSendArea();
			this.#available -= length;
		}
		return length;
	}

	/** Reads on at a time when the socket has not called. */
	resume(): void {
		this.readPackets();
		(this.#tcp as (TCP & { resume?(): void }) | undefined)?.resume?.();
	}

	private notifyWritable(): void {
		try {
			this.#owner.onWritable(this);
		} catch (error) {
			this.#owner.onInternalError(this, error);
		}
	}

	/** Writes a sealed view; when that fails the connection is lost. */
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
				// a socket that is gone throws or returns undefined, as the platform likes
			}
		}
		this.room = 0;
		this.#owner.onLost(this);
		return false;
	}

	/** Closes the socket; the connection is free. */
	close(): void {
		const tcp = this.#tcp;
		this.#tcp = undefined;
		this.state = FREE;
		this.session = 0;
		this.room = 0;
		try {
			tcp?.close();
		} catch {
			// closed already
		}
	}

	/** Reads on in the fixed header; whether it is complete. */
	private readFixedHeader(): boolean {
		if (this.#lengthShift === -1) return true;
		const tcp = this.#tcp!;
		if (this.#lengthShift === 0) {
			if (this.#available < 2) return false; // no packet is shorter
			const head = this.#memory.headerView;
			tcp.read(head);
			this.#available -= 2;
			this.#firstByte = head[0];
			this.#remainingLength = 0;
			if (this.state === OPENING && head[0] !== CONNECT << 4) {
				this.#owner.onProtocolError(this, PROTOCOL_ERROR); // [MQTT-3.1.0-1]
				return false;
			}
			if (!this.decodeLengthByte(head[1])) return false;
		}
		const one = this.#memory.oneByteView;
		while (this.#lengthShift !== -1) {
			if (this.#available < 1) return false;
			tcp.read(one);
			this.#available--;
			if (!this.decodeLengthByte(one[0])) return false;
		}
		return true;
	}

	/** Takes one byte of the remaining length (§1.5.5); false when the connection cannot go on. */
	private decodeLengthByte(byte: number): boolean {
		const shift = this.#lengthShift;
		const remaining = this.#remainingLength + ((byte & 0x7f) << shift);
		this.#remainingLength = remaining;
		if ((byte & 0x80) !== 0) {
			this.#lengthShift = shift + 7;
			if (shift < 21) return true;
			this.#owner.onProtocolError(this, MALFORMED_PACKET);
			return false;
		}
		if (byte === 0 && shift > 0) {
			this.#owner.onProtocolError(this, MALFORMED_PACKET); // [MQTT-1.5.5-1]
			return false;
		}
		this.#lengthShift = -1;
		const size = 2 + shift / 7 + remaining;
		if (size > this.#packetSizeLimit) {
			this.#owner.onProtocolError(this, PACKET_TOO_LARGE); // [MQTT-3.2.2-15]
			return false;
		}
		return true;
	}
}

/** As arguments the functions stay nameless: a name that tsx gives to a function takes 256 B on V8. */
function createSocket(
	io: TCPConstructor,
	from: TCP,
	onReadable: (bytes: number) => void,
	onWritable: (bytes: number) => void,
	onError: () => void,
): TCP {
	return new io({ from, nodelay: true, onReadable, onWritable, onError });
}
