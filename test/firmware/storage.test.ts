import assert from "node:assert/strict";
import {
	closeSync,
	existsSync,
	fstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import type { StorageModule } from "../../src/device";
import { loadModule } from "./module-loader";

const root = `${mkdtempSync(join(tmpdir(), "firefly-desktop-"))}/`;
after(() => rmSync(root, { recursive: true }));

/** The SDK's file module on desktops: an existing file is not truncated, and is written from its start. */
class File {
	readonly #path: string;
	readonly #file: number;
	static full = false;

	constructor(path: string, write: boolean) {
		this.#path = path;
		this.#file = openSync(path, write ? (existsSync(path) ? "r+" : "w+") : "r");
	}
	get length(): number {
		return fstatSync(this.#file).size;
	}
	read(): ArrayBuffer {
		if (this.length === 0) throw new Error("read past end of file");
		return new Uint8Array(readFileSync(this.#path)).buffer;
	}
	write(bytes: ArrayBuffer): void {
		const half = File.full ? bytes.byteLength >> 1 : bytes.byteLength;
		if (half > 0) writeSync(this.#file, new Uint8Array(bytes, 0, half));
		if (File.full) throw new Error("file write failed");
	}
	close(): void {
		closeSync(this.#file);
	}
	static exists(path: string): boolean {
		return existsSync(path);
	}
	static delete(path: string): boolean {
		const existed = existsSync(path);
		rmSync(path, { force: true });
		return existed;
	}
	static rename(path: string, name: string): boolean {
		assert.equal(basename(name), name);
		renameSync(path, join(dirname(path), name));
		return true;
	}
}

async function open() {
	type Exports = { folderStorage(folder: string): StorageModule };
	const { folderStorage } = await loadModule<Exports>("firmware/desktop/storage", {
		modules: {
			file: { File, Directory: { create: (path: string) => mkdirSync(path, { recursive: true }) } },
		},
	});
	return folderStorage(root).open({ path: "firefly" });
}

test("values of any bytes are stored by key and survive a relaunch", async () => {
	const storage = await open();
	const value = Uint8Array.from({ length: 256 }, (_, index) => index);
	const buffer = new Uint8Array(new ArrayBuffer(256, { maxByteLength: 512 }));
	assert.equal(storage.read("v1a", buffer), undefined);
	storage.write("v1a", value.subarray(0, 10));
	storage.write("v1b", value);
	storage.write("v2a", new Uint8Array(0));
	storage.write("v1b", value.subarray(100));
	storage.delete("v3a");
	storage.delete("v1a");
	storage.close();
	const again = await open();
	assert.equal(again.read("v1a", buffer), undefined);
	assert.equal(again.read("v1b", buffer), 156);
	assert.deepEqual(buffer.subarray(0, 156), value.subarray(100));
	assert.equal(again.read("v2a", buffer), 0);
	assert.throws(() => again.read("v1b", buffer.subarray(0, 155)), RangeError);
});

test("a failed write leaves the old value, and its remains are harmless", async () => {
	const storage = await open();
	const buffer = new Uint8Array(8);
	storage.write("k", Uint8Array.of(1, 2, 3, 4));
	File.full = true;
	assert.throws(() => storage.write("k", Uint8Array.of(5, 6, 7, 8, 9, 10)), /write failed/);
	File.full = false;
	assert.equal(storage.read("k", buffer), 4);
	assert.deepEqual([...buffer.subarray(0, 4)], [1, 2, 3, 4]);
	storage.write("k", Uint8Array.of(9));
	assert.deepEqual([storage.read("k", buffer), buffer[0]], [1, 9]);
	assert.ok(readdirSync(join(root, "firefly")).every((name) => !name.endsWith(".new")));
});
