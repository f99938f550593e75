import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { type Damage, KeyLog } from "../../sim/service/key-log";
import { ForeignFileError } from "../../sim/service/state-format";

const folder = mkdtempSync(join(tmpdir(), "firefly-log-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

function newPath(): string {
	return join(folder, `log${files++}`);
}

const buffer = new Uint8Array(100_000);

function textOf(log: KeyLog, key: string): string | undefined {
	const length = log.read(key, buffer);
	return length === undefined ? undefined : Buffer.from(buffer.subarray(0, length)).toString("latin1");
}

function write(log: KeyLog, key: string, value: string): void {
	log.write(key, Buffer.from(value, "latin1"));
}

function withReopened<T>(path: string, inspect: (log: KeyLog) => T): T {
	const log = new KeyLog(path);
	try {
		return inspect(log);
	} finally {
		log.close();
	}
}

/** A record as the first version of the file had it: CRC-32, key length, value length, key, value. */
function oldRecord(key: string, value: Uint8Array | null): Buffer {
	const bytes = Buffer.concat([Buffer.alloc(9), Buffer.from(key), value ?? new Uint8Array(0)]);
	bytes[4] = key.length;
	bytes.writeUInt32LE(value?.length ?? 0xffff_ffff, 5);
	bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
	return bytes;
}

const keys = ["a", "b", "c"];
const command = fc.record({
	key: fc.constantFrom(...keys),
	value: fc.option(fc.string({ maxLength: 20, unit: "binary-ascii" })),
});

describe("a log of values by key", () => {
	test("the last value of each key counts, also after opening it again", () => {
		fc.assert(
			fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
				const path = newPath();
				const model = new Map<string, string>();
				const log = new KeyLog(path);
				for (const { key, value } of commands) {
					if (value === null) log.delete(key);
					else write(log, key, value);
					if (value === null) model.delete(key);
					else model.set(key, value);
					for (const each of keys) assert.equal(textOf(log, each), model.get(each));
				}
				log.close();
				for (const key of keys)
					assert.equal(
						withReopened(path, (again) => textOf(again, key)),
						model.get(key),
					);
			}),
			{ numRuns: 50 },
		);
	});

	test("cut off at any byte, the log has the state after some write, and keeps new writes", () => {
		const path = newPath();
		const states: (string | undefined)[][] = [];
		const log = new KeyLog(path);
		const lengths: number[] = [];
		const recordState = (): void => {
			states.push(keys.map((key) => textOf(log, key)));
			lengths.push(statSync(path).size);
		};
		recordState();
		for (const [key, value] of [
			["a", "one"],
			["b", "two"],
			["a", "three"],
			["b", undefined],
			["c", ""],
			["a", "four"],
		] as const) {
			if (value === undefined) log.delete(key);
			else write(log, key, value);
			recordState();
		}
		log.close();
		const whole = readFileSync(path);
		for (let cut = 0; cut <= whole.length; cut++) {
			writeFileSync(path, whole.subarray(0, cut));
			const expected =
				states[
					Math.max(
						0,
						lengths.findLastIndex((length) => length <= cut),
					)
				];
			withReopened(path, (again) => {
				assert.deepEqual(
					keys.map((key) => textOf(again, key)),
					expected,
					`cut at ${cut}`,
				);
				write(again, "b", "new");
			});
			withReopened(path, (again) => assert.equal(textOf(again, "b"), "new", `cut at ${cut}`));
		}
	});

	test("one damaged bit costs one record at most; the file is kept, and the bytes are reported", () => {
		const path = newPath();
		const log = new KeyLog(path);
		write(log, "a", "one");
		const good = statSync(path).size;
		write(log, "a", "two");
		const middle = statSync(path).size;
		write(log, "b", "xyz");
		log.close();
		const whole = readFileSync(path);
		for (let at = 0; at < whole.length; at++) {
			const bytes = Buffer.from(whole);
			bytes[at] = bytes[at]! ^ 0x10;
			writeFileSync(path, bytes);
			const reports: Damage[] = [];
			const again = new KeyLog(path, (damage) => reports.push(damage));
			const first = at < good || at >= middle ? "two" : textOf(again, "a");
			assert.deepEqual(
				[textOf(again, "a"), at < middle ? textOf(again, "b") : "xyz"],
				[first, "xyz"],
				`byte ${at}`,
			);
			assert.ok(first === "two" || first === "one");
			write(again, "a", "2nd");
			again.close();
			const [report] = reports;
			assert.equal(reports.length, 1, `byte ${at}`);
			if (report?.keptAs !== undefined) {
				assert.ok(report.ranges.some(({ start, end }) => start <= at && at < end));
				assert.deepEqual(readFileSync(report.keptAs), bytes);
				rmSync(report.keptAs);
			} else assert.ok(at >= middle, "the last record may look like an interrupted write");
			withReopened(path, (log) => assert.equal(textOf(log, "a"), "2nd"));
			assert.deepEqual(
				readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`)),
				[],
			);
		}
	});

	test("any damage: each record without a damaged byte is restored, the rest is reported", () => {
		const damage = fc.oneof(
			fc.record({
				kind: fc.constant("flip" as const),
				at: fc.nat(),
				length: fc.integer({ min: 1, max: 255 }),
			}),
			fc.record({
				kind: fc.constant("zero" as const),
				at: fc.nat(),
				length: fc.integer({ min: 1, max: 512 }),
			}),
			fc.record({
				kind: fc.constant("noise" as const),
				at: fc.nat(),
				length: fc.integer({ min: 1, max: 64 }),
			}),
			fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), length: fc.constant(0) }),
		);
		const key = fc.constantFrom("ff/a", "ff/b", "ff/c", "ff/d1", "ff/d2", "ff/d3");
		const entry = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 80 })) });
		fc.assert(
			fc.property(
				fc.array(entry, { minLength: 2, maxLength: 30 }),
				fc.array(damage, { minLength: 1, maxLength: 4 }),
				fc.boolean(),
				(entries, damages, old) => {
					const path = newPath();
					const log = new KeyLog(path);
					/** Ranges of the records. */
					const records: { key: string; value: Uint8Array | null; start: number; end: number }[] = [];
					let bytes = Buffer.from(old ? "firefly\x01" : "", "latin1");
					const present = new Set<string>();
					for (const { key, value } of entries) {
						if (value === null && !present.has(key)) continue;
						let start = old ? bytes.length : statSync(path).size;
						if (old) bytes = Buffer.concat([bytes, oldRecord(key, value)]);
						else if (value === null) log.delete(key);
						else log.write(key, value);
						if (start === 0) start = 16;
						if (value === null) present.delete(key);
						else present.add(key);
						records.push({ key, value, start, end: old ? bytes.length : statSync(path).size });
					}
					log.close();
					if (!old) bytes = readFileSync(path);
					fc.pre(bytes.length > 0);
					const damaged = new Set<number>();
					for (const { kind, at, length } of damages) {
						const from = at % bytes.length;
						if (kind === "cut") for (let i = from; i < bytes.length; i++) damaged.add(i);
						if (kind === "cut") bytes = bytes.subarray(0, Math.max(1, from));
						for (let i = from; i < Math.min(from + (kind === "flip" ? 1 : length), bytes.length); i++) {
							const before = bytes[i]!;
							bytes[i] = kind === "flip" ? before ^ length : kind === "zero" ? 0 : (i * 73 + at) & 0xff;
							if (bytes[i] !== before) damaged.add(i);
						}
					}
					writeFileSync(path, bytes);
					const whole = records.filter(({ start, end }) => {
						for (let i = start; i < end; i++) if (damaged.has(i)) return false;
						return true;
					});
					const expected = new Map<string, Uint8Array | null>();
					for (const { key, value } of whole) expected.set(key, value);
					const reports: Damage[] = [];
					let again: KeyLog;
					try {
						again = new KeyLog(path, (report) => reports.push(report));
					} catch (error) {
						assert.ok(error instanceof ForeignFileError, String(error));
						assert.equal(whole.length, 0, "a file with a record is never refused");
						return;
					}
					for (const [key, value] of expected) {
						// A record whose marker alone is damaged counts as undamaged too.
						const spared = records.filter((record) => record.key === key && !whole.includes(record));
						const found = textOf(again, key);
						const wanted = [value, ...spared.map((record) => record.value)].map((each) =>
							each === null ? undefined : Buffer.from(each).toString("latin1"),
						);
						assert.ok(wanted.includes(found), `${key} is ${found}`);
						if (spared.length === 0) assert.equal(found, wanted[0]);
					}
					for (const { keptAs } of reports) if (keptAs !== undefined) rmSync(keptAs);
					again.write("ff/new", Uint8Array.of(1));
					again.close();
					withReopened(path, (log) => assert.equal(textOf(log, "ff/new"), "\x01"));
				},
			),
			{ numRuns: 100 },
		);
	});

	test("a file of NULs is kept, and a new one begun", () => {
		const path = newPath();
		for (const length of [1, 8, 5655]) {
			writeFileSync(path, Buffer.alloc(length));
			let keptAs = "";
			const log = new KeyLog(path, (damage) => {
				assert.deepEqual(damage.ranges, [{ start: 0, end: length }]);
				keptAs = damage.keptAs ?? "";
			});
			write(log, "a", "1");
			log.close();
			assert.deepEqual(readFileSync(keptAs), Buffer.alloc(length));
			assert.equal(
				withReopened(path, (again) => textOf(again, "a")),
				"1",
			);
		}
		assert.ok(existsSync(`${path}.damaged.3`), "no kept file replaces another");
	});

	test("a file of the first version is read, and rewritten with markers", () => {
		const path = newPath();
		const value = Buffer.from("hello");
		writeFileSync(
			path,
			Buffer.concat([
				Buffer.from("firefly\x01", "latin1"),
				oldRecord("ff/a", Buffer.from("old")),
				oldRecord("ff/b", value),
				oldRecord("ff/a", null),
			]),
		);
		const reports: Damage[] = [];
		const log = new KeyLog(path, (damage) => reports.push(damage));
		assert.deepEqual([textOf(log, "ff/a"), textOf(log, "ff/b"), reports.length], [undefined, "hello", 0]);
		log.close();
		assert.equal(readFileSync(path)[7], 2);
		assert.equal(
			withReopened(path, (again) => textOf(again, "ff/b")),
			"hello",
		);
		assert.ok(!existsSync(`${path}.damaged`));
	});

	test("a copy of a record in a value is no record, whatever happens to the value", () => {
		const path = newPath();
		const log = new KeyLog(path);
		write(log, "ff/a", "good");
		const start = statSync(path).size;
		log.write("ff/b", Buffer.concat([Buffer.alloc(40), oldRecord("ff/a", Buffer.from("forged"))]));
		write(log, "ff/c", "end");
		log.close();
		const whole = readFileSync(path);
		for (let at = start; at < start + 20; at++) {
			for (const end of [whole.length, whole.length - 25]) {
				const bytes = Buffer.from(whole.subarray(0, end));
				bytes[at] = bytes[at]! ^ 0x55;
				writeFileSync(path, bytes);
				withReopened(path, (again) => assert.equal(textOf(again, "ff/a"), "good", `byte ${at}`));
			}
		}
	});

	test("outdated records are removed by compaction, and later writes are kept", () => {
		const path = newPath();
		const log = new KeyLog(path);
		write(log, "keep", "kept");
		write(log, "gone", "x");
		log.delete("gone");
		for (let i = 0; i < 100; i++) {
			write(log, "a", String(i).padEnd(5000));
			log.sync();
		}
		for (let i = 0; i < 100; i++) {
			write(log, "gone", String(i).padEnd(5000));
			log.delete("gone");
			log.sync();
		}
		assert.ok(statSync(path).size < 5000 * 20, `${statSync(path).size} bytes`);
		write(log, "b", "new");
		assert.deepEqual(
			[textOf(log, "a")?.trim(), textOf(log, "b"), textOf(log, "keep")],
			["99", "new", "kept"],
		);
		log.close();
		withReopened(path, (again) =>
			assert.deepEqual(
				[textOf(again, "a")?.trim(), textOf(again, "b"), textOf(again, "keep"), textOf(again, "gone")],
				["99", "new", "kept", undefined],
			),
		);
		assert.ok(!existsSync(`${path}.new`));
	});

	test("the remains of an interrupted compaction are removed", () => {
		const path = newPath();
		writeFileSync(`${path}.new`, "half");
		withReopened(path, (log) => write(log, "a", "1"));
		assert.ok(!existsSync(`${path}.new`));
	});

	test("a buffer that is too small is a RangeError and changes nothing", () => {
		const log = new KeyLog(newPath());
		write(log, "a", "four");
		const small = new Uint8Array(3);
		assert.throws(() => log.read("a", small), RangeError);
		assert.deepEqual([...small], [0, 0, 0]);
		log.close();
	});

	test("a file of another program is refused and left unchanged", () => {
		const path = newPath();
		writeFileSync(path, "my diary, chapter one");
		assert.throws(() => new KeyLog(path), /is not what a broker has written/);
		assert.equal(readFileSync(path, "utf8"), "my diary, chapter one");
	});

	test("a file that becomes shorter while open is an error, not old bytes", () => {
		const path = newPath();
		const log = new KeyLog(path);
		write(log, "a", "value");
		truncateSync(path, 10);
		assert.throws(() => log.read("a", buffer), /shorter/);
		log.close();
	});
});

test("disk full: the write fails, the key keeps its value, and later writes succeed", {
	skip: limitFiles("unlimited") ? false : "needs prlimit",
}, () => {
	const path = newPath();
	const log = new KeyLog(path);
	write(log, "a", "old");
	limitFiles("4096");
	try {
		// The system writes the first part before it fails.
		assert.throws(() => write(log, "a", "x".repeat(5000)), { code: "EFBIG" });
	} finally {
		limitFiles("unlimited");
	}
	assert.equal(textOf(log, "a"), "old");
	assert.ok(statSync(path).size < 100, "and nothing of the new one stays");
	write(log, "a", "new");
	log.close();
	withReopened(path, (again) => assert.equal(textOf(again, "a"), "new"));
});

/** Limits the file size of this process, in bytes; returns false if the system cannot. */
function limitFiles(bytes: string): boolean {
	return spawnSync("prlimit", [`--fsize=${bytes}:`, "--pid", String(process.pid)]).status === 0;
}
