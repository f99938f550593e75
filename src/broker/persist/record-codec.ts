import { copyBytes, readUint32, writeUint32 } from "../../mqtt/bytes";
import { crc32 } from "../../text/crc32";
import type { Memory } from "../pool/memory";

/** Header: CRC-32 of all bytes after it (4 bytes), generation (4), kind (1). */
const HEADER_SIZE = 9;
const GENERATION_OFFSET = 4;
const KIND_OFFSET = 8;

const TWO_32 = 0x1_0000_0000;

/**
 * Encodes and decodes one stored record, sequentially, in the memory's send area, whose previous contents are
 * lost. Numbers are big-endian.
 */
export class RecordCodec {
	/** Holds the record. */
	readonly bytes: Uint8Array;
	/** Index of the next byte to read or write. */
	at: number;
	/** Index after the last byte, while a record is read. */
	end: number;
	readonly #memory: Memory;

	constructor(memory: Memory) {
		this.#memory = memory;
		this.bytes = memory.bytes;
		this.at = memory.sendStart;
		this.end = memory.sendStart;
	}

	/** Largest size of a record without its header, bytes. */
	get maxSize(): number {
		return this.#memory.sendSize - HEADER_SIZE;
	}

	/** Begins a new record. */
	startWriting(): void {
		this.#memory.reopenSendArea();
		this.at = this.#memory.sendStart + HEADER_SIZE;
	}

	writeU8(value: number): void {
		this.bytes[this.at++] = value;
	}

	writeU16(value: number): void {
		const { bytes, at } = this;
		bytes[at] = value >> 8;
		bytes[at + 1] = value;
		this.at = at + 2;
	}

	writeU32(value: number): void {
		this.at = writeUint32(this.bytes, this.at, value);
	}

	/** A whole number, 0 … 2^48 − 1. */
	writeU48(value: number): void {
		this.writeU16(Math.floor(value / TWO_32));
		this.writeU32(value % TWO_32);
	}

	/** Copies bytes [start, end) of another array. */
	writeBytes(from: Uint8Array, start: number, end: number): void {
		this.at = copyBytes(this.bytes, this.at, from, start, end);
	}

	/** CRC of the bytes written so far, without generation and kind. */
	get checksum(): number {
		return crc32(this.bytes, this.#memory.sendStart + HEADER_SIZE, this.at);
	}

	/**
	 * Completes the record.
	 * @returns all of it, for storage: a view of its own, as storage and the next key allocate, and a garbage
	 *   collection would trim the broker's large buffer if that were shortened meanwhile
	 */
	finish(generation: number, kind: number): Uint8Array {
		const { bytes } = this;
		const { sendStart } = this.#memory;
		writeUint32(bytes, sendStart + GENERATION_OFFSET, generation);
		bytes[sendStart + KIND_OFFSET] = kind;
		writeUint32(bytes, sendStart, crc32(bytes, sendStart + GENERATION_OFFSET, this.at));
		return new Uint8Array(bytes.buffer, sendStart, this.at - sendStart);
	}

	/** View for storage to fill, as long as the longest record. */
	readBuffer(): Uint8Array {
		this.#memory.reopenSendArea();
		return this.#memory.sendView(this.#memory.sendSize);
	}

	/** Begins reading a record that storage has filled in. @returns false if its length or CRC is wrong */
	startReading(length: number): boolean {
		const { bytes } = this;
		const { sendStart } = this.#memory;
		this.at = sendStart + HEADER_SIZE;
		this.end = sendStart + length;
		return (
			length >= HEADER_SIZE &&
			readUint32(bytes, sendStart) === crc32(bytes, sendStart + GENERATION_OFFSET, this.end)
		);
	}

	get generation(): number {
		return readUint32(this.bytes, this.#memory.sendStart + GENERATION_OFFSET);
	}

	get kind(): number {
		return this.bytes[this.#memory.sendStart + KIND_OFFSET];
	}

	readU8(): number {
		return this.bytes[this.at++];
	}

	readU16(): number {
		const { bytes, at } = this;
		this.at = at + 2;
		return (bytes[at] << 8) | bytes[at + 1];
	}

	readU32(): number {
		const { at } = this;
		this.at = at + 4;
		return readUint32(this.bytes, at);
	}

	readU48(): number {
		const high = this.readU16();
		return high * TWO_32 + this.readU32();
	}
}
