import { copyBytes } from "./bytes";
import { CONNECT, MALFORMED_PACKET, PACKET_TOO_LARGE, PUBLISH, type Version } from "./constants";
import { decodeBody } from "./decode/body";
import { checkFirstByte } from "./decode/fixed-header";
import { decodePublish, publishHeaderLength } from "./decode/publish";
import { Packet } from "./packet";

// What the next byte is
const FIRST_BYTE = 0;
/** Of the remaining length. */
const REMAINING_LENGTH = 1;
/** Of a packet that is assembled in the buffer. */
const BODY = 2;
/** Of the header of a PUBLISH that is too long for the buffer. */
const PUBLISH_HEADER = 3;
/** Of its payload. */
const PAYLOAD = 4;
/** Ignored: after an error or stop(). */
const STOPPED = 5;

export interface DecoderHandler {
	/** Every packet except PUBLISH, complete and validated. */
	onPacket(packet: Packet): void;
	/**
	 * The header of a PUBLISH, complete and validated: topic, flags, packetId, properties, payloadLength. Its
	 * payload follows before anything else.
	 */
	onPublish(packet: Packet): void;
	/**
	 * Payload of the last PUBLISH: bytes [start, end). Where the whole packet has at most `size` bytes: one
	 * call with `last` true, also for an empty payload. A longer one comes in pieces as it arrives.
	 */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void;
	/**
	 * The peer broke the protocol; `reasonCode` is the one that MQTT 5.0 assigns (also to a 3.1.1 peer),
	 * `message` a literal for the log. The connection must be closed; no callback follows until reset().
	 */
	onError(reasonCode: number, message: string): void;
}

export interface DecoderOptions {
	/**
	 * Bytes of the buffer: the largest packet other than PUBLISH, and the largest PUBLISH without its payload.
	 * At least 16.
	 */
	size: number;
	/** Who sends. */
	from: "client" | "broker";
	/** By default 5; from a client the CONNECT that arrives sets it. */
	version?: Version;
	handler: DecoderHandler;
	/**
	 * The largest whole packet in bytes, as told to the peer (§3.1.2.11.4, §3.2.2.3.6); unlimited by default.
	 */
	maximumPacketSize?: number | undefined;
	/** The packet to hand out; decoders may share one, as it is valid only during a callback. */
	packet?: Packet;
}

/**
 * Reads MQTT packets from a byte stream that comes in any pieces, and checks them. Allocates nothing after
 * construction. A packet that lies wholly in one pushed chunk is read where it is, any other is assembled in
 * the buffer.
 *
 * What needs more than one packet to judge is left to the session: that CONNECT comes first and once, packet
 * identifiers in use, topic aliases above the maximum, receive maximum, the number of codes in a SUBACK.
 */
export class Decoder {
	/**
	 * The protocol version by which packets are read. A CONNECT from a client sets it, also one that is
	 * refused, so that the answer is in the client's version.
	 */
	version: Version;
	/** Bytes; see DecoderOptions. */
	readonly maximumPacketSize: number;
	readonly #packet: Packet;
	readonly #handler: DecoderHandler;
	readonly #fromClient: boolean;
	readonly #initialVersion: Version;
	readonly #buffer: Uint8Array;
	/** The largest packet that is handed out whole, in bytes. */
	readonly #wholePacketLimit: number;
	#state = FIRST_BYTE;
	#firstByte = 0;
	/** Remaining length of the packet, or as much of it as is known. */
	#remaining = 0;
	/** LENGTH: bits read of the remaining length. Later: bytes in the buffer, or bytes of payload to come. */
	#count = 0;
	/** Changes with each stop() and reset(), so that push() notices one that a callback made. */
	#generation = 0;

	constructor(options: DecoderOptions) {
		this.version = options.version ?? 5;
		this.maximumPacketSize = options.maximumPacketSize ?? Number.POSITIVE_INFINITY;
		this.#handler = options.handler;
		this.#fromClient = options.from === "client";
		this.#initialVersion = this.version;
		this.#buffer = new Uint8Array(Math.max(options.size, 16));
		this.#packet = options.packet ?? new Packet(this.#fromClient, this.#buffer);
		this.#wholePacketLimit = Math.min(this.#buffer.length, this.maximumPacketSize);
	}

	/**
	 * Type of the packet being read or read last; 0 before the first. Tells onError what was refused: only a
	 * CONNECT is answered with a CONNACK.
	 */
	get type(): number {
		return this.#firstByte >> 4;
	}

	/**
	 * Takes bytes [start, end), which must not change before it returns. Calls the handler any number of times;
	 * never throws for what a peer sent.
	 */
	push(bytes: Uint8Array, start: number, end: number): void {
		const generation = this.#generation;
		let at = start;
		while (at < end) {
			if (this.#state === FIRST_BYTE && end - at > 1) {
				// The short packet that is all there, as most are, without keeping state
				const remaining = bytes[at + 1];
				const next = at + 2 + remaining;
				if (remaining < 128 && next <= end && remaining + 2 <= this.#wholePacketLimit) {
					const first = bytes[at];
					this.#firstByte = first;
					const code = checkFirstByte(this.#packet, first, this.#fromClient, this.version);
					if (code !== 0) {
						this.fail(code, this.#packet.errorMessage);
						return;
					}
					this.handlePacket(bytes, at + 2, next);
					if (this.#generation !== generation) return;
					at = next;
					continue;
				}
			}
			switch (this.#state) {
				case FIRST_BYTE: {
					const first = bytes[at++];
					this.#firstByte = first;
					const code = checkFirstByte(this.#packet, first, this.#fromClient, this.version);
					if (code !== 0) {
						this.fail(code, this.#packet.errorMessage);
						return;
					}
					this.#remaining = 0;
					this.#count = 0;
					this.#state = REMAINING_LENGTH;
					break;
				}
				case REMAINING_LENGTH: {
					const byte = bytes[at++];
					const shift = this.#count;
					const remaining = this.#remaining | ((byte & 0x7f) << shift);
					this.#remaining = remaining;
					if (byte > 127) {
						this.#count = shift + 7;
						if (shift < 21) break;
						this.fail(MALFORMED_PACKET, "remaining length has more than four bytes"); // §2.1.4 [MQTT-1.5.5-1]
						return;
					}
					if (byte === 0 && shift > 0) {
						// [MQTT-1.5.5-1], and Table 2.4 of MQTT 3.1.1
						this.fail(MALFORMED_PACKET, "remaining length is longer than it needs to be");
						return;
					}
					this.#count = 0;
					const size = remaining + 2 + (shift === 0 ? 0 : shift === 7 ? 1 : shift === 14 ? 2 : 3);
					if (size > this.maximumPacketSize) {
						// [MQTT-3.1.2-24] [MQTT-3.2.2-15]
						this.fail(PACKET_TOO_LARGE, "packet is larger than the maximum packet size");
						return;
					}
					if (size > this.#buffer.length) {
						if (this.#firstByte >> 4 !== PUBLISH) {
							this.fail(PACKET_TOO_LARGE, "packet is larger than the buffer");
							return;
						}
						this.#state = PUBLISH_HEADER;
					} else if (at + remaining <= end) {
						at += remaining;
						this.handlePacket(bytes, at - remaining, at);
					} else this.#state = BODY;
					break;
				}
				case BODY: {
					const have = this.#count;
					const remaining = this.#remaining;
					const next = end - at < remaining - have ? end : at + remaining - have;
					this.#count = copyBytes(this.#buffer, have, bytes, at, next);
					at = next;
					if (this.#count === remaining) this.handlePacket(this.#buffer, 0, remaining);
					break;
				}
				case PUBLISH_HEADER:
					at = this.readPublishHeader(bytes, at, end);
					break;
				case PAYLOAD: {
					const left = this.#count;
					const from = at;
					at = end - at < left ? end : at + left;
					this.#count = left - (at - from);
					if (this.#count === 0) this.#state = FIRST_BYTE;
					this.#handler.onPayload(bytes, from, at, at - from === left);
					break;
				}
				default:
					return;
			}
			if (this.#generation !== generation) return;
		}
	}

	/**
	 * No callback follows, not even for the rest of the chunk in work, and all input is ignored until reset().
	 * A handler that closes its connection inside a callback calls this.
	 */
	stop(): void {
		this.#state = STOPPED;
		this.#generation++;
	}

	/**
	 * Ready for a new connection, in the version given at construction or set since for a broker's packets.
	 * Inside a callback: the rest of the chunk in work is dropped.
	 */
	reset(): void {
		this.#state = FIRST_BYTE;
		this.#firstByte = 0;
		this.#generation++;
		if (this.#fromClient) this.version = this.#initialVersion;
	}

	private fail(reasonCode: number, message: string): void {
		this.stop(); // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
		this.#handler.onError(reasonCode, message);
	}

	/** A packet is all there, its body in [start, end). */
	private handlePacket(bytes: Uint8Array, start: number, end: number): void {
		const packet = this.#packet;
		const first = this.#firstByte;
		const type = first >> 4;
		const handler = this.#handler;
		this.#state = FIRST_BYTE;
		packet.version = this.version;
		packet.type = type;
		packet.flags = first & 15;
		packet.bytes = bytes;
		if (type === PUBLISH) {
			const code = decodePublish(packet, bytes, start, end, this.#fromClient);
			if (code !== 0) {
				this.fail(code, packet.errorMessage);
				return;
			}
			const generation = this.#generation;
			const payloadStart = packet.payloadStart;
			handler.onPublish(packet);
			if (this.#generation === generation) handler.onPayload(bytes, payloadStart, end, true);
			return;
		}
		const code = decodeBody(packet, bytes, start, end, this.#fromClient);
		if (type === CONNECT) this.version = packet.version;
		if (code === 0) handler.onPacket(packet);
		else this.fail(code, packet.errorMessage);
	}

	/**
	 * Reads on in the header of a PUBLISH larger than the buffer; returns the index after the bytes that it
	 * took.
	 */
	private readPublishHeader(bytes: Uint8Array, from: number, end: number): number {
		const buffer = this.#buffer;
		const remaining = this.#remaining;
		const first = this.#firstByte;
		const flags = first & 15;
		const version = this.version;
		const room =
			buffer.length - (remaining < 128 ? 2 : remaining < 16_384 ? 3 : remaining < 2_097_152 ? 4 : 5);
		let at = from;
		// Bytes of the header that are looked at: step by step, so that the verdict depends on no split
		let known = 0;
		for (;;) {
			// While nothing is assembled the chunk itself may have it all
			const assembled = this.#count;
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
				this.#count = copyBytes(buffer, assembled, bytes, at, next);
				at = next;
				if (this.#count < length) return at;
			}
			known = length;
		}
	}

	/** The header of a PUBLISH larger than the buffer is all there, `length` bytes from `start` on. */
	private beginStreaming(bytes: Uint8Array, start: number, length: number): void {
		const packet = this.#packet;
		packet.version = this.version;
		packet.type = PUBLISH;
		packet.flags = this.#firstByte & 15;
		packet.bytes = bytes;
		const code = decodePublish(packet, bytes, start, start + this.#remaining, this.#fromClient);
		if (code !== 0) {
			this.fail(code, packet.errorMessage);
			return;
		}
		this.#count = this.#remaining - length;
		this.#state = PAYLOAD;
		this.#handler.onPublish(packet);
	}
}
