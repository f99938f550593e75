import type { Tables } from "./tables";

// Columns of a record: its position and its neighbours. Records in use form a list in the order of their
// offsets; unused ones form a list through NEXT.
const WIDTH = 4;
const OFFSET = 0;
const SIZE = 1;
const NEXT = 2;
const PREVIOUS = 3;

/**
 * Variable-length records in one region of a byte array, compacted when the free space is fragmented. A
 * record is known by a number from 1 to `records`; 0 means none. Allocates nothing after construction.
 */
export class Arena {
	readonly bytes: Uint8Array;
	/** Bytes taken by the records in use. */
	used = 0;
	/** Records in use. */
	count = 0;
	/** Highest value of `used`. */
	peak = 0;
	readonly #start: number;
	readonly #end: number;
	/** One table, as a typed array takes five slots on XS. */
	readonly #rows: Uint16Array | Uint32Array;
	#first = 0;
	#last = 0;
	#unused: number;
	/** First byte after the last record. */
	#top: number;

	/** @param records 0 … 65,534 */
	constructor(tables: Tables, bytes: Uint8Array, start: number, end: number, records: number) {
		this.bytes = bytes;
		this.#start = start;
		this.#end = end;
		this.#top = start;
		this.#unused = records > 0 ? 1 : 0;
		this.#rows = end > 0xffff ? tables.u32(WIDTH * records + WIDTH) : tables.u16(WIDTH * records + WIDTH);
		for (let i = 1; i < records; i++) this.#rows[WIDTH * i + NEXT] = i + 1;
	}

	/** Free bytes, contiguous or not. */
	get free(): number {
		return this.#end - this.#start - this.used;
	}

	/** Whether no record number is left. */
	get exhausted(): boolean {
		return this.#unused === 0;
	}

	/** Whether `size` bytes can be allocated without moving records. */
	fits(size: number): boolean {
		return size <= this.#end - this.#top;
	}

	/** Index of the record's first byte; valid until the next allocate() or compact(). */
	offset(record: number): number {
		return this.#rows[WIDTH * record + OFFSET];
	}

	/** Bytes that the record was allocated with. */
	size(record: number): number {
		return this.#rows[WIDTH * record + SIZE];
	}

	/**
	 * Allocates a record of `size` bytes with arbitrary contents; returns 0 if records or bytes are used up.
	 * Other records may move.
	 */
	allocate(size: number): number {
		const record = this.#unused;
		if (record === 0 || size > this.free) return 0;
		if (size > this.#end - this.#top) this.compact();
		const rows = this.#rows;
		const row = WIDTH * record;
		const last = this.#last;
		this.#unused = rows[row + NEXT];
		rows[row + NEXT] = 0;
		rows[row + PREVIOUS] = last;
		if (last === 0) this.#first = record;
		else rows[WIDTH * last + NEXT] = record;
		this.#last = record;
		rows[row + OFFSET] = this.#top;
		rows[row + SIZE] = size;
		this.#top += size;
		this.count++;
		const used = this.used + size;
		this.used = used;
		if (used > this.peak) this.peak = used;
		return record;
	}

	/** Frees a record. */
	release(record: number): void {
		const rows = this.#rows;
		const row = WIDTH * record;
		const next = rows[row + NEXT];
		const previous = rows[row + PREVIOUS];
		if (next === 0) this.#last = previous;
		else rows[WIDTH * next + PREVIOUS] = previous;
		if (previous === 0) this.#first = next;
		else rows[WIDTH * previous + NEXT] = next;
		if (next === 0)
			this.#top =
				previous === 0 ? this.#start : rows[WIDTH * previous + OFFSET] + rows[WIDTH * previous + SIZE];
		rows[row + NEXT] = this.#unused;
		this.#unused = record;
		this.count--;
		this.used -= rows[row + SIZE];
	}

	/** Moves the records together, so that the free space is contiguous. */
	compact(): void {
		const bytes = this.bytes;
		const rows = this.#rows;
		let top = this.#start;
		for (let record = this.#first; record !== 0; record = rows[WIDTH * record + NEXT]) {
			const from = rows[WIDTH * record + OFFSET];
			const size = rows[WIDTH * record + SIZE];
			if (from !== top) {
				bytes.copyWithin(top, from, from + size);
				rows[WIDTH * record + OFFSET] = top;
			}
			top += size;
		}
		this.#top = top;
	}
}
