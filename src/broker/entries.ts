import type { Tables } from "./tables";

// Columns
const WIDTH = 5;
const NEXT = 0;
const CONTENT = 1;
const PACKET_ID = 2;
const FLAGS = 3;
const SHARE = 4;

/** The entries of the queues: rows of a table, known by numbers from 1; 0 means none. Each can be linked to another. */
export class Entries {
	/** Entries that are free, and the fewest that ever were. */
	free: number;
	leastFree: number;
	readonly #rows: Uint16Array;
	readonly #identifiers: Uint32Array;
	#unused = 1;

	constructor(tables: Tables, records: number) {
		this.free = records;
		this.leastFree = records;
		this.#rows = tables.u16(WIDTH * records + WIDTH);
		this.#identifiers = tables.u32(records + 1);
		for (let i = 1; i < records; i++) this.#rows[WIDTH * i + NEXT] = i + 1;
	}

	/** A new entry, linked to none; there must be a free one. */
	take(content: number, flags: number, identifier: number, share: number): number {
		const rows = this.#rows;
		const entry = this.#unused;
		const row = WIDTH * entry;
		this.#unused = rows[row + NEXT];
		rows[row + NEXT] = 0;
		rows[row + CONTENT] = content;
		rows[row + PACKET_ID] = 0;
		rows[row + FLAGS] = flags;
		rows[row + SHARE] = share;
		this.#identifiers[entry] = identifier;
		if (--this.free < this.leastFree) this.leastFree = this.free;
		return entry;
	}

	release(entry: number): void {
		this.#rows[WIDTH * entry + NEXT] = this.#unused;
		this.#unused = entry;
		this.free++;
	}

	next(entry: number): number {
		return this.#rows[WIDTH * entry + NEXT];
	}

	link(entry: number, next: number): void {
		this.#rows[WIDTH * entry + NEXT] = next;
	}

	content(entry: number): number {
		return this.#rows[WIDTH * entry + CONTENT];
	}

	dropContent(entry: number): void {
		this.#rows[WIDTH * entry + CONTENT] = 0;
	}

	packetId(entry: number): number {
		return this.#rows[WIDTH * entry + PACKET_ID];
	}

	setPacketId(entry: number, packetId: number): void {
		this.#rows[WIDTH * entry + PACKET_ID] = packetId;
	}

	flags(entry: number): number {
		return this.#rows[WIDTH * entry + FLAGS];
	}

	setFlags(entry: number, flags: number): void {
		this.#rows[WIDTH * entry + FLAGS] = flags;
	}

	/** The subscription identifier; 0 for none. */
	identifier(entry: number): number {
		return this.#identifiers[entry];
	}

	/** The name of the shared subscription, a node of the topic tree; 0 for none. */
	share(entry: number): number {
		return this.#rows[WIDTH * entry + SHARE];
	}
}
