import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/memory";
import { CONTENT, ENTRY, SESSION, SUBSCRIPTION, VALUE, Vault } from "../../src/broker/persist/vault";
import { Tables } from "../../src/broker/tables";
import { Flash, PowerCut, type Tear } from "./support/flash";

const KINDS = [VALUE, SESSION, SUBSCRIPTION, CONTENT, ENTRY];
const RECORDS = 3;
const sizes = KINDS.map(() => RECORDS);

type Records = Map<string, string>;
/** A record is given a text, or none any more. */
type Change = readonly [kind: number, number: number, text: string | undefined];

function open(flash: Flash): { vault: Vault; records: Records } {
	const vault = new Vault(new Memory(0, 0, 64), flash.open(), sizes);
	vault.open(new Tables());
	const records: Records = new Map();
	for (const kind of KINDS)
		for (let i = 1; i <= RECORDS; i++)
			if (vault.read(kind, i)) records.set(`${kind}/${i}`, Buffer.from(vault.body.bytes.slice(vault.body.at, vault.body.end)).toString());
	return { vault, records };
}

function apply(vault: Vault, changes: readonly Change[]): void {
	for (const [kind, number, text] of changes) {
		if (text === undefined) vault.drop(kind, number);
		else {
			const bytes = Buffer.from(text);
			vault.body.begin();
			vault.body.copy(bytes, 0, bytes.length);
			vault.put(kind, number);
		}
	}
	vault.commit();
}

function expected(records: Records, changes: readonly Change[]): Records {
	const result = new Map(records);
	for (const [kind, number, text] of changes) {
		if (text === undefined) result.delete(`${kind}/${number}`);
		else result.set(`${kind}/${number}`, text);
	}
	return result;
}

const change = fc.tuple(
	fc.constantFrom(VALUE, SESSION, ENTRY),
	fc.integer({ min: 1, max: RECORDS }),
	fc.option(fc.string({ maxLength: 6 }), { nil: undefined }),
);
/** Changes of different records each. */
const transaction = fc.uniqueArray(change, { maxLength: 5, selector: ([kind, number]) => `${kind}/${number}` });
const tears: Tear[] = ["old", "part", "none"];

describe("numbered records in key-value storage", () => {
	test("what was committed is there after a restart, and no key besides it", () => {
		fc.assert(
			fc.property(fc.array(transaction, { maxLength: 8 }), (transactions) => {
				const flash = new Flash();
				let { vault } = open(flash);
				let model: Records = new Map();
				for (const changes of transactions) {
					apply(vault, changes);
					model = expected(model, changes);
					const again = open(flash);
					assert.deepEqual(again.records, model);
					assert.equal([...flash.values.keys()].filter((key) => !key.startsWith("c")).length, model.size);
					vault = again.vault;
				}
			}),
		);
	});

	test("without a restart between them transactions go on from one another", () => {
		fc.assert(
			fc.property(fc.array(transaction, { maxLength: 8 }), (transactions) => {
				const flash = new Flash();
				const { vault } = open(flash);
				let model: Records = new Map();
				for (const changes of transactions) {
					apply(vault, changes);
					model = expected(model, changes);
				}
				assert.deepEqual(open(flash).records, model);
			}),
		);
	});

	test("power cut at every byte: all of a transaction is there, or nothing of it; so too when power goes again while that is found out", () => {
		fc.assert(
			fc.property(fc.array(transaction, { minLength: 1, maxLength: 3 }), transaction, (before, changes) => {
				const flash = new Flash();
				const { vault } = open(flash);
				let model: Records = new Map();
				for (const each of before) {
					apply(vault, each);
					model = expected(model, each);
				}
				const stored = new Map(flash.values);
				const whole = new Flash(stored);
				apply(open(whole).vault, changes);
				const after = expected(model, changes);
				for (const tear of tears) {
					for (let cutAt = 0; cutAt < whole.written; cutAt++) {
						const cut = new Flash(stored);
						const { vault: torn } = open(cut);
						cut.cutAt = cutAt;
						cut.tear = tear;
						try {
							apply(torn, changes);
						} catch (error) {
							assert.ok(error instanceof PowerCut);
						}
						for (let second = 0; second < 4; second++) {
							const again = new Flash(cut.values);
							again.cutAt = second;
							try {
								open(again);
							} catch (error) {
								assert.ok(error instanceof PowerCut);
							}
							const last = new Flash(again.values);
							const found = open(last);
							assert.ok(same(found.records, model) || same(found.records, after), `${tear} at ${cutAt}`);
							const later: Change[] = [[SUBSCRIPTION, 1, "later"]];
							apply(found.vault, later);
							assert.deepEqual(open(last).records, expected(found.records, later));
						}
					}
				}
			}),
			{ numRuns: 25 },
		);
	});

	test("a transaction that failed leaves nothing behind, and is not committed with a later one", () => {
		fc.assert(
			fc.property(transaction, transaction, transaction, fc.integer({ min: 1, max: 12 }), (before, failing, after, failure) => {
				const flash = new Flash();
				const { vault } = open(flash);
				apply(vault, before);
				let model = expected(new Map(), before);
				flash.failures.add(flash.calls + failure);
				try {
					apply(vault, failing);
					model = expected(model, failing);
				} catch {
					vault.abandon();
				}
				flash.failures.clear();
				assert.deepEqual(open(new Flash(flash.values)).records, model);
				apply(vault, after);
				assert.deepEqual(open(flash).records, expected(model, after));
			}),
			{ numRuns: 500 },
		);
	});

	test("a transaction that found no room does not take the room of a smaller one", () => {
		const flash = new Flash();
		const { vault } = open(flash);
		let room = 120;
		const storage = flash.open();
		const small = new Vault(
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
		apply(vault, [[VALUE, 1, "one"]]);
		small.open(new Tables());
		for (const kind of KINDS) for (let i = 1; i <= RECORDS; i++) small.read(kind, i);
		room = 140;
		assert.throws(() =>
			apply(small, [
				[VALUE, 2, "x".repeat(20)],
				[VALUE, 3, "x".repeat(40)],
			]),
		);
		small.abandon();
		apply(small, [[SESSION, 1, "x".repeat(20)]]);
		assert.deepEqual([...open(flash).records.keys()], [`${VALUE}/1`, `${SESSION}/1`]);
	});

	test("a commit record that was written though storage said that it was not, and cannot be deleted at once, is deleted before anything else is written", () => {
		for (let bytes = 0; bytes < 20; bytes++) {
			const flash = new Flash();
			const storage = flash.open();
			let failing = false;
			const vault = new Vault(
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
			vault.open(new Tables());
			const change = (text: string): Change[] => [
				[VALUE, 1, text],
				[VALUE, 2, text],
			];
			apply(vault, change("one"));
			failing = true;
			assert.throws(() => apply(vault, change("two")));
			vault.abandon();
			failing = false;
			flash.cutAt = flash.written + bytes;
			assert.throws(() => apply(vault, change("three")));
			const [first, second] = [...open(new Flash(flash.values)).records.values()];
			assert.ok(first === second, `${first} ${second}`);
		}
	});

	test("other numbers of records: what is there is found, and what was given up long ago stays away", () => {
		const flash = new Flash();
		const wide = open(flash).vault;
		apply(wide, [
			[VALUE, 1, "one"],
			[VALUE, 3, "three"],
		]);
		const memory = new Memory(0, 0, 64);
		const narrow = new Vault(
			memory,
			flash.open(),
			KINDS.map(() => 1),
		);
		narrow.open(new Tables());
		assert.equal(narrow.ledgers[VALUE].states.length, RECORDS + 1);
		assert.ok(narrow.read(VALUE, 3));
		narrow.drop(VALUE, 3);
		narrow.commit();
		const found = open(flash);
		assert.deepEqual([...found.records], [[`${VALUE}/1`, "one"]]);
	});

	test("bytes that are not ours are passed over and removed", () => {
		const flash = new Flash();
		apply(open(flash).vault, [[VALUE, 1, "one"]]);
		flash.values.set("v2a", new Uint8Array([1, 2, 3]));
		flash.values.set("v1b", new Uint8Array(200));
		assert.deepEqual([...open(flash).records], [[`${VALUE}/1`, "one"]]);
		assert.deepEqual([...flash.values.keys()].sort(), ["ca", "cb", "v1a"].filter((key) => flash.values.has(key)).sort());
	});
});

function same(a: Records, b: Records): boolean {
	return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
