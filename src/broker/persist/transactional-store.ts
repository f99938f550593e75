import type { Storage } from "../../device";
import { readValue } from "../../stored-value";
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

export type RecordKind =
	| typeof VALUE_KIND
	| typeof SESSION_KIND
	| typeof SUBSCRIPTION_KIND
	| typeof CONTENT_KIND
	| typeof ENTRY_KIND;

/** First letter of the keys, by kind. */
const KEY_LETTERS = "vsfmq";

// Values of the kind field that are no kind of record
const TOMBSTONE = 0xff;
/** The commit record. Also the version of the storage format: a commit record of another one is ignored. */
const COMMIT = 0xf1;

/**
 * Maximum number of records that the pools of the stored state have beyond those of this broker. A state of
 * much larger pools, such as that of a desktop, is left untouched: its flags alone could fill a chip's
 * memory.
 */
const SURPLUS_LIMIT = 1024;

/** Key that a host has written if its storage has lost records; deleted with the first commit. */
const DAMAGED_KEY = "damaged";

// Results of looking up a key, besides a generation or length
const ABSENT = 0;
const INVALID = -1;

/**
 * Numbered records of several kinds in key-value storage, changed atomically.
 *
 * Each record has two keys, one of which holds its committed version. A transaction writes new versions under
 * the other keys, marked with the number of the next generation; then the commit record, which also has two
 * keys, with that generation; and only then deletes the old versions. A version with a later generation than
 * the commit record's, or with a wrong CRC, belongs to an interrupted transaction, and is deleted when it is
 * read. A power loss at any byte therefore leaves all records as they were before the transaction, or all as
 * they are after it.
 *
 * If the storage has lost records, the commit records may be among them. Then every version with a valid CRC
 * counts as committed: part of an interrupted transaction does less harm than the loss of a committed one.
 */
export class TransactionalStore {
	/** States of the records, by kind. */
	readonly dirtyFlags: DirtyFlags[] = [];
	/** The record that is written next, or was read. */
	readonly codec: RecordCodec;
	/**
	 * Stored in the commit record: when it was written, ms of the persistent clock, and ms since 1970, 0 if
	 * unknown.
	 */
	persistentTimeMs = 0;
	wallTimeMs = 0;
	/** Versions written since start-up, including tombstones and commit records. */
	writes = 0;
	readonly #storage: Storage;
	/** Present capacity, by kind. */
	readonly #sizes: readonly number[];
	/** The committed generation. */
	#generation = 0;
	/** Whether the commit record holds the present sizes. */
	#sizesCommitted = false;
	/** Versions written in this transaction. */
	#pendingVersions = 0;
	/** Whether a transaction was rolled back since the last commit. */
	#rolledBack = false;
	/** Whether the storage has lost records, and no commit was written since. */
	#damaged = false;
	/** Whether a commit record of the next generation may exist. */
	#commitDoubtful = false;

	/** @param sizes capacity, by kind */
	constructor(memory: Memory, storage: Storage, sizes: readonly number[]) {
		this.codec = new RecordCodec(memory);
		this.#storage = storage;
		this.#sizes = sizes;
	}

	/**
	 * Reads the commit record.
	 * @param tables for the states of the records
	 * @throws errors of the storage, and if the stored state is of much larger pools
	 */
	loadCommit(tables: Tables): void {
		const { codec } = this;
		const sizes = this.#sizes;
		const found: number[] = [];
		this.#damaged = this.loadVersion(DAMAGED_KEY) !== ABSENT;
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
		let surplus = 0;
		for (let kind = 0; kind < KIND_COUNT; kind++) surplus += Math.max(0, found[kind] - sizes[kind]);
		// Each takes a byte until it is restored under another number, or deleted
		if (surplus > SURPLUS_LIMIT)
			throw new Error(`the stored state is of larger pools: ${surplus} records have no place`);
		for (let kind = 0; kind < KIND_COUNT; kind++)
			this.dirtyFlags[kind] = new DirtyFlags(tables, Math.max(found[kind], sizes[kind]));
	}

	/**
	 * Reads every record, so that a state which cannot be read as a whole is not restored in part: a session
	 * would be there without its subscriptions. After {@link loadCommit}.
	 * @throws errors of the storage
	 */
	requireReadable(): void {
		for (let kind = 0; kind < KIND_COUNT; kind++) {
			const { length } = this.dirtyFlags[kind].states;
			for (let i = 1; i < length; i++) {
				this.loadVersion(this.key(kind, i, 0));
				this.loadVersion(this.key(kind, i, SECOND_KEY));
			}
		}
	}

	/** Whether the storage has lost records; the commit records, and their times, may be among them. */
	get damaged(): boolean {
		return this.#damaged;
	}

	/**
	 * Reads a record, and deletes every version of it except the committed one. All records must be read before
	 * the first commit.
	 * @returns whether the record exists: then `codec` holds it
	 * @throws errors of the storage
	 */
	readRecord(kind: RecordKind, number: number): boolean {
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
		// without the tombstone an older version would become valid again
		if ((states[number] & UNCOMMITTED) === 0) this.deleteTombstone(kind, number, older !== ABSENT);
		return false;
	}

	/** Writes the record in `codec` as a new version. @throws errors of the storage: then call rollback() */
	put(kind: RecordKind, number: number): void {
		this.writeVersion(kind, number, kind);
		this.dirtyFlags[kind].states[number] |= WRITTEN;
	}

	/** Deletes a record as part of the transaction. @throws as put() */
	drop(kind: RecordKind, number: number): void {
		const { states } = this.dirtyFlags[kind];
		if ((states[number] & STORED) !== 0) {
			this.codec.startWriting();
			this.writeVersion(kind, number, TOMBSTONE);
			states[number] |= WRITTEN | IS_TOMBSTONE;
		}
	}

	/** Ends the transaction and clears all CHANGED flags. @throws as put() */
	commit(): void {
		if (this.#rolledBack) this.deleteUncommitted();
		if (this.#pendingVersions > 0 || !this.#sizesCommitted) this.writeCommit();
		this.#pendingVersions = 0;
		this.deleteOldVersions();
	}

	/**
	 * Cancels the transaction: all records, and their CHANGED flags, stay as they were. Deletes the versions
	 * that it has written, as a full storage has no room for more.
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
			// commit() tries again, and must succeed in it
		}
	}

	private key(kind: number, number: number, second: number): string {
		return `${KEY_LETTERS.charAt(kind)}${number}${second === 0 ? "a" : "b"}`;
	}

	private writeVersion(kind: RecordKind, number: number, tag: RecordKind | typeof TOMBSTONE): void {
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

	/** The generation of the version under a key, ABSENT, or INVALID. */
	private generationUnder(key: string, kind: RecordKind): number {
		const { codec } = this;
		const length = this.loadVersion(key);
		if (length === ABSENT) return ABSENT;
		if (!codec.startReading(length) || (codec.kind !== kind && codec.kind !== TOMBSTONE)) return INVALID;
		const { generation } = codec;
		if (generation > this.#generation) {
			if (!this.#damaged) return INVALID;
			this.#generation = generation;
			this.#sizesCommitted = false;
		}
		return generation;
	}

	/** Reads the version under a key. @returns its length, or ABSENT; 1 if it is too long to be read */
	private loadVersion(key: string): number {
		try {
			return readValue(this.#storage, key, this.codec.readBuffer());
		} catch (error) {
			if (error instanceof RangeError) return 1;
			throw error;
		}
	}

	/**
	 * Deletes an unneeded version under one of a record's keys. If that fails, and the key is that of the
	 * record's next version, deleteUncommitted() tries again.
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
	 * Deletes a record's tombstone. If that fails, the tombstone remains without effect.
	 * @param sync whether earlier deletions must be durable first
	 */
	private deleteTombstone(kind: number, number: number, sync: boolean): void {
		const { states } = this.dirtyFlags[kind];
		try {
			if (sync) this.#storage.sync?.();
			this.#storage.delete(this.key(kind, number, states[number] & SECOND_KEY));
			states[number] = 0;
		} catch {
			// deleted at the next start, or with the record's next version
		}
	}

	/**
	 * Deletes a commit record that may exist although storage reported an error, durably and before anything
	 * else is changed: it would commit what the next transaction has written when the power fails.
	 */
	private deleteDoubtfulCommit(): void {
		if (!this.#commitDoubtful) return;
		this.#storage.delete(commitKey(this.#generation + 1));
		this.#storage.sync?.();
		this.#commitDoubtful = false;
	}

	/**
	 * Deletes the versions that rolled back transactions have written and this one has not: they must not be
	 * committed with it.
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
			// it may have been written; from now on it counts as not written
			this.#commitDoubtful = true;
			throw error;
		}
		this.#generation = generation;
		this.#sizesCommitted = true;
		if (this.#damaged) this.deleteDamagedKey();
	}

	private deleteDamagedKey(): void {
		try {
			this.#storage.delete(DAMAGED_KEY);
			this.#damaged = false;
		} catch {
			// deleted with the next commit
		}
	}

	/**
	 * After a commit: makes the new versions current, and deletes the old ones. Versions that cannot be deleted
	 * now are deleted at the next start.
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

	/** Deletes the tombstones, once no version is left that would become valid without them. */
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

/** Which of a record's two keys the next version uses: 0 or SECOND_KEY. */
function nextKey(state: number): number {
	return (state & STORED) === 0 ? 0 : (state & SECOND_KEY) ^ SECOND_KEY;
}
