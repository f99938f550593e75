import type { Tables } from "./tables";

// State bits of a record
/** It differs from its stored version. */
export const CHANGED = 1;
/** Storage holds a committed version. */
export const STORED = 2;
/** The committed version is under the second of the record's two keys. */
export const SECOND_KEY = 4;
/** The other key may hold a version that was never committed. */
export const UNCOMMITTED = 8;
/** A new version is written, but not yet committed. */
export const WRITTEN = 16;
/** The new version is a tombstone: the record is deleted. */
export const IS_TOMBSTONE = 32;
/** Its contents are unchanged since the restart. */
export const RESTORED = 64;
/** Found in use by the present save(). */
export const IN_USE = 128;

/** States of the records of one pool; the pool marks its changes here. */
export class DirtyFlags {
	/** By record number. */
	readonly states: Uint8Array;
	/** Whether any record may be CHANGED. */
	changed = false;

	/** @param records highest record number */
	constructor(tables: Tables, records: number) {
		this.states = tables.u8(records + 1);
	}

	/** Marks a record that was changed, added or removed. */
	mark(record: number): void {
		this.changed = true;
		this.states[record] = (this.states[record] | CHANGED) & ~RESTORED;
	}

	/** Gives a restored record another number; 0 if it could not be restored. */
	renumber(from: number, to: number): void {
		if (from === to) return;
		this.changed = true;
		this.states[from] |= CHANGED;
		if (to !== 0) this.states[to] |= CHANGED | RESTORED;
	}

	/** Whether the contents of a record are unchanged since the restart. */
	isRestored(record: number): boolean {
		return (this.states[record] & RESTORED) !== 0;
	}
}
