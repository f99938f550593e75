import { HEADER_SIZE } from "./constants";
import type { Names } from "./names";
import { parentOf } from "./names";

const POINTER = 0xc000;

/** Writes DNS messages into one buffer; a name that the message has already is a pointer to it. */
export class MessageWriter {
	readonly bytes: Uint8Array;
	length = 0;
	/** Something did not fit, and was not written. */
	overflow = false;
	#names: Names;
	/** Index of each name in the message; 0: it is not there. */
	#nameAt: Uint16Array;

	constructor(size: number, names: Names) {
		this.bytes = new Uint8Array(size);
		this.#names = names;
		this.#nameAt = new Uint16Array(names.count);
	}

	begin(id: number, flags: number): void {
		this.bytes.fill(0, 0, HEADER_SIZE);
		this.#nameAt.fill(0);
		this.overflow = false;
		this.length = 0;
		this.uint16(id);
		this.uint16(flags);
		this.length = HEADER_SIZE;
	}

	/** Counts an entry that has been written, or takes it back if it did not fit. @returns whether it did */
	finish(section: number, start: number): boolean {
		if (this.overflow) {
			this.overflow = false;
			this.length = start;
			const at = this.#nameAt;
			for (let i = 0; i < at.length; i++) if (at[i] >= start) at[i] = 0;
			return false;
		}
		this.bytes[5 + 2 * section]++;
		return true;
	}

	uint8(value: number): void {
		if (this.#reserve(1)) this.bytes[this.length++] = value;
	}

	uint16(value: number): void {
		this.uint8(value >> 8);
		this.uint8(value & 0xff);
	}

	uint32(value: number): void {
		this.uint16(value >>> 16);
		this.uint16(value & 0xffff);
	}

	copy(source: Uint8Array, start: number, end: number): void {
		if (!this.#reserve(end - start)) return;
		for (let i = start; i < end; i++) this.bytes[this.length++] = source[i];
	}

	/** @param compressed whether it may be, or end with, a pointer */
	name(name: number, compressed = true): void {
		const names = this.#names;
		for (let part = name; part >= 0; part = parentOf(part)) {
			if (compressed && this.#nameAt[part] > 0) {
				this.uint16(POINTER | this.#nameAt[part]);
				return;
			}
			if (this.#nameAt[part] === 0) this.#nameAt[part] = this.length;
			this.copy(names.labels, names.start(part), names.end(part));
		}
		this.uint8(0);
	}

	/** Writes the length of the data that began behind it. @param start index of the length */
	dataLength(start: number): void {
		if (this.overflow) return;
		const size = this.length - start - 2;
		this.bytes[start] = size >> 8;
		this.bytes[start + 1] = size;
	}

	#reserve(size: number): boolean {
		if (this.length + size > this.bytes.length) this.overflow = true;
		return !this.overflow;
	}
}
