import type { DirtyFlags } from "../pool/dirty-flags";
import type { Tables } from "../pool/tables";

// Columns
const WIDTH = 5;
const NEXT = 0;
const CONTENT = 1;
const PACKET_ID = 2;
const FLAGS = 3;
const SHARE = 4;

/** In an entry's flags, whose low nibble is that of its PUBLISH: its QoS. */
export const QOS_MASK = 6;
/** In an entry's flags: PUBREC was received, PUBCOMP is pending. */
export const RELEASED = 0x10;

/** The topic tree, which holds the names of shared subscriptions. */
export interface ShareNames {
	/** Whether a node is in use. */
	inUse(node: number): boolean;
}

/**
 * The entries of the queues: rows of a table, numbered from 1; 0 means none. Each can be linked to another.
 */
export class QueueEntries {
	/** Free entries, and their lowest number so far. */
	free: number;
	leastFree: number;
	/** Records changed entries; undefined without persistence. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	readonly #rows: Uint16Array;
	readonly #identifiers: Uint32Array;
	/** Sequence numbers of the entries; undefined without persistence. */
	#sequences: Uint32Array | undefined = undefined;
	#sequence = 0;
	#firstFree = 1;

	constructor(tables: Tables, records: number) {
		this.free = records;
		this.leastFree = records;
		this.#rows = tables.u16(WIDTH * records + WIDTH);
		this.#identifiers = tables.u32(records + 1);
		for (let i = 1; i < records; i++) this.#rows[WIDTH * i + NEXT] = i + 1;
	}

	/**
	 * Allocates an entry, linked to none. An entry must be free.
	 * @param packetId 0 for one that is not sent yet
	 */
	allocate(content: number, flags: number, identifier: number, share: number, packetId = 0): number {
		const rows = this.#rows;
		const entry = this.#firstFree;
		const row = WIDTH * entry;
		this.#firstFree = rows[row + NEXT];
		rows[row + NEXT] = 0;
		rows[row + CONTENT] = content;
		rows[row + PACKET_ID] = packetId;
		rows[row + FLAGS] = flags;
		rows[row + SHARE] = share;
		this.#identifiers[entry] = identifier;
		if (this.#sequences !== undefined) this.#sequences[entry] = ++this.#sequence;
		if (--this.free < this.leastFree) this.leastFree = this.free;
		this.dirtyFlags?.mark(entry);
		return entry;
	}

	/** Makes an entry the newest one, with the same content for another subscription of the same share. */
	renew(entry: number, flags: number, identifier: number): void {
		this.#rows[WIDTH * entry + FLAGS] = flags;
		this.#rows[WIDTH * entry + PACKET_ID] = 0;
		this.#identifiers[entry] = identifier;
		if (this.#sequences !== undefined) this.#sequences[entry] = ++this.#sequence;
		this.dirtyFlags?.mark(entry);
	}

	release(entry: number): void {
		this.#rows[WIDTH * entry + NEXT] = this.#firstFree;
		this.#firstFree = entry;
		this.dirtyFlags?.mark(entry);
		this.free++;
	}

	/** Numbers entries in the order of their allocation. @param records entries */
	enableSequences(tables: Tables, records: number): void {
		this.#sequences = tables.u32(records + 1);
	}

	/** Sequence number of an entry, which wraps from 2^32 − 1 to 0. */
	sequence(entry: number): number {
		return this.#sequences === undefined ? 0 : this.#sequences[entry];
	}

	/** Restores the sequence number of an entry; new entries continue after the highest. */
	setSequence(entry: number, sequence: number): void {
		if (this.#sequences === undefined) return;
		this.#sequences[entry] = sequence;
		if (((sequence - this.#sequence) | 0) > 0) this.#sequence = sequence;
	}

	/** The next entry in the same list; 0 after the last. */
	next(entry: number): number {
		return this.#rows[WIDTH * entry + NEXT];
	}

	setNext(entry: number, next: number): void {
		this.#rows[WIDTH * entry + NEXT] = next;
	}

	/** Its content; 0 if that was released. */
	content(entry: number): number {
		return this.#rows[WIDTH * entry + CONTENT];
	}

	dropContent(entry: number): void {
		this.#rows[WIDTH * entry + CONTENT] = 0;
		this.dirtyFlags?.mark(entry);
	}

	/** Its packet identifier; 0 for a waiting entry that was not sent on an earlier connection. */
	packetId(entry: number): number {
		return this.#rows[WIDTH * entry + PACKET_ID];
	}

	setPacketId(entry: number, packetId: number): void {
		this.#rows[WIDTH * entry + PACKET_ID] = packetId;
		this.dirtyFlags?.mark(entry);
	}

	/** QOS_MASK, RETAIN and DUP, as in its PUBLISH; and RELEASED. */
	flags(entry: number): number {
		return this.#rows[WIDTH * entry + FLAGS];
	}

	setFlags(entry: number, flags: number): void {
		this.#rows[WIDTH * entry + FLAGS] = flags;
		this.dirtyFlags?.mark(entry);
	}

	/** The subscription identifier; 0 for none. */
	identifier(entry: number): number {
		return this.#identifiers[entry];
	}

	/** The name of the shared subscription, a node of the topic tree; 0 for none. */
	share(entry: number): number {
		return this.#rows[WIDTH * entry + SHARE];
	}

	/** Forgets the names of shared subscriptions that no subscription has any more. */
	forgetEndedShares(tree: ShareNames): void {
		const rows = this.#rows;
		for (let at = WIDTH + SHARE; at < rows.length; at += WIDTH) {
			if (rows[at] === 0 || tree.inUse(rows[at])) continue;
			rows[at] = 0;
			this.dirtyFlags?.mark((at - SHARE) / WIDTH);
		}
	}
}
