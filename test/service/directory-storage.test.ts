import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { DirectoryStorage } from "../../sim/service/directory-storage";
import { ServeError } from "../../sim/service/service";

const root = mkdtempSync(join(tmpdir(), "firefly-data-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function newFolder(): string {
	return join(root, `d${folders++}`);
}

function assertRefused(directory: string, reason: RegExp): void {
	assert.throws(
		() => new DirectoryStorage(directory),
		(error: unknown) => {
			assert.ok(error instanceof ServeError);
			assert.ok(error.message.startsWith(`${directory} cannot be used: `), error.message);
			assert.match(error.message, reason);
			assert.doesNotMatch(error.message, /\n/);
			return true;
		},
	);
}

describe("key-value storage in a directory", () => {
	test("creates the directory, separates paths, and limits names as NVS does", () => {
		const directory = join(newFolder(), "deep");
		const storage = new DirectoryStorage(directory);
		const one = storage.open({ path: "one" });
		const two = storage.open({ path: "two" });
		const buffer = new Uint8Array(4);
		one.write("k", Uint8Array.of(1, 2));
		two.write("k", Uint8Array.of(3));
		one.delete("none");
		one.sync?.();
		one.close();
		assert.deepEqual([one.read("k", buffer), buffer[0], two.read("k", buffer), buffer[0]], [2, 1, 1, 3]);
		for (const name of ["", "../x", "a/b", "sixteen-letters-", "é", "a b"]) {
			assert.throws(() => one.write(name, buffer), /is not 1 to 15 letters/);
			assert.throws(() => storage.open({ path: name }), /is not 1 to 15 letters/);
		}
		storage.close();
		const again = new DirectoryStorage(directory);
		assert.deepEqual([again.open({ path: "two" }).read("k", buffer), buffer[0]], [1, 3]);
		again.close();
		assert.deepEqual(readdirSync(directory), ["state"]);
	});

	test("an unusable directory is reported in one line with the reason", {
		skip: process.platform === "win32",
	}, () => {
		const file = newFolder();
		writeFileSync(file, "");
		assertRefused(file, /it is not a directory$/);
		assertRefused(join(file, "below"), /it is not a directory$/);
		const foreign = newFolder();
		mkdirSync(foreign);
		writeFileSync(join(foreign, "state"), "not ours at all");
		assertRefused(foreign, /state is not what a broker has written/);
		assert.deepEqual(readdirSync(foreign), ["state"], "and no lock stays behind");
		const closed = newFolder();
		mkdirSync(closed);
		chmodSync(closed, 0o500);
		const child = openAsOtherUser(closed);
		if (child !== undefined) assert.match(child, /permission denied$/);
		chmodSync(closed, 0o700);
		const loop = newFolder();
		symlinkSync(loop, loop);
		assertRefused(loop, /./);
	});
});

/** The error of a user without permission; undefined if there is no such user. */
function openAsOtherUser(directory: string): string | undefined {
	if (process.getuid?.() !== 0) {
		try {
			new DirectoryStorage(directory).close();
			return undefined;
		} catch (error) {
			return String(error);
		}
	}
	chmodSync(root, 0o755);
	const before = process.geteuid?.();
	process.seteuid?.(65_534);
	try {
		new DirectoryStorage(directory).close();
		return undefined;
	} catch (error) {
		return String(error);
	} finally {
		process.seteuid?.(before!);
	}
}

describe("access and room", { skip: process.platform === "win32" }, () => {
	const modeOf = (path: string): number => statSync(path).mode & 0o777;

	test("only the owner can read the state and enter a directory that was created for it", () => {
		const before = process.umask(0o022);
		try {
			const directory = newFolder();
			new DirectoryStorage(directory).close();
			assert.deepEqual([modeOf(directory), modeOf(join(directory, "state"))], [0o700, 0o600]);
			chmodSync(join(directory, "state"), 0o644);
			new DirectoryStorage(directory).close();
			assert.equal(modeOf(join(directory, "state")), 0o600, "also if it was another before");
			const deep = join(newFolder(), "deep");
			new DirectoryStorage(deep).close();
			assert.equal(modeOf(dirname(deep)), 0o755, "but the folders above it are not ours");
		} finally {
			process.umask(before);
		}
	});

	test("a disk that is full at the start: what is stored is read, and writes succeed once there is room", {
		skip: limitFiles("unlimited") ? false : "needs prlimit",
	}, () => {
		const directory = newFolder();
		const filled = new DirectoryStorage(directory);
		filled.open({ path: "p" }).write("k", Uint8Array.of(7));
		filled.close();
		for (const place of [directory, newFolder()]) {
			const expected = place === directory ? [1, 7] : [undefined, 0];
			limitFiles("0");
			const storage = new DirectoryStorage(place);
			const buffer = new Uint8Array(1);
			const values = storage.open({ path: "p" });
			try {
				assert.deepEqual([values.read("k", buffer), buffer[0]], expected);
				assert.throws(() => values.write("k", Uint8Array.of(8)), { code: "EFBIG" });
				assert.throws(() => values.write("k", Uint8Array.of(8)), { code: "EFBIG" });
				values.sync?.();
				assertRefused(place, /in use by process/);
			} finally {
				limitFiles("unlimited");
			}
			values.write("k", Uint8Array.of(9));
			storage.close();
			const again = new DirectoryStorage(place);
			assert.deepEqual([again.open({ path: "p" }).read("k", buffer), buffer[0]], [1, 9]);
			again.close();
			assert.deepEqual(readdirSync(place), ["state"]);
		}
	});
});

test("a disk that is full at the end: what has changed last is said to be missing; no word once it is there", {
	skip: limitFiles("unlimited") ? false : "needs prlimit",
}, () => {
	const directory = newFolder();
	const writeOver = (limit: string): DirectoryStorage => {
		const storage = new DirectoryStorage(directory);
		const values = storage.open({ path: "p" });
		limitFiles(limit);
		try {
			assert.throws(() => values.write("k", new Uint8Array(5000)), { code: "EFBIG" });
			values.delete("other");
			values.sync?.();
		} finally {
			limitFiles("unlimited");
		}
		return storage;
	};
	assert.throws(() => writeOver("1000").close(), {
		name: "ServeError",
		message: `${directory}: what has changed last is not stored: the disk is full`,
	});
	const storage = writeOver("1000");
	storage.open({ path: "p" }).write("k", Uint8Array.of(1));
	storage.close();
	assert.deepEqual(readdirSync(directory), ["state"]);
});

/** Limits the file size of this process, in bytes; returns false if the system cannot. */
function limitFiles(bytes: string): boolean {
	return spawnSync("prlimit", [`--fsize=${bytes}:`, "--pid", String(process.pid)]).status === 0;
}

describe("the lock", () => {
	test("excludes a second broker, in this and other processes, until it is released", () => {
		const directory = newFolder();
		const storage = new DirectoryStorage(directory);
		assertRefused(
			directory,
			new RegExp(`it is in use by process ${process.pid}; if that is no broker, remove .*lock$`),
		);
		const text = readFileSync(join(directory, "lock"), "utf8");
		storage.close();
		assert.ok(!existsSync(join(directory, "lock")));
		new DirectoryStorage(directory).close();
		assert.match(text, new RegExp(`^${process.pid} \\d*\n$`));
	});

	test("is taken over if its process has ended, its id was reused, or the file is incomplete", async (t) => {
		const directory = newFolder();
		new DirectoryStorage(directory).close();
		const { pid } = spawnSync(process.execPath, ["-e", ""]);
		const running = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
		t.after(() => running.kill());
		await once(running, "spawn");
		const stale = [
			`${pid} 1\n`,
			`${pid} \n`,
			`${pid}`,
			"",
			"\0".repeat(12),
			...(existsSync("/proc/self/stat") ? [`${running.pid} 1\n`] : []),
		];
		for (const text of stale) {
			writeFileSync(join(directory, "lock"), text);
			new DirectoryStorage(directory).close();
			assert.deepEqual(readdirSync(directory), ["state"], JSON.stringify(text));
		}
	});

	test("of another program is left as it is: other text, an empty file without a state, a directory", () => {
		const path = (directory: string): string => join(directory, "lock");
		const ours = newFolder();
		new DirectoryStorage(ours).close();
		const others = newFolder();
		mkdirSync(others);
		for (const [directory, text] of [
			[ours, "x y\n"],
			[ours, "-1 \n"],
			[ours, "4711\n"],
			[others, ""],
			[others, "4711"],
		] as const) {
			writeFileSync(path(directory), text);
			const { ino } = statSync(path(directory));
			assertRefused(directory, /lock is not a broker's; choose another directory, or remove it$/);
			assert.equal(readFileSync(path(directory), "utf8"), text);
			assert.equal(statSync(path(directory)).ino, ino, "and was never renamed or written anew");
			assert.deepEqual(readdirSync(directory), directory === ours ? ["lock", "state"] : ["lock"]);
		}
		rmSync(path(ours));
		mkdirSync(path(ours));
		assertRefused(ours, /lock is not a broker's/);
		assert.ok(existsSync(path(ours)));
	});
});
