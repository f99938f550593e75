import type { TCP } from "../device";
import { FIN, type Opcode } from "./constants";
import { type FrameHeader, MaskWord } from "./frame";

/** Bytes reserved before the payload for the longest header that the server sends. */
const LONGEST_SENT_HEADER = 4;

/**
 * Transfer buffer between sockets and their users, shared by all streams: room for a frame header, followed
 * by a payload. Three length-tracking views start at a long header, a short header and the payload, so that
 * each frame is one write and no view is created later. The content is valid until the next call.
 */
export class FrameBuffer {
	/** Maximum number of bytes in one piece. */
	readonly size: number;
	/** The whole buffer, for writeRaw(). */
	readonly bytes: Uint8Array;
	/** The payload: the last piece that was read. */
	readonly data: Uint8Array;
	readonly maskWord = new MaskWord();
	readonly #buffer: ArrayBuffer;
	readonly #words: Int32Array;
	/** A frame with a header of two bytes. */
	readonly #shortFrame: Uint8Array;

	/** @param size bytes in one piece, at most 65,535; rounded up to a multiple of 4 */
	constructor(size: number) {
		this.size = (size + 3) & ~3;
		const length = LONGEST_SENT_HEADER + this.size;
		const buffer = new ArrayBuffer(length, { maxByteLength: length });
		this.#buffer = buffer;
		this.bytes = new Uint8Array(buffer);
		this.#shortFrame = new Uint8Array(buffer, 2);
		this.data = new Uint8Array(buffer, LONGEST_SENT_HEADER);
		this.#words = new Int32Array(buffer, LONGEST_SENT_HEADER);
	}

	/**
	 * Gives the buffer its full length again. Must be called as soon as the bytes of a piece have been used:
	 * garbage collection in XS trims a shortened buffer, and the next longer piece would then allocate, which
	 * can collect while the broker's large buffer is shortened, so that this needs room for a second copy.
	 */
	restore(): void {
		this.#buffer.resize(LONGEST_SENT_HEADER + this.size);
	}

	/** Reads `count` bytes, at most `size`, into `data`; restore() must follow. */
	read(tcp: TCP, count: number): Uint8Array {
		this.#buffer.resize(LONGEST_SENT_HEADER + count);
		const data = this.data;
		if (count > 0) tcp.read(data);
		return data;
	}

	/**
	 * Reads `count` bytes of a frame's payload, at most `size`, into `data` and unmasks them (RFC 6455 §5.3),
	 * four at a time; restore() must follow.
	 */
	readUnmasked(tcp: TCP, count: number, frame: FrameHeader): Uint8Array {
		const data = this.read(tcp, count);
		const words = this.#words;
		const rest = count & 3;
		if (rest !== 0) this.#buffer.resize(LONGEST_SENT_HEADER + count + 4 - rest);
		const last = (count + 3) >> 2;
		const { mask } = frame;
		for (let i = 0; i < last; i++) words[i] ^= mask;
		if (rest !== 0) {
			this.#buffer.resize(LONGEST_SENT_HEADER + count);
			frame.mask = this.maskWord.rotate(mask, rest);
		}
		return data;
	}

	/**
	 * Writes a message of one frame, with a payload of at most `size` bytes (§5.6, §5.1: not masked).
	 * @returns the room left; undefined if the connection is over
	 */
	writeFrame(tcp: TCP, opcode: Opcode, payload: Uint8Array): number | undefined {
		this.#buffer.resize(LONGEST_SENT_HEADER + payload.length);
		this.data.set(payload);
		return this.writeLoadedFrame(tcp, opcode);
	}

	/** Writes a frame with the payload in `data`. */
	writeLoadedFrame(tcp: TCP, opcode: Opcode): number | undefined {
		const { bytes, data } = this;
		const { length } = data;
		const isShort = length < 126;
		if (isShort) bytes[2] = FIN | opcode;
		else {
			bytes[0] = FIN | opcode;
			bytes[1] = 126;
			bytes[2] = length >> 8;
		}
		bytes[3] = length;
		let room: number | undefined;
		try {
			room = tcp.write(isShort ? this.#shortFrame : bytes);
		} catch {
			// the peer has gone, and what it sent is not read yet: write() throws or returns undefined
		}
		this.restore();
		return room;
	}

	/** Copies part of a longer array to `data`. */
	load(source: Uint8Array, start: number, count: number): void {
		this.#buffer.resize(LONGEST_SENT_HEADER + count);
		const data = this.data;
		for (let i = 0; i < count; i++) data[i] = source[start + i];
	}

	/** Returns `bytes` in full length, for writing. */
	fullBuffer(): Uint8Array {
		this.#buffer.resize(LONGEST_SENT_HEADER + this.size);
		return this.bytes;
	}

	/** Writes the first `count` bytes of `bytes` as they are. @returns as writeFrame() */
	writeRaw(tcp: TCP, count: number): number | undefined {
		this.#buffer.resize(count);
		let room: number | undefined;
		try {
			room = tcp.write(this.bytes);
		} catch {
			// as in writeLoadedFrame()
		}
		this.restore();
		return room;
	}
}
