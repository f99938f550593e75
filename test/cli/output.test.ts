import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { after, describe, test } from "node:test";
import { cli, Project } from "./project";

const project = new Project({ "wrong.json": "{" });
after(() => project.remove());

interface Streams {
	readonly stdin?: string;
	readonly stdout?: string;
	readonly stderr?: string;
}

/** Runs a command whose streams are files; ends it after its first line if it does not end by itself. */
async function run(
	args: readonly string[],
	streams: Streams,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
	const files = [
		openSync(streams.stdin ?? "/dev/null", "r"),
		streams.stdout === undefined ? undefined : openSync(streams.stdout, "w"),
		streams.stderr === undefined ? undefined : openSync(streams.stderr, "w"),
	];
	const child = spawn(process.execPath, [cli, ...args], {
		cwd: project.directory,
		stdio: files.map((file) => file ?? "pipe"),
	});
	for (const file of files) if (file !== undefined) closeSync(file);
	let stdout = "";
	let stderr = "";
	child.stdout?.on("data", (data) => {
		stdout += data;
		if (!child.killed) child.kill("SIGTERM");
	});
	child.stderr?.on("data", (data) => {
		stderr += data;
	});
	const [code] = await once(child, "close");
	return { code, stdout, stderr };
}

const endless = [
	["sim", "--engine", "node"],
	["broker", "--engine", "node", "--port", "0", "--data", "state-node"],
	["broker", "--engine", "xs", "--port", "0", "--data", "state-xs"],
];

describe("a standard stream that fails", { skip: !existsSync("/dev/full") }, () => {
	const commands: readonly (readonly string[])[] = [
		...endless,
		["sim", "--engine", "node", "--json", "--speed", "max", "--for", "1h"],
		["check", "--json", "wrong.json"],
		["passwd", "anna", "--stdin"],
		["--version"],
		["--help"],
		["sim", "--help"],
	];
	for (const args of commands)
		test(`full disk for the output of ${args.join(" ")}: one line and exit code 1`, async () => {
			const { code, stderr } = await run(args, { stdin: cli, stdout: "/dev/full" });
			assert.match(stderr, /^firefly: standard output cannot be written: ENOSPC: [^\n]*\n$/);
			assert.equal(code, 1);
		});

	test("the state of a broker that ends so is complete, and unlocked", () => {
		for (const name of ["state-node", "state-xs"])
			assert.deepEqual(readdirSync(`${project.directory}/${name}`), ["state"]);
	});

	for (const args of endless)
		test(`full disk for the messages of ${args.join(" ")}: it runs until it is interrupted`, async () => {
			const { code, stdout } = await run(args, { stderr: "/dev/full" });
			assert.equal(code, 0);
			assert.match(stdout, /^(listening|2026)/);
		});

	test("full disk for the messages of a failing command: only the exit code is left", async () => {
		assert.equal((await run(["check", "wrong.json"], { stderr: "/dev/full" })).code, 1);
		assert.equal((await run(["check", "--nonsense"], { stderr: "/dev/full" })).code, 2);
	});
});

test("a reader that ends, as head does: quiet, exit code 0", async () => {
	for (const args of [
		["sim", "--engine", "node"],
		["sim", "--engine", "node", "--speed", "max", "--json"],
	]) {
		const child = spawn(process.execPath, [cli, ...args], {
			cwd: project.directory,
			stdio: ["ignore", "pipe", "pipe"],
		});
		let stderr = "";
		child.stderr.on("data", (data) => {
			stderr += data;
		});
		child.stdout.once("data", () => child.stdout.destroy());
		const [code] = await once(child, "close");
		assert.deepEqual([code, stderr], [0, ""]);
	}
});
