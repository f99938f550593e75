import type { Storage } from "../../device";
import {
	CHANGED,
	DirtyFlags,
	IN_USE,
	IS_TOMBSTONE,
	RESTORED,
	SECOND_KEY,
	STORED,
	UNCOMMITTED,
	WRITTEN,
} from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import type { Tables } from "../pool/tables";
import { RecordCodec } from "./record-codec";

// Kinds of records
export const VALUE_KIND = 0;
export const SESSION_KIND = 1;
export const SUBSCRIPTION_KIND = 2;
export const CONTENT_KIND = 3;
export const ENTRY_KIND = 4;
const KIND_COUNT = 5;

/** The first letter of each kind's keys. */
const KEY_LETTERS = "vsfmq";

// In a stored record instead of its kind
const TOMBSTONE = 0xff;
/** The commit record, and the form of all that is stored; another one is not read. */
const COMMIT = 0xf1;

// What was found under a key
const ABSENT = 0;
const INVALID = -1;

/**
 * Numbered records of several kinds in key-value storage, changed together or not at all.
 *
 * Each record has two keys, of which one has its committed version. A transaction writes new versions under
 * the other keys, marked with the number of the next generation; then the commit record, which has two keys
 * as well, names that generation; and only then the old versions are deleted. What begins with a later
 * generation than the commit record's, or whose CRC is wrong, was interrupted, and is deleted when it is met.
 * So a loss of power at any byte leaves all records as they were before the transaction, or all as they are
 * after it.
 */
export class TransactionalStore {
	/** The records of each kind. */
	readonly dirtyFlags: DirtyFlags[] = [];
	/** What is written next, or was read. */
	readonly codec: RecordCodec;
	/**
	 * Kept with the commit record: when it was written, ms of the lifetime's clock, and ms since 1970, 0 where
	 * that was not known.
	 */
	persistentTimeMs = 0;
	wallTimeMs = 0;
	/** Versions written since the start, tombstones and commit records included. */
	writes = 0;
	readonly #storage: Storage;
	/** Records of each kind, as many as there may be now. */
	readonly #sizes: readonly number[];
	/** The generation that is committed. */
	#generation = 0;
	/** Whether the commit record tells of the same sizes. */
	#sizesCommitted = false;
	/** Versions in the transaction. */
	#pendingVersions = 0;
	/** Whether a transaction was given up since the last commit. */
	#rolledBack = false;
	/** Whether there may be a commit record of the next generation. */
	#commitDoubtful = false;

	/** @param sizes records of each kind */
	constructor(memory: Memory, storage: Storage, sizes: readonly number[]) {
		this.codec = new RecordCodec(memory);
		this.#storage = storage;
		this.#sizes = sizes;
	}

	/**
	 * Finds out what is committed.
	 * @param tables for what is known of the records
	 * @throws what the storage throws
	 */
	loadCommit(tables: Tables): void {
		const { codec } = this;
		const sizes = this.#sizes;
		const found: number[] = [];
		const first = this.commitGeneration("ca");
		const second = this.commitGeneration("cb");
		if (first > second) this.commitGeneration("ca");
		this.#generation = Math.max(first, second);
		this.#sizesCommitted = this.#generation !== 0;
		if (this.#sizesCommitted) {
			this.persistentTimeMs = codec.readU48();
			this.wallTimeMs = codec.readU48();
		}
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			found[kind] = this.#generation === 0 ? 0 : codec.readU16();
			if (found[kind] !== sizes[kind]) this.#sizesCommitted = false;
		}
		for (let kind = 0; kind < KIND_COUNT; kind++)
			this.dirtyFlags[kind] = new DirtyFlags(tables, Math.max(found[kind], sizes[kind]));
	}

	/**
	 * Looks a record up, and deletes what there is of it besides the committed version. All records have to be
	 * read before the first commit.
	 * @returns whether it is there: then `body` can be read
	 * @throws what the storage throws
	 */
	readRecord(kind: number, number: number): boolean {
		const { states } = this.dirtyFlags[kind];
		const one = this.key(kind, number, 0);
		const first = this.generationUnder(one, kind);
		const second = this.generationUnder(this.key(kind, number, SECOND_KEY), kind);
		const newest = second > first ? SECOND_KEY : 0;
		const older = newest === 0 ? second : first;
		const generation = Math.max(first, second);
		states[number] = generation > ABSENT ? STORED | newest : 0;
		if (older !== ABSENT) this.deleteVersion(kind, number, newest ^ SECOND_KEY);
		if (generation === INVALID) this.deleteVersion(kind, number, newest);
		if (generation <= ABSENT) return false;
		if (newest === 0 && older !== ABSENT) this.generationUnder(one, kind);
		if (this.codec.kind !== TOMBSTONE) {
			states[number] |= RESTORED;
			return true;
		}
		// without the tombstone an older version would count again
		if ((states[number] & UNCOMMITTED) === 0) this.deleteTombstone(kind, number, older !== ABSENT);
		return false;
	}

	/** Writes a new version of a record, which is in `body`. @throws what the storage throws: then abandon() */
	put(kind: number, number: number): void {
		this.writeVersion(kind, number, kind);
		this.dirtyFlags[kind].states[number] |= WRITTEN;
	}

	/** A record is gone. @throws as put() */
	drop(kind: number, number: number): void {
		const { states } = this.dirtyFlags[kind];
		if ((states[number] & STORED) !== 0) {
			this.codec.startWriting();
			this.writeVersion(kind, number, TOMBSTONE);
			states[number] |= WRITTEN | IS_TOMBSTONE;
		}
	}

	/** Ends the transaction; then nothing is CHANGED any more. @throws as put() */
	commit(): void {
		if (this.#rolledBack) this.deleteUncommitted();
		if (this.#pendingVersions > 0 || !this.#sizesCommitted) this.writeCommit();
		this.#pendingVersions = 0;
		this.deleteOldVersions();
	}

	/**
	 * Gives the transaction up; everything stays as it was, and CHANGED what is. What it has written is
	 * deleted, as a full storage has no room for more.
	 */
	rollback(): void {
		this.#pendingVersions = 0;
		this.#rolledBack = true;
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			const { states } = this.dirtyFlags[kind];
			for (let i = 1; i < states.length; i++) states[i] &= ~(WRITTEN | IS_TOMBSTONE | IN_USE);
		}
		try {
			this.deleteUncommitted();
		} catch {
			// before the next commit it must succeed
		}
	}

	private key(kind: number, number: number, second: number): string {
		return `${KEY_LETTERS.charAt(kind)}${number}${second === 0 ? "a" : "b"}`;
	}

	private writeVersion(kind: number, number: number, tag: number): void {
		const { states } = this.dirtyFlags[kind];
		const state = states[number];
		this.deleteDoubtfulCommit();
		states[number] |= UNCOMMITTED;
		this.#pendingVersions++;
		this.writes++;
		this.#storage.write(this.key(kind, number, nextKey(state)), this.codec.finish(this.#generation + 1, tag));
	}

	/** The generation of a commit record, 0 if there is none. */
	private commitGeneration(key: string): number {
		const length = this.loadVersion(key);
		return length !== ABSENT && this.codec.startReading(length) && this.codec.kind === COMMIT
			? this.codec.generation
			: 0;
	}

	/** The generation of what is under a key, NOTHING, or USELESS. */
	private generationUnder(key: string, kind: number): number {
		const { codec } = this;
		const length = this.loadVersion(key);
		if (length === ABSENT) return ABSENT;
		if (
			!codec.startReading(length) ||
			(codec.kind !== kind && codec.kind !== TOMBSTONE) ||
			codec.generation > this.#generation
		)
			return INVALID;
		return codec.generation;
	}

	/** Reads what is under a key. @returns its length, or NOTHING; 1 for what is too long to be read */
	private loadVersion(key: string): number {
		try {
			return this.#storage.read(key, this.codec.readBuffer()) ?? ABSENT;
		} catch (error) {
			if (error instanceof RangeError) return 1;
			throw error;
		}
	}

	/**
	 * Deletes what is of no use under one of a record's keys. Where that fails, and the record's next version
	 * goes there, it is left to retract().
	 */
	private deleteVersion(kind: number, number: number, second: number): void {
		const { states } = this.dirtyFlags[kind];
		try {
			this.#storage.delete(this.key(kind, number, second));
		} catch (error) {
			if (nextKey(states[number]) !== second) throw error;
			states[number] |= UNCOMMITTED;
			this.#rolledBack = true;
		}
	}

	/**
	 * Deletes a record's tombstone. Where that fails it stays, and stands for nothing.
	 * @param sync whether what is deleted has to be so for good before
	 */
	private deleteTombstone(kind: number, number: number, sync: boolean): void {
		const { states } = this.dirtyFlags[kind];
		try {
			if (sync) this.#storage.sync?.();
			this.#storage.delete(this.key(kind, number, states[number] & SECOND_KEY));
			states[number] = 0;
		} catch {
			// at the next start, or with the record's next version
		}
	}

	/**
	 * Deletes a commit record that may have been written though storage said that it was not, before anything
	 * else is changed.
	 */
	private deleteDoubtfulCommit(): void {
		if (!this.#commitDoubtful) return;
		this.#storage.delete(commitKey(this.#generation + 1));
		this.#commitDoubtful = false;
	}

	/**
	 * Deletes what transactions that were given up have written and this one has not: it must not be committed
	 * with it.
	 */
	private deleteUncommitted(): void {
		this.deleteDoubtfulCommit();
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			const { states } = this.dirtyFlags[kind];
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				if ((state & UNCOMMITTED) === 0 || (state & WRITTEN) !== 0) continue;
				this.#storage.delete(this.key(kind, i, nextKey(state)));
			}
		}
		this.#rolledBack = false;
	}

	/** Writes the commit record. */
	private writeCommit(): void {
		const storage = this.#storage;
		const { codec } = this;
		const generation = this.#generation + 1;
		const key = commitKey(generation);
		storage.sync?.();
		codec.startWriting();
		codec.writeU48(this.persistentTimeMs);
		codec.writeU48(this.wallTimeMs);
		for (let kind = 0; kind < KIND_COUNT; kind++) codec.writeU16(this.#sizes[kind]);
		this.writes++;
		try {
			storage.write(key, codec.finish(generation, COMMIT));
			storage.sync?.();
		} catch (error) {
			// whether it was written or not: from now on it was not
			this.#commitDoubtful = true;
			throw error;
		}
		this.#generation = generation;
		this.#sizesCommitted = true;
	}

	/**
	 * After a commit: the new versions are those that count, and the old ones are deleted. What cannot be
	 * deleted now is at the next start.
	 */
	private deleteOldVersions(): void {
		const storage = this.#storage;
		let hasTombstones = false;
		let failed = false;
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			const dirtyFlags = this.dirtyFlags[kind];
			const { states } = dirtyFlags;
			dirtyFlags.changed = false;
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				states[i] =
					(state & WRITTEN) === 0
						? state & ~(CHANGED | UNCOMMITTED)
						: STORED | nextKey(state) | (state & (IS_TOMBSTONE | RESTORED));
				if ((state & (WRITTEN | STORED)) !== (WRITTEN | STORED)) continue;
				if ((state & IS_TOMBSTONE) !== 0) hasTombstones = true;
				try {
					storage.delete(this.key(kind, i, state & SECOND_KEY));
				} catch {
					failed = true;
				}
			}
		}
		if (hasTombstones) this.deleteTombstones(failed);
	}

	/** Deletes the tombstones, once nothing is there any more that would count without them. */
	private deleteTombstones(failed: boolean): void {
		const storage = this.#storage;
		let keepTombstones = failed;
		try {
			storage.sync?.();
		} catch {
			keepTombstones = true;
		}
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			const { states } = this.dirtyFlags[kind];
			for (let i = 1; i < states.length; i++) {
				const state = states[i];
				if ((state & IS_TOMBSTONE) === 0) continue;
				states[i] = state & ~IS_TOMBSTONE;
				if (!keepTombstones) this.deleteTombstone(kind, i, false);
			}
		}
	}
}

/** The key of a generation's commit record. */
function commitKey(generation: number): string {
	return generation % 2 === 0 ? "ca" : "cb";
}

/** Which of its two keys a record is written under next. */
function nextKey(state: number): number {
	return (state & STORED) === 0 ? 0 : (state & SECOND_KEY) ^ SECOND_KEY;
}
