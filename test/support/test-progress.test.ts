import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { quickPaths } from "../quick";
import { TestProgress } from "./test-progress";

const folder = mkdtempSync(join(tmpdir(), "firefly-progress-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a first run: an estimate, and what has run; the next one: how long the last took", () => {
	const record = join(folder, "tests", "all");
	let now = 0;
	const run = (): string[] => {
		const lines: string[] = [];
		const progress = new TestProgress(
			2,
			record,
			(line) => lines.push(line),
			() => now,
		);
		progress.announce("about an hour");
		progress.file("a.test.ts");
		now += 61_400;
		progress.file("b.test.ts");
		now += 30_000;
		lines.push(progress.end());
		return lines;
	};
	assert.deepEqual(run(), [
		"2 test files, about an hour",
		"[1 of 2, 0 s] a.test.ts",
		"[2 of 2, 1 min 1 s] b.test.ts",
		"1 min 31 s",
	]);
	assert.deepEqual(run(), [
		"2 test files, about 1 min 31 s, as the last time",
		"[1 of 2, 0 s of about 1 min 31 s] a.test.ts",
		"[2 of 2, 1 min 1 s of about 1 min 31 s] b.test.ts",
		"1 min 31 s",
	]);
});

test("every path of the quick tests exists", () => {
	for (const path of quickPaths) assert.ok(existsSync(resolve(import.meta.dirname, "..", path)), path);
});
