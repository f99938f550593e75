import type { Storage } from "../../device";
import type { Memory } from "../memory";
import type { Tables } from "../tables";
import { Body } from "./body";
import { ALIVE, CHANGED, GONE, Ledger, RESTORED, SECOND, STORED, TRIED, WRITTEN } from "./ledger";

// Kinds of records
export const VALUE = 0;
export const SESSION = 1;
export const SUBSCRIPTION = 2;
export const CONTENT = 3;
export const ENTRY = 4;
const KINDS = 5;

/** The first letter of each kind's keys. */
const LETTERS = "vsfmq";

// In a stored record instead of its kind
const TOMBSTONE = 0xff;
/** The commit record, and the form of all that is stored; another one is not read. */
const COMMIT = 0xf1;

// What was found under a key
const NOTHING = 0;
const USELESS = -1;

/**
 * Numbered records of several kinds in key-value storage, changed together or not at all.
 *
 * Each record has two keys, of which one has its committed version. A transaction writes new versions under the other keys, marked with the number of the
 * next generation; then the commit record, which has two keys as well, names that generation; and only then the old versions are deleted. What begins with a
 * later generation than the commit record's, or whose CRC is wrong, was interrupted, and is deleted when it is met. So a loss of power at any byte leaves all
 * records as they were before the transaction, or all as they are after it.
 */
export class Vault {
	/** The records of each kind. */
	readonly ledgers: Ledger[] = [];
	/** What is written next, or was read. */
	readonly body: Body;
	/** Kept with the commit record: when it was written, ms of the lifetime's clock, and ms since 1970, 0 where that was not known. */
	time = 0;
	wall = 0;
	/** Versions written since the start, tombstones and commit records included. */
	writes = 0;
	readonly #storage: Storage;
	/** Records of each kind, as many as there may be now. */
	readonly #sizes: readonly number[];
	/** The generation that is committed. */
	#generation = 0;
	/** Whether the commit record tells of the same sizes. */
	#sized = false;
	/** Versions in the transaction. */
	#pending = 0;
	/** Whether a transaction was given up since the last commit. */
	#abandoned = false;
	/** Whether there may be a commit record of the next generation. */
	#doubtful = false;

	/** @param sizes records of each kind */
	constructor(memory: Memory, storage: Storage, sizes: readonly number[]) {
		this.body = new Body(memory);
		this.#storage = storage;
		this.#sizes = sizes;
	}

	/** Finds out what is committed. @param tables for what is known of the records @throws what the storage throws */
	open(tables: Tables): void {
		const { body } = this;
		const sizes = this.#sizes;
		const found: number[] = [];
		const first = this.commitUnder("ca");
		const second = this.commitUnder("cb");
		if (first > second) this.commitUnder("ca");
		this.#generation = Math.max(first, second);
		this.#sized = this.#generation !== 0;
		if (this.#sized) {
			this.time = body.readU48();
			this.wall = body.readU48();
		}
		for (let kind = 0; kind < KINDS; kind++) {
			found[kind] = this.#generation === 0 ? 0 : body.readU16();
			if (found[kind] !== sizes[kind]) this.#sized = false;
		}
		for (let kind = 0; kind < KINDS; kind++) this.ledgers[kind] = new Ledger(tables, Math.max(found[kind], sizes[kind]));
	}

	/**
	 * Looks a record up, and deletes what there is of it besides the committed version. All records have to be read before the first commit.
	 * @returns whether it is there: then `body` can be read @throws what the storage throws
	 */
	read(kind: number, number: number): boolean {
		const { states } = this.ledgers[kind];
		const one = this.key(kind, number, 0);
		const first = this.find(one, kind);
		const second = this.find(this.key(kind, number, SECOND), kind);
		const newest = second > first ? SECOND : 0;
		const older = newest === 0 ? second : first;
		const generation = Math.max(first, second);
		states[number] = generation > NOTHING ? STORED | newest : 0;
		if (older !== NOTHING) this.remove(kind, number, newest ^ SECOND);
		if (generation === USELESS) this.remove(kind, number, newest);
		if (generation <= NOTHING) return false;
		if (newest === 0 && older !== NOTHING) this.find(one, kind);
		if (this.body.kind !== TOMBSTONE) {
			states[number] |= RESTORED;
			return true;
		}
		// without the tombstone an older version would count again
		if ((states[number] & TRIED) === 0) this.unearth(kind, number, older !== NOTHING);
		return false;
	}

	/** Writes a new version of a record, which is in `body`. @throws what the storage throws: then abandon() */
	put(kind: number, number: number): void {
		this.write(kind, number, kind);
		this.ledgers[kind].states[number] |= WRITTEN;
	}

	/** A record is gone. @throws as put() */
	drop(kind: number, number: number): void {
		const { states } = this.ledgers[kind];
		if ((states[number] & STORED) !== 0) {
			this.body.begin();
			this.write(kind, number, TOMBSTONE);
			states[number] |= WRITTEN | GONE;
		}
	}

	/** Ends the transaction; then nothing is CHANGED any more. @throws as put() */
	commit(): void {
		if (this.#abandoned) this.retract();
		if (this.#pending > 0 || !this.#sized) this.seal();
		this.#pending = 0;
		this.tidy();
	}

	/** Gives the transaction up; everything stays as it was, and CHANGED what is. What it has written is deleted, as a full storage has no room for more. */
	abandon(): void {
		this.#pending = 0;
		this.#abandoned = true;
		for (let kind = 0; kind < KINDS; kind++) {
			const { states } = this.ledgers[kind];
			for (let i = 1; i < states.length; i++) states[i] &= ~(WRITTEN | GONE | ALIVE);
		}
		try {
			this.retract();
		} catch {
			// before the next commit it must succeed
		}
	}

	private key(kind: number, number: number, second: number): string {
		return `${LETTERS.charAt(kind)}${number}${second === 0 ? "a" : "b"}`;
	}

	private write(kind: number, number: number, tag: number): void {
		const { states } = this.ledgers[kind];
		const state = states[number];
		this.deny();
		states[number] |= TRIED;
		this.#pending++;
		this.writes++;
		this.#storage.write(this.key(kind, number, next(state)), this.body.seal(this.#generation + 1, tag));
	}

	/** The generation of a commit record, 0 if there is none. */
	private commitUnder(key: string): number {
		const length = this.load(key);
		return length !== NOTHING && this.body.open(length) && this.body.kind === COMMIT ? this.body.generation : 0;
	}

	/** The generation of what is under a key, NOTHING, or USELESS. */
	private find(key: string, kind: number): number {
		const { body } = this;
		const length = this.load(key);
		if (length === NOTHING) return NOTHING;
		if (!body.open(length) || (body.kind !== kind && body.kind !== TOMBSTONE) || body.generation > this.#generation) return USELESS;
		return body.generation;
	}

	/** Reads what is under a key. @returns its length, or NOTHING; 1 for what is too long to be read */
	private load(key: string): number {
		try {
			return this.#storage.read(key, this.body.space()) ?? NOTHING;
		} catch (error) {
			if (error instanceof RangeError) return 1;
			throw error;
		}
	}

	/** Deletes what is of no use under one of a record's keys. Where that fails, and the record's next version goes there, it is left to retract(). */
	private remove(kind: number, number: number, second: number): void {
		const { states } = this.ledgers[kind];
		try {
			this.#storage.delete(this.key(kind, number, second));
		} catch (error) {
			if (next(states[number]) !== second) throw error;
			states[number] |= TRIED;
			this.#abandoned = true;
		}
	}

	/** Deletes a record's tombstone. Where that fails it stays, and stands for nothing. @param sync whether what is deleted has to be so for good before */
	private unearth(kind: number, number: number, sync: boolean): void {
		const { states } = this.ledgers[kind];
		try {
			if (sync) this.#storage.sync?.();
			this.#storage.delete(this.key(kind, number, states[number] & SECOND));
			states[number] = 0;
		} catch {
			// at the next start, or with the record's next version
		}
	}

	/** Deletes a commit record that may have been written though storage said that it was not, before anything else is changed. */
	private deny(): void {
		if (!this.#doubtful) return;
		this.#storage.delete(commitKey(this.#generation + 1));
		this.#doubtful = false;
	}

	/** Deletes what transactions that were given up have written and this one has not: it must not be committed with it. */
	private retract(): void {
		this.deny();
		for (let kind = 0; kind < KINDS; kind++) {
			const { states } = this.ledgers[kind];
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				if ((state & TRIED) === 0 || (state & WRITTEN) !== 0) continue;
				this.#storage.delete(this.key(kind, i, next(state)));
			}
		}
		this.#abandoned = false;
	}

	/** Writes the commit record. */
	private seal(): void {
		const storage = this.#storage;
		const { body } = this;
		const generation = this.#generation + 1;
		const key = commitKey(generation);
		storage.sync?.();
		body.begin();
		body.u48(this.time);
		body.u48(this.wall);
		for (let kind = 0; kind < KINDS; kind++) body.u16(this.#sizes[kind]);
		this.writes++;
		try {
			storage.write(key, body.seal(generation, COMMIT));
			storage.sync?.();
		} catch (error) {
			// whether it was written or not: from now on it was not
			this.#doubtful = true;
			throw error;
		}
		this.#generation = generation;
		this.#sized = true;
	}

	/** After a commit: the new versions are those that count, and the old ones are deleted. What cannot be deleted now is at the next start. */
	private tidy(): void {
		const storage = this.#storage;
		let gone = false;
		let failed = false;
		for (let kind = 0; kind < KINDS; kind++) {
			const ledger = this.ledgers[kind];
			const { states } = ledger;
			ledger.changed = false;
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				states[i] = (state & WRITTEN) === 0 ? state & ~(CHANGED | TRIED) : STORED | next(state) | (state & (GONE | RESTORED));
				if ((state & (WRITTEN | STORED)) !== (WRITTEN | STORED)) continue;
				if ((state & GONE) !== 0) gone = true;
				try {
					storage.delete(this.key(kind, i, state & SECOND));
				} catch {
					failed = true;
				}
			}
		}
		if (gone) this.bury(failed);
	}

	/** Deletes the tombstones, once nothing is there any more that would count without them. */
	private bury(failed: boolean): void {
		const storage = this.#storage;
		let kept = failed;
		try {
			storage.sync?.();
		} catch {
			kept = true;
		}
		for (let kind = 0; kind < KINDS; kind++) {
			const { states } = this.ledgers[kind];
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				if ((state & GONE) === 0) continue;
				states[i] = state & ~GONE;
				if (!kept) this.unearth(kind, i, false);
			}
		}
	}
}

/** The key of a generation's commit record. */
function commitKey(generation: number): string {
	return generation % 2 === 0 ? "ca" : "cb";
}

/** Which of its two keys a record is written under next. */
function next(state: number): number {
	return (state & STORED) === 0 ? 0 : (state & SECOND) ^ SECOND;
}
