import type { Tables } from "./tables";

// What is known of a record, bits
/** It is not what was stored last. */
export const CHANGED = 1;
/** Storage has a committed version of it. */
export const STORED = 2;
/** That version is under the second of the record's two keys. */
export const SECOND_KEY = 4;
/** Under the other key there may be a version that was never committed. */
export const UNCOMMITTED = 8;
/** A new version was written, and waits to be committed. */
export const WRITTEN = 16;
/** That version says that the record is gone. */
export const IS_TOMBSTONE = 32;
/** It is as it was before the restart. */
export const RESTORED = 64;
/** Seen in use while storing goes on. */
export const IN_USE = 128;

/** What is known of the records of one pool; the pool notes here what changes. */
export class DirtyFlags {
	/** By the record's number. */
	readonly states: Uint8Array;
	/** Whether there may be a record that is CHANGED. */
	changed = false;

	/** @param records the highest number */
	constructor(tables: Tables, records: number) {
		this.states = tables.u8(records + 1);
	}

	/** A record has changed, or came or went. */
	mark(record: number): void {
		this.changed = true;
		this.states[record] = (this.states[record] | CHANGED) & ~RESTORED;
	}

	/** A restored record has another number from now on; 0: it is given up. */
	renumber(from: number, to: number): void {
		if (from === to) return;
		this.changed = true;
		this.states[from] |= CHANGED;
		if (to !== 0) this.states[to] |= CHANGED | RESTORED;
	}

	/** Whether a record is as it was before the restart. */
	isRestored(record: number): boolean {
		return (this.states[record] & RESTORED) !== 0;
	}
}
