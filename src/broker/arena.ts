import type { Tables } from "./tables";

// Columns
const OFFSET = 0;
const SIZE = 1;
const NEXT = 0;
const PREVIOUS = 1;

/**
 * Records of any length in one region of a byte array, moved together when the free space has become scattered.
 * A record is known by a number from 1 to `records`; 0 means none. Allocates nothing after construction.
 */
export class Arena {
	readonly bytes: Uint8Array;
	/** Bytes that the records in use take. */
	used = 0;
	/** Records in use. */
	count = 0;
	/** The most bytes that were ever in use. */
	peak = 0;
	readonly #start: number;
	readonly #end: number;
	/** OFFSET and SIZE of each record. */
	readonly #places: Uint16Array | Uint32Array;
	/** NEXT and PREVIOUS of each record: those in use in the order of their offsets; the unused ones form a list through NEXT. */
	readonly #links: Uint16Array;
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
		this.#places = end > 0xffff ? tables.u32(2 * records + 2) : tables.u16(2 * records + 2);
		this.#links = tables.u16(2 * records + 2);
		for (let i = 1; i < records; i++) this.#links[2 * i + NEXT] = i + 1;
	}

	/** Bytes that are free, together. */
	get free(): number {
		return this.#end - this.#start - this.used;
	}

	/** Whether no further record can be had, however short. */
	get exhausted(): boolean {
		return this.#unused === 0;
	}

	/** Whether allocate() would move no record. */
	fits(size: number): boolean {
		return size <= this.#end - this.#top;
	}

	/** Index of the record's first byte; valid until the next allocate() or compact(). */
	offset(record: number): number {
		return this.#places[2 * record + OFFSET];
	}

	/** Bytes that the record was allocated with. */
	size(record: number): number {
		return this.#places[2 * record + SIZE];
	}

	/** A new record of `size` bytes with arbitrary contents, or 0 when records or bytes are used up. Other records may move. */
	allocate(size: number): number {
		const record = this.#unused;
		if (record === 0 || size > this.free) return 0;
		if (size > this.#end - this.#top) this.compact();
		const last = this.#last;
		this.#unused = this.#links[2 * record + NEXT];
		this.#links[2 * record + NEXT] = 0;
		this.#links[2 * record + PREVIOUS] = last;
		if (last === 0) this.#first = record;
		else this.#links[2 * last + NEXT] = record;
		this.#last = record;
		this.#places[2 * record + OFFSET] = this.#top;
		this.#places[2 * record + SIZE] = size;
		this.#top += size;
		this.count++;
		const used = this.used + size;
		this.used = used;
		if (used > this.peak) this.peak = used;
		return record;
	}

	/** Gives a record back. */
	release(record: number): void {
		const next = this.#links[2 * record + NEXT];
		const previous = this.#links[2 * record + PREVIOUS];
		if (next === 0) this.#last = previous;
		else this.#links[2 * next + PREVIOUS] = previous;
		if (previous === 0) this.#first = next;
		else this.#links[2 * previous + NEXT] = next;
		if (next === 0) this.#top = previous === 0 ? this.#start : this.#places[2 * previous + OFFSET] + this.#places[2 * previous + SIZE];
		this.#links[2 * record + NEXT] = this.#unused;
		this.#unused = record;
		this.count--;
		this.used -= this.#places[2 * record + SIZE];
	}

	/** Moves the records together. */
	compact(): void {
		const bytes = this.bytes;
		const places = this.#places;
		const links = this.#links;
		let top = this.#start;
		for (let record = this.#first; record !== 0; record = links[2 * record + NEXT]) {
			const from = places[2 * record + OFFSET];
			const size = places[2 * record + SIZE];
			if (from !== top) {
				bytes.copyWithin(top, from, from + size);
				places[2 * record + OFFSET] = top;
			}
			top += size;
		}
		this.#top = top;
	}
}
