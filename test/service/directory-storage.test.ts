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
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
		mkdirSync(directory);
		const { pid } = spawnSync(process.execPath, ["-e", ""]);
		const running = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
		t.after(() => running.kill());
		await once(running, "spawn");
		const stale = [
			`${pid} 1\n`,
			`${pid} \n`,
			`${pid}`,
			"",
			"x y\n",
			"-1 \n",
			...(existsSync("/proc/self/stat") ? [`${running.pid} 1\n`] : []),
		];
		for (const text of stale) {
			writeFileSync(join(directory, "lock"), text);
			new DirectoryStorage(directory).close();
			assert.deepEqual(readdirSync(directory), ["state"], JSON.stringify(text));
		}
	});
});
