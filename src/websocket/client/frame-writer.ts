import type { TCP } from "../../device";
import { FIN, type Opcode } from "../constants";
import { MASKED } from "../frame";

/** Bytes of the longest header: two, two of length, and the masking key. */
const LONGEST_HEADER = 8;
const SHORT_HEADER = 6;
/** Longest payload whose length is in the first two bytes (RFC 6455 §5.2). */
const SHORT_PAYLOAD = 125;

/**
 * Writes the masked frames of a client from one buffer, one write a frame. Three length-tracking views begin
 * at a long header, at a short one and at the payload, so that nothing is allocated later.
 */
export class FrameWriter {
	/** Longest payload of a frame, bytes; longer data goes into several. */
	readonly size: number;
	readonly #random: () => number;
	readonly #buffer: ArrayBuffer;
	readonly #longFrame: Uint8Array;
	readonly #shortFrame: Uint8Array;
	readonly #payload: Uint8Array;
	readonly #words: Int32Array;
	readonly #key: Int32Array;

	/**
	 * @param size bytes, a multiple of 4 of at most 65,532
	 * @param random 32 bits that nobody can predict (§5.3)
	 */
	constructor(size: number, random: () => number) {
		const length = LONGEST_HEADER + size;
		const buffer = new ArrayBuffer(length, { maxByteLength: length });
		this.size = size;
		this.#random = random;
		this.#buffer = buffer;
		this.#longFrame = new Uint8Array(buffer);
		this.#shortFrame = new Uint8Array(buffer, LONGEST_HEADER - SHORT_HEADER);
		this.#payload = new Uint8Array(buffer, LONGEST_HEADER);
		this.#words = new Int32Array(buffer, LONGEST_HEADER);
		this.#key = new Int32Array(buffer, LONGEST_HEADER - 4, 1);
	}

	/** The most payload that is sure to fit into `room` bytes, with its headers. */
	payloadRoom(room: number): number {
		const frame = LONGEST_HEADER + this.size;
		return room <= LONGEST_HEADER ? 0 : room - LONGEST_HEADER * Math.floor((room + frame - 1) / frame);
	}

	/** Bytes that so much payload takes at most, with its headers. */
	framedSize(payload: number): number {
		return payload + LONGEST_HEADER * Math.ceil(payload / this.size);
	}

	/**
	 * Writes bytes [start, start + count) as one frame; `count` is at most {@link size}.
	 * @returns the room left; undefined if the connection is over
	 */
	write(tcp: TCP, opcode: Opcode, source: Uint8Array, start: number, count: number): number | undefined {
		const bytes = this.#longFrame;
		const payload = this.#payload;
		const words = this.#words;
		for (let i = 0; i < count; i++) payload[i] = source[start + i];
		const key = this.#random();
		this.#key[0] = key;
		// §5.3; header and payload have the key's bytes in the same order
		for (let i = (count + 3) >> 2; i-- > 0; ) words[i] ^= key;
		const isShort = count <= SHORT_PAYLOAD;
		if (isShort) bytes[2] = FIN | opcode;
		else {
			bytes[0] = FIN | opcode;
			bytes[1] = MASKED | 126;
			bytes[2] = count >> 8;
		}
		bytes[3] = isShort ? MASKED | count : count;
		this.#buffer.resize(LONGEST_HEADER + count);
		let room: number | undefined;
		try {
			room = tcp.write(isShort ? this.#shortFrame : bytes);
		} catch {
			// The peer has gone, and what it sent is not read yet: write() throws or returns undefined.
		}
		// Garbage collection in XS trims a shortened buffer, and the next longer frame would allocate.
		this.#buffer.resize(LONGEST_HEADER + this.size);
		return room;
	}
}
