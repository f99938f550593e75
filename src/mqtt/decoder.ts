import { copyBytes } from "./bytes";
import {
	CONNECT,
	type FailureCode,
	MALFORMED_PACKET,
	PACKET_TOO_LARGE,
	PUBLISH,
	type Version,
} from "./constants";
import { decodeShortAcknowledgement } from "./decode/acknowledgement";
import { decodeBody } from "./decode/body";
import { checkFirstByte } from "./decode/fixed-header";
import { decodePublish, publishHeaderLength } from "./decode/publish";
import { Packet } from "./packet";
import {
	packetSize,
	readVarintByte,
	VARINT_COMPLETE,
	VARINT_NOT_MINIMAL,
	VARINT_START,
	VARINT_TOO_LONG,
	varintSize,
	varintValue,
} from "./varint";

// States: which part of a packet the next byte belongs to
const FIRST_BYTE = 0;
/** The remaining length. */
const REMAINING_LENGTH = 1;
/** The body of a packet that is assembled in the buffer. */
const BODY = 2;
/** The header of a PUBLISH that is too long for the buffer. */
const PUBLISH_HEADER = 3;
/** The payload of such a PUBLISH. */
const PAYLOAD = 4;
/** Input is ignored: after an error or stop(). */
const STOPPED = 5;
type DecoderState =
	| typeof FIRST_BYTE
	| typeof REMAINING_LENGTH
	| typeof BODY
	| typeof PUBLISH_HEADER
	| typeof PAYLOAD
	| typeof STOPPED;

export interface DecoderHandler {
	/** Every packet except PUBLISH, complete and validated. */
	onPacket(packet: Packet): void;
	/**
	 * The header of a PUBLISH, complete and validated: topic, flags, packetId, properties, payloadLength. Its
	 * payload follows before any other callback.
	 */
	onPublish(packet: Packet): void;
	/**
	 * Payload of the last PUBLISH: bytes [start, end). A packet of at most `size` bytes causes one call with
	 * `last` true, also for an empty payload; a longer one causes a call for each piece that arrives.
	 */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void;
	/**
	 * The peer violated the protocol; `reasonCode` is the one that MQTT 5.0 assigns (also to a 3.1.1 peer),
	 * `message` a literal for the log. The connection must be closed; no callback follows until reset().
	 */
	onError(reasonCode: FailureCode, message: string): void;
}

export interface DecoderOptions {
	/**
	 * Bytes of the buffer: the largest packet other than PUBLISH, and the largest PUBLISH without its payload.
	 * At least 16.
	 */
	size: number;
	/** The sender of the packets. */
	from: "client" | "broker";
	/** 5 by default; a CONNECT from a client changes it. */
	version?: Version;
	handler: DecoderHandler;
	/**
	 * The largest whole packet in bytes, as announced to the peer (§3.1.2.11.4, §3.2.2.3.6); unlimited by
	 * default.
	 */
	maximumPacketSize?: number | undefined;
	/** The packet passed to the handler; decoders may share one, as it is valid only during a callback. */
	packet?: Packet;
}

/**
 * Decodes and validates MQTT packets from a byte stream that arrives in arbitrary pieces. Allocates nothing
 * after construction. A packet that lies wholly in one pushed chunk is decoded in place, any other is
 * assembled in the buffer.
 *
 * The session checks what depends on more than one packet: that CONNECT is sent first and only once, packet
 * identifiers in use, topic aliases above the maximum, receive maximum, the number of codes in a SUBACK.
 */
export class Decoder {
	/**
	 * The protocol version of the packets. A CONNECT from a client sets it, even if it is refused, so that the
	 * answer has the client's version.
	 */
	version: Version;
	/** Bytes; see DecoderOptions. */
	readonly maximumPacketSize: number;
	private readonly packet: Packet;
	private readonly handler: DecoderHandler;
	private readonly fromClient: boolean;
	private readonly initialVersion: Version;
	private readonly buffer: Uint8Array;
	/** The largest packet that is decoded as a whole, in bytes. */
	private readonly wholePacketLimit: number;
	private state: DecoderState = FIRST_BYTE;
	private firstByte = 0;
	/** Remaining length of the packet. */
	private remaining = 0;
	/**
	 * In REMAINING_LENGTH: the state of reading it. Later: bytes in the buffer, or bytes of payload still to
	 * come.
	 */
	private count = 0;
	/** Incremented by stop() and reset(), so that push() detects such a call from a callback. */
	private generation = 0;

	constructor(options: DecoderOptions) {
		this.version = options.version ?? 5;
		this.maximumPacketSize = options.maximumPacketSize ?? Number.POSITIVE_INFINITY;
		this.handler = options.handler;
		this.fromClient = options.from === "client";
		this.initialVersion = this.version;
		this.buffer = new Uint8Array(Math.max(options.size, 16));
		this.packet = options.packet ?? new Packet(this.fromClient, this.buffer);
		this.wholePacketLimit = Math.min(this.buffer.length, this.maximumPacketSize);
	}

	/**
	 * Type of the current or last packet; 0 before the first. It identifies the refused packet in onError: only
	 * a CONNECT is answered with a CONNACK.
	 */
	get type(): number {
		return this.firstByte >> 4;
	}

	/**
	 * Decodes bytes [start, end), which must not change before it returns. May call the handler any number of
	 * times; received data never makes it throw.
	 * @returns the index after what was decoded: `end`, unless a callback called pause(), stop() or reset()
	 */
	push(bytes: Uint8Array, start: number, end: number): number {
		const generation = this.generation;
		let at = start;
		while (at < end) {
			if (this.state === FIRST_BYTE && end - at > 1) {
				// Fast path for a short packet that is complete in the chunk, as most are: no state is kept
				const remaining = bytes[at + 1];
				const next = at + 2 + remaining;
				if (remaining < 128 && next <= end && remaining + 2 <= this.wholePacketLimit) {
					const first = bytes[at];
					this.firstByte = first;
					if (remaining === 2 && this.readShortAcknowledgement(bytes, at)) {
						at = next;
						this.handler.onPacket(this.packet);
						if (this.generation !== generation) return at;
						continue;
					}
					const code = checkFirstByte(this.packet, first, this.fromClient, this.version);
					if (code !== 0) {
						this.fail(code, this.packet.errorMessage);
						return end;
					}
					at = next;
					this.handlePacket(bytes, next - remaining, next);
					if (this.generation !== generation) return at;
					continue;
				}
			}
			switch (this.state) {
				case FIRST_BYTE: {
					const first = bytes[at++];
					this.firstByte = first;
					const code = checkFirstByte(this.packet, first, this.fromClient, this.version);
					if (code !== 0) {
						this.fail(code, this.packet.errorMessage);
						return end;
					}
					this.count = VARINT_START;
					this.state = REMAINING_LENGTH;
					break;
				}
				case REMAINING_LENGTH: {
					const length = readVarintByte(this.count, bytes[at++]);
					this.count = length;
					if (length === VARINT_TOO_LONG) {
						// §2.1.4 [MQTT-1.5.5-1]
						this.fail(MALFORMED_PACKET, "remaining length has more than four bytes");
						return end;
					}
					if (length === VARINT_NOT_MINIMAL) {
						// [MQTT-1.5.5-1], and Table 2.4 of MQTT 3.1.1
						this.fail(MALFORMED_PACKET, "remaining length is longer than it needs to be");
						return end;
					}
					if (length < VARINT_COMPLETE) break;
					const remaining = varintValue(length);
					this.remaining = remaining;
					this.count = 0;
					const size = packetSize(remaining);
					if (size > this.maximumPacketSize) {
						// [MQTT-3.1.2-24] [MQTT-3.2.2-15]
						this.fail(PACKET_TOO_LARGE, "packet is larger than the maximum packet size");
						return end;
					}
					if (size > this.buffer.length) {
						if (this.firstByte >> 4 !== PUBLISH) {
							this.fail(PACKET_TOO_LARGE, "packet is larger than the buffer");
							return end;
						}
						this.state = PUBLISH_HEADER;
					} else if (at + remaining <= end) {
						at += remaining;
						this.handlePacket(bytes, at - remaining, at);
					} else this.state = BODY;
					break;
				}
				case BODY: {
					const have = this.count;
					const remaining = this.remaining;
					const next = end - at < remaining - have ? end : at + remaining - have;
					this.count = copyBytes(this.buffer, have, bytes, at, next);
					at = next;
					if (this.count === remaining) this.handlePacket(this.buffer, 0, remaining);
					break;
				}
				case PUBLISH_HEADER:
					at = this.readPublishHeader(bytes, at, end);
					break;
				case PAYLOAD: {
					const left = this.count;
					const from = at;
					at = end - at < left ? end : at + left;
					this.count = left - (at - from);
					if (this.count === 0) this.state = FIRST_BYTE;
					this.handler.onPayload(bytes, from, at, at - from === left);
					break;
				}
				default:
					return end;
			}
			if (this.generation !== generation) return at;
		}
		return end;
	}

	/**
	 * Makes push() return after the current callback, with the rest of the chunk still to be pushed. Only in
	 * onPayload: a PUBLISH that began goes on to its payload.
	 */
	pause(): void {
		this.generation++;
	}

	/**
	 * Ignores all input until reset(); no callback follows, not even for the rest of the current chunk. A
	 * handler that closes its connection inside a callback must call it.
	 */
	stop(): void {
		this.state = STOPPED;
		this.generation++;
	}

	/**
	 * Prepares for a new connection. The version is the one given at construction or, for packets from a
	 * broker, the one set since. Inside a callback, the rest of the current chunk is discarded.
	 */
	reset(): void {
		this.state = FIRST_BYTE;
		this.firstByte = 0;
		this.generation++;
		if (this.fromClient) this.version = this.initialVersion;
	}

	private fail(reasonCode: FailureCode, message: string): void {
		this.stop(); // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
		this.handler.onError(reasonCode, message);
	}

	/**
	 * Reads PUBACK, PUBREC, PUBREL or PUBCOMP without a reason code, most of what a broker sends to a node, in
	 * fewer steps than {@link handlePacket}. False: it is another packet, or not a valid one.
	 */
	private readShortAcknowledgement(bytes: Uint8Array, at: number): boolean {
		const packet = this.packet;
		const first = bytes[at];
		if (!decodeShortAcknowledgement(packet, first, bytes, at + 2)) return false;
		const properties = packet.properties;
		packet.version = this.version;
		packet.type = first >> 4;
		packet.flags = first & 15;
		packet.bytes = bytes;
		if (properties.from !== properties.to) properties.setRange(bytes, at, at);
		return true;
	}

	/** Handles a complete packet with body [start, end). */
	private handlePacket(bytes: Uint8Array, start: number, end: number): void {
		const packet = this.packet;
		const first = this.firstByte;
		const type = first >> 4;
		const handler = this.handler;
		this.state = FIRST_BYTE;
		packet.version = this.version;
		packet.type = type;
		packet.flags = first & 15;
		packet.bytes = bytes;
		if (type === PUBLISH) {
			const code = decodePublish(packet, bytes, start, end, this.fromClient);
			if (code !== 0) {
				this.fail(code, packet.errorMessage);
				return;
			}
			const generation = this.generation;
			const payloadStart = packet.payloadStart;
			handler.onPublish(packet);
			if (this.generation === generation) handler.onPayload(bytes, payloadStart, end, true);
			return;
		}
		const code = decodeBody(packet, bytes, start, end, this.fromClient);
		if (type === CONNECT) this.version = packet.version;
		if (code === 0) handler.onPacket(packet);
		else this.fail(code, packet.errorMessage);
	}

	/**
	 * Continues with the header of a PUBLISH larger than the buffer; returns the index after the consumed
	 * bytes.
	 */
	private readPublishHeader(bytes: Uint8Array, from: number, end: number): number {
		const buffer = this.buffer;
		const remaining = this.remaining;
		const first = this.firstByte;
		const flags = first & 15;
		const version = this.version;
		const room = buffer.length - 1 - varintSize(remaining);
		let at = from;
		// Bytes of the header examined so far: the steps make the result independent of how the input is split
		let known = 0;
		for (;;) {
			// While nothing is assembled, the chunk itself may contain the whole header
			const assembled = this.count;
			const length =
				assembled === 0
					? publishHeaderLength(bytes, at, known, flags, version)
					: publishHeaderLength(buffer, 0, known, flags, version);
			if (length < 0 || length > remaining) {
				this.fail(MALFORMED_PACKET, "PUBLISH header is malformed or runs past the packet's end");
				return end;
			}
			if (length > room) {
				this.fail(PACKET_TOO_LARGE, "PUBLISH header is larger than the buffer");
				return end;
			}
			if (length === known) {
				if (assembled !== 0) {
					this.beginStreaming(buffer, 0, length);
					return at;
				}
				this.beginStreaming(bytes, at, length);
				return at + length;
			}
			if (length > (assembled === 0 ? end - at : assembled)) {
				const next = Math.min(end, at + length - assembled);
				this.count = copyBytes(buffer, assembled, bytes, at, next);
				at = next;
				if (this.count < length) return at;
			}
			known = length;
		}
	}

	/**
	 * Starts to stream a PUBLISH larger than the buffer, whose header is complete: `length` bytes from `start`
	 * on.
	 */
	private beginStreaming(bytes: Uint8Array, start: number, length: number): void {
		const packet = this.packet;
		packet.version = this.version;
		packet.type = PUBLISH;
		packet.flags = this.firstByte & 15;
		packet.bytes = bytes;
		const code = decodePublish(packet, bytes, start, start + this.remaining, this.fromClient);
		if (code !== 0) {
			this.fail(code, packet.errorMessage);
			return;
		}
		this.count = this.remaining - length;
		this.state = PAYLOAD;
		this.handler.onPublish(packet);
	}
}
