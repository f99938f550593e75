import type { Memory } from "../memory";
import { copy } from "../messages";
import { readFour, writeFour } from "../properties";
import { crc32 } from "./crc32";

/** CRC-32 of all that follows, generation, kind: bytes. */
const HEADER = 9;
const GENERATION = 4;
const KIND = 8;

const TWO_32 = 0x1_0000_0000;

/**
 * One stored record, written or read from begin to end in the memory's send area, whose contents are lost. Numbers have their most significant byte first.
 */
export class Body {
	/** In which it lies. */
	readonly bytes: Uint8Array;
	/** Where reading or writing goes on. */
	at: number;
	/** Behind its last byte, while it is read. */
	end: number;
	readonly #memory: Memory;

	constructor(memory: Memory) {
		this.#memory = memory;
		this.bytes = memory.bytes;
		this.at = memory.out;
		this.end = memory.out;
	}

	/** The most bytes that one can have. */
	get room(): number {
		return this.#memory.outSize - HEADER;
	}

	/** Begins a new one. */
	begin(): void {
		this.#memory.open();
		this.at = this.#memory.out + HEADER;
	}

	u8(value: number): void {
		this.bytes[this.at++] = value;
	}

	u16(value: number): void {
		const { bytes, at } = this;
		bytes[at] = value >> 8;
		bytes[at + 1] = value;
		this.at = at + 2;
	}

	u32(value: number): void {
		this.at = writeFour(this.bytes, this.at, value);
	}

	/** A whole number, 0 … 2^48 − 1. */
	u48(value: number): void {
		this.u16(Math.floor(value / TWO_32));
		this.u32(value % TWO_32);
	}

	/** Bytes [start, end) of another place. */
	copy(from: Uint8Array, start: number, end: number): void {
		this.at = copy(this.bytes, this.at, from, start, end);
	}

	/** The CRC of what was written so far, without generation and kind. */
	get sum(): number {
		return crc32(this.bytes, this.#memory.out + HEADER, this.at);
	}

	/** Ends it. @returns all of it, for storage */
	seal(generation: number, kind: number): Uint8Array {
		const { bytes } = this;
		const { out } = this.#memory;
		writeFour(bytes, out + GENERATION, generation);
		bytes[out + KIND] = kind;
		writeFour(bytes, out, crc32(bytes, out + GENERATION, this.at));
		return this.#memory.sealed(this.at - out);
	}

	/** A view for storage to fill, as long as a record can be. */
	space(): Uint8Array {
		this.#memory.open();
		return this.#memory.sealed(this.#memory.outSize);
	}

	/** Begins to read what storage filled in. @returns false when it is not whole */
	open(length: number): boolean {
		const { bytes } = this;
		const { out } = this.#memory;
		this.at = out + HEADER;
		this.end = out + length;
		return length >= HEADER && readFour(bytes, out) === crc32(bytes, out + GENERATION, this.end);
	}

	get generation(): number {
		return readFour(this.bytes, this.#memory.out + GENERATION);
	}

	get kind(): number {
		return this.bytes[this.#memory.out + KIND];
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
		return readFour(this.bytes, at);
	}

	readU48(): number {
		const high = this.readU16();
		return high * TWO_32 + this.readU32();
	}
}
