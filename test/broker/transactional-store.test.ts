import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
	CONTENT_KIND,
	ENTRY_KIND,
	type RecordKind,
	SESSION_KIND,
	SUBSCRIPTION_KIND,
	TransactionalStore,
	VALUE_KIND,
} from "../../src/broker/persist/transactional-store";
import { Memory } from "../../src/broker/pool/memory";
import { Tables } from "../../src/broker/pool/tables";
import { PowerCut, PowerCutStorage, type TornWrite, type Unsynced } from "./support/power-cut-storage";

const RECORD_KINDS = [VALUE_KIND, SESSION_KIND, SUBSCRIPTION_KIND, CONTENT_KIND, ENTRY_KIND] as const;
const RECORDS_PER_KIND = 3;
const sizes = RECORD_KINDS.map(() => RECORDS_PER_KIND);

type StoredRecords = Map<string, string>;
/** Sets a record to a text; undefined: deletes it. */
type RecordChange = readonly [kind: RecordKind, number: number, text: string | undefined];

function openStore(flash: PowerCutStorage): { store: TransactionalStore; records: StoredRecords } {
	const store = new TransactionalStore(new Memory(0, 0, 64), flash.open(), sizes);
	store.loadCommit(new Tables());
	const records: StoredRecords = new Map();
	for (const kind of RECORD_KINDS)
		for (let i = 1; i <= RECORDS_PER_KIND; i++)
			if (store.readRecord(kind, i))
				records.set(
					`${kind}/${i}`,
					Buffer.from(store.codec.bytes.slice(store.codec.at, store.codec.end)).toString(),
				);
	return { store, records };
}

function applyChanges(store: TransactionalStore, changes: readonly RecordChange[]): void {
	for (const [kind, number, text] of changes) {
		if (text === undefined) store.drop(kind, number);
		else {
			const bytes = Buffer.from(text);
			store.codec.startWriting();
			store.codec.writeBytes(bytes, 0, bytes.length);
			store.put(kind, number);
		}
	}
	store.commit();
}

function expected(records: StoredRecords, changes: readonly RecordChange[]): StoredRecords {
	const result = new Map(records);
	for (const [kind, number, text] of changes) {
		if (text === undefined) result.delete(`${kind}/${number}`);
		else result.set(`${kind}/${number}`, text);
	}
	return result;
}

const change = fc.tuple(
	fc.constantFrom(VALUE_KIND, SESSION_KIND, ENTRY_KIND),
	fc.integer({ min: 1, max: RECORDS_PER_KIND }),
	fc.option(fc.string({ maxLength: 6 }), { nil: undefined }),
);
/** Changes of distinct records. */
const transaction = fc.uniqueArray(change, {
	maxLength: 5,
	selector: ([kind, number]) => `${kind}/${number}`,
});
/** What a power cut leaves of the write in progress, and of changes without a sync(). */
const losses: readonly (readonly [TornWrite, Unsynced])[] = [
	["old", "kept"],
	["part", "kept"],
	["none", "kept"],
	["part", "lost"],
	["old", 1],
	["none", 2],
	["part", 3],
];

describe("numbered records in key-value storage", () => {
	test("a committed transaction: restored after a restart, without any other keys", () => {
		fc.assert(
			fc.property(fc.array(transaction, { maxLength: 8 }), (transactions) => {
				const flash = new PowerCutStorage();
				let { store } = openStore(flash);
				let model: StoredRecords = new Map();
				for (const changes of transactions) {
					applyChanges(store, changes);
					model = expected(model, changes);
					const again = openStore(flash);
					assert.deepEqual(again.records, model);
					assert.equal([...flash.values.keys()].filter((key) => !key.startsWith("c")).length, model.size);
					store = again.store;
				}
			}),
		);
	});

	test("several transactions without a restart: all are restored", () => {
		fc.assert(
			fc.property(fc.array(transaction, { maxLength: 8 }), (transactions) => {
				const flash = new PowerCutStorage();
				const { store } = openStore(flash);
				let model: StoredRecords = new Map();
				for (const changes of transactions) {
					applyChanges(store, changes);
					model = expected(model, changes);
				}
				assert.deepEqual(openStore(flash).records, model);
			}),
		);
	});

	test("power cut at every byte, also during recovery: a transaction is stored whole or not at all", () => {
		fc.assert(
			fc.property(fc.array(transaction, { minLength: 1, maxLength: 3 }), transaction, (before, changes) => {
				const flash = new PowerCutStorage();
				const { store } = openStore(flash);
				let model: StoredRecords = new Map();
				for (const each of before) {
					applyChanges(store, each);
					model = expected(model, each);
				}
				const stored = new Map(flash.values);
				const whole = new PowerCutStorage(stored);
				applyChanges(openStore(whole).store, changes);
				const after = expected(model, changes);
				for (const [tornWrite, unsynced] of losses) {
					for (let cutAt = 0; cutAt < whole.writtenBytes; cutAt++) {
						const cut = new PowerCutStorage(stored);
						const { store: storeAfterCut } = openStore(cut);
						cut.cutAtByte = cutAt;
						cut.tornWrite = tornWrite;
						cut.unsynced = unsynced;
						try {
							applyChanges(storeAfterCut, changes);
						} catch (error) {
							assert.ok(error instanceof PowerCut);
						}
						for (let second = 0; second < 4; second++) {
							const again = new PowerCutStorage(cut.values);
							again.cutAtByte = second;
							again.unsynced = unsynced;
							try {
								openStore(again);
							} catch (error) {
								assert.ok(error instanceof PowerCut);
							}
							const last = new PowerCutStorage(again.values);
							const found = openStore(last);
							assert.ok(
								same(found.records, model) || same(found.records, after),
								`${tornWrite} ${unsynced} at ${cutAt}`,
							);
							const later: RecordChange[] = [[SUBSCRIPTION_KIND, 1, "later"]];
							applyChanges(found.store, later);
							assert.deepEqual(openStore(last).records, expected(found.records, later));
						}
					}
				}
			}),
			{ numRuns: 25 },
		);
	});

	test("power cut after a transaction: it is durable, whatever no sync() followed", () => {
		fc.assert(
			fc.property(
				fc.array(transaction, { maxLength: 8 }),
				fc.option(fc.nat(), { nil: "lost" as const }),
				(transactions, unsynced) => {
					let flash = new PowerCutStorage();
					let model: StoredRecords = new Map();
					for (const changes of transactions) {
						applyChanges(openStore(flash).store, changes);
						model = expected(model, changes);
						flash.unsynced = unsynced;
						flash.cutPower();
						flash = new PowerCutStorage(flash.values);
						assert.deepEqual(openStore(flash).records, model);
					}
				},
			),
		);
	});

	test("a failed transaction: rolled back, and not committed with a later one", () => {
		fc.assert(
			fc.property(
				transaction,
				transaction,
				transaction,
				fc.integer({ min: 1, max: 12 }),
				(before, failing, after, failure) => {
					const flash = new PowerCutStorage();
					const { store } = openStore(flash);
					applyChanges(store, before);
					let model = expected(new Map(), before);
					flash.failingCalls.add(flash.calls + failure);
					try {
						applyChanges(store, failing);
						model = expected(model, failing);
					} catch {
						store.rollback();
					}
					flash.failingCalls.clear();
					assert.deepEqual(openStore(new PowerCutStorage(flash.values)).records, model);
					applyChanges(store, after);
					assert.deepEqual(openStore(flash).records, expected(model, after));
				},
			),
			{ numRuns: 500 },
		);
	});

	test("a transaction without room: a smaller one can still be stored", () => {
		const flash = new PowerCutStorage();
		const { store } = openStore(flash);
		let room = 120;
		const storage = flash.open();
		const small = new TransactionalStore(
			new Memory(0, 0, 64),
			{
				...storage,
				write(key, value) {
					let used = value.length - (flash.values.get(key)?.length ?? 0);
					for (const { length } of flash.values.values()) used += length;
					if (used > room) throw new Error("no room");
					storage.write(key, value);
				},
			},
			sizes,
		);
		applyChanges(store, [[VALUE_KIND, 1, "one"]]);
		small.loadCommit(new Tables());
		for (const kind of RECORD_KINDS) for (let i = 1; i <= RECORDS_PER_KIND; i++) small.readRecord(kind, i);
		room = 140;
		assert.throws(() =>
			applyChanges(small, [
				[VALUE_KIND, 2, "x".repeat(20)],
				[VALUE_KIND, 3, "x".repeat(40)],
			]),
		);
		small.rollback();
		applyChanges(small, [[SESSION_KIND, 1, "x".repeat(20)]]);
		assert.deepEqual([...openStore(flash).records.keys()], [`${VALUE_KIND}/1`, `${SESSION_KIND}/1`]);
	});

	test("a commit record written despite an error: deleted before anything else is written", () => {
		for (let i = 0; i < 20 * 16; i++) {
			const flash = new PowerCutStorage();
			flash.unsynced = i % 16 === 0 ? "kept" : i;
			const storage = flash.open();
			let failing = false;
			const store = new TransactionalStore(
				new Memory(0, 0, 64),
				{
					...storage,
					write(key, value) {
						storage.write(key, value);
						if (failing && key.startsWith("c")) throw new Error("timeout");
					},
					delete(key) {
						if (failing) throw new Error("timeout");
						storage.delete(key);
					},
				},
				sizes,
			);
			store.loadCommit(new Tables());
			const change = (text: string): RecordChange[] => [
				[VALUE_KIND, 1, text],
				[VALUE_KIND, 2, text],
			];
			applyChanges(store, change("one"));
			failing = true;
			assert.throws(() => applyChanges(store, change("two")));
			store.rollback();
			failing = false;
			flash.cutAtByte = flash.writtenBytes + Math.floor(i / 16);
			assert.throws(() => applyChanges(store, change("three")));
			const [first, second] = [...openStore(new PowerCutStorage(flash.values)).records.values()];
			assert.ok(first === second, `${first} ${second}`);
		}
	});

	test("other numbers of records: stored records are found, dropped ones are not", () => {
		const flash = new PowerCutStorage();
		const largeStore = openStore(flash).store;
		applyChanges(largeStore, [
			[VALUE_KIND, 1, "one"],
			[VALUE_KIND, 3, "three"],
		]);
		const memory = new Memory(0, 0, 64);
		const smallStore = new TransactionalStore(
			memory,
			flash.open(),
			RECORD_KINDS.map(() => 1),
		);
		smallStore.loadCommit(new Tables());
		assert.equal(smallStore.dirtyFlags[VALUE_KIND].states.length, RECORDS_PER_KIND + 1);
		assert.ok(smallStore.readRecord(VALUE_KIND, 3));
		smallStore.drop(VALUE_KIND, 3);
		smallStore.commit();
		const found = openStore(flash);
		assert.deepEqual([...found.records], [[`${VALUE_KIND}/1`, "one"]]);
	});

	test("foreign values in storage: skipped and removed", () => {
		const flash = new PowerCutStorage();
		applyChanges(openStore(flash).store, [[VALUE_KIND, 1, "one"]]);
		flash.values.set("v2a", new Uint8Array([1, 2, 3]));
		flash.values.set("v1b", new Uint8Array(200));
		assert.deepEqual([...openStore(flash).records], [[`${VALUE_KIND}/1`, "one"]]);
		assert.deepEqual(
			[...flash.values.keys()].sort(),
			["ca", "cb", "v1a"].filter((key) => flash.values.has(key)).sort(),
		);
	});
});

function same(a: StoredRecords, b: StoredRecords): boolean {
	return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
