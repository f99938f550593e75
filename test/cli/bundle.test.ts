import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { copyProject } from "../support/project-copy";

describe("the command line of a checkout", () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-bundle-"));
	let project = join(folder, "checkout");
	before(() => copyProject(project));
	after(() => rmSync(folder, { recursive: true, force: true }));

	const help = (): string =>
		execFileSync(process.execPath, [join(project, "cli", "firefly.mjs"), "--help"], {
			encoding: "utf8",
			stdio: "pipe",
		});
	const edit = (from: string, to: string): void => {
		const file = join(project, "cli", "main.ts");
		const { atime, mtime } = statSync(file);
		const text = readFileSync(file, "utf8");
		assert.ok(text.includes(from), from);
		writeFileSync(file, text.replace(from, to));
		utimesSync(file, atime, mtime);
	};
	const bundleInUse = (): string =>
		(
			JSON.parse(
				execFileSync("sh", ["-c", "cat .cache/cli/*/state.json"], { cwd: project, encoding: "utf8" }),
			) as {
				bundle: string;
			}
		).bundle;
	/** Makes every source older than the time within which a file may change unnoticed. */
	const settle = (): void => {
		const state = execFileSync("sh", ["-c", "ls .cache/cli/*/state.json"], {
			cwd: project,
			encoding: "utf8",
		});
		const path = join(project, state.trim());
		const json = JSON.parse(readFileSync(path, "utf8")) as { settled: boolean };
		writeFileSync(path, JSON.stringify({ ...json, settled: true }));
	};

	test("edits of the same size and modification time, one at once after the other: each is in effect", () => {
		assert.match(help(), /Sensor firmware for MQTT/);
		edit("Sensor firmware for MQTT", "Sensor firmware for MQTA");
		assert.match(help(), /Sensor firmware for MQTA/);
		edit("Sensor firmware for MQTA", "Sensor firmware for MQTB");
		assert.match(help(), /Sensor firmware for MQTB/);
		edit("Sensor firmware for MQTB", "Sensor firmware for MQTT");
		assert.match(help(), /Sensor firmware for MQTT/);
	});

	test("without an edit the bundle is not built again", () => {
		settle();
		const name = bundleInUse();
		help();
		assert.equal(bundleInUse(), name);
		edit("Sensor firmware for MQTT", "Sensor firmware for MQTC");
		assert.match(help(), /Sensor firmware for MQTC/);
		assert.notEqual(bundleInUse(), name);
	});

	test("an error in a source: its place, and no stale run", () => {
		edit("const EXIT_FAILURE = 1;", "const EXIT_FAILURE = ;");
		assert.throws(help, /cli\/main\.ts:\d+:\d+: ERROR: Unexpected ";"/);
		edit("const EXIT_FAILURE = ;", "const EXIT_FAILURE = 1;");
		assert.match(help(), /Sensor firmware/);
	});

	test("a checkout that was moved is built anew: its bundle names its files", () => {
		settle();
		const old = readdirSync(join(project, ".cache", "cli"));
		const moved = join(folder, "moved");
		renameSync(project, moved);
		project = moved;
		const version = execFileSync(process.execPath, [join(project, "cli", "firefly.mjs"), "--version"], {
			encoding: "utf8",
		});
		assert.match(version, /^\d+\.\d+\.\d+\n$/);
		const entries = readdirSync(join(project, ".cache", "cli"));
		assert.deepEqual([old.length, entries.length], [1, 1], "the entry of the old place is removed");
		assert.notDeepEqual(entries, old);
	});
});
