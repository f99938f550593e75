import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { KeyLog } from "../../sim/service/key-log";

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

	test("a wrong byte ends the valid part; records after it never return", () => {
		const path = newPath();
		const log = new KeyLog(path);
		write(log, "a", "one");
		const good = statSync(path).size;
		write(log, "a", "two");
		const middle = statSync(path).size;
		write(log, "b", "xyz");
		log.close();
		const whole = readFileSync(path);
		for (let at = good; at < middle; at++) {
			const bytes = Buffer.from(whole);
			bytes[at] = bytes[at]! ^ 0x10;
			writeFileSync(path, bytes);
			withReopened(path, (again) => {
				assert.deepEqual([textOf(again, "a"), textOf(again, "b")], ["one", undefined]);
				// As long as the damaged record, so that it ends where the next record began.
				write(again, "a", "2nd");
			});
			withReopened(path, (again) =>
				assert.deepEqual([textOf(again, "a"), textOf(again, "b")], ["2nd", undefined]),
			);
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
