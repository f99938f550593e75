import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { once } from "node:events";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parsePasswordHash } from "../../src/config/password-hash";
import { cli, type Outcome, Project } from "./project";

/** Whether `hash` is a hash of `password`. */
function hashMatches(hash: string, password: string): boolean {
	const { iterations, salt, key } = parsePasswordHash(hash)!;
	return pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 32, "sha256").equals(
		Buffer.from(key, "base64"),
	);
}

describe("firefly passwd", () => {
	const project = new Project();
	after(() => project.remove());

	async function passwd(input: string, ...args: string[]): Promise<Outcome> {
		const child = spawn(process.execPath, [cli, "passwd", ...args], { cwd: project.directory });
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (data) => {
			stdout += data;
		});
		child.stderr.on("data", (data) => {
			stderr += data;
		});
		child.stdin.on("error", () => {}).end(input);
		const [code] = await once(child, "close");
		return { code, stdout, stderr };
	}

	test("the line to paste is printed; the same password gives another hash each time", async () => {
		const lines = await Promise.all([
			passwd("grün und blau\n", "anna", "--stdin"),
			passwd("grün und blau", "anna", "--stdin"),
		]);
		for (const { code, stdout, stderr } of lines) {
			assert.deepEqual([code, stderr], [0, ""]);
			const { anna } = JSON.parse(`{${stdout}}`) as { anna: string };
			assert.match(anna, /^\$pbkdf2-sha256\$i=200\$/);
			assert.ok(hashMatches(anna, "grün und blau") && !hashMatches(anna, "grün und blau\n"));
		}
		assert.notEqual(lines[0].stdout, lines[1].stdout);
	});

	test("--manifest changes the user's line and reformats only that part", async () => {
		const before =
			'{\n\t"config": {"firefly": {\n\t\t"role": "broker",   "listen": {"port": 1884}\n\t}},\n\t"x": [1,2]\n}\n';
		project.write("m.json", before);
		const read = () => readFileSync(join(project.directory, "m.json"), "utf8");
		const users = () =>
			(JSON.parse(read()) as { config: { firefly: { listen: { users: Record<string, string> } } } }).config
				.firefly.listen.users;
		assert.deepEqual(await passwd("one", "anna", "--stdin", "--manifest", "m.json", "--iterations", "1000"), {
			code: 0,
			stdout: "",
			stderr: "",
		});
		await passwd("two", "ben", "--stdin", "--manifest", "m.json");
		assert.ok(hashMatches(users().anna, "one") && hashMatches(users().ben, "two"));
		assert.equal(parsePasswordHash(users().anna)?.iterations, 1000);
		const [text, old] = [read(), users().anna];
		await passwd("three", "anna", "--stdin", "--manifest", "m.json");
		assert.ok(hashMatches(users().anna, "three"));
		assert.equal(read(), text.replace(old, users().anna));
		assert.ok(
			text.startsWith('{\n\t"config": {"firefly": {\n\t\t"role": "broker",') &&
				text.endsWith('}},\n\t"x": [1,2]\n}\n'),
		);
	});

	test("--manifest reads the file after the password, and keeps links and permissions", async () => {
		project.write("kept.json", "{}");
		const [path, link] = [join(project.directory, "kept.json"), join(project.directory, "link.json")];
		chmodSync(path, 0o600);
		symlinkSync("kept.json", link);
		const child = spawn(process.execPath, [cli, "passwd", "anna", "--stdin", "--manifest", "link.json"], {
			cwd: project.directory,
		});
		const closed = once(child, "close");
		// The edit happens before the password is entered, whether or not the command waits for it already.
		project.write("kept.json", '{"edited": 1}');
		child.stdin.end("one\n");
		assert.deepEqual(await closed, [0, null]);
		const text = readFileSync(path, "utf8");
		assert.ok(text.includes('"edited": 1') && text.includes('"anna"'));
		assert.equal(statSync(path).mode & 0o777, 0o600);
		assert.ok(lstatSync(link).isSymbolicLink());
		assert.ok(!readdirSync(project.directory).some((name) => name.endsWith(".tmp")));
	});

	test("failures: exit code, one line, no stack trace, nothing changed", async () => {
		project.write("broken.json", '{"config": ');
		project.write("list.json", '{"config": {"firefly": {"listen": []}}}');
		const rows: readonly (readonly [string, readonly string[], number, RegExp])[] = [
			["", ["anna", "--stdin"], 1, /^an empty password is no password\n$/],
			["\nx", ["anna", "--stdin"], 1, /^an empty password is no password\n$/],
			["x".repeat(300), ["anna", "--stdin"], 1, /^a password has at most 256 bytes\n$/],
			["x", ["anna"], 1, /^the password is asked for on a terminal; use --stdin/],
			[
				"x",
				["anna", "--stdin", "--manifest", "lost.json"],
				1,
				/^lost\.json: does not exist; firefly new DIR makes a project, .*\n$/,
			],
			[
				"x",
				["anna", "--stdin", "--manifest", "broken.json"],
				1,
				/^broken\.json:1:12: a value is needed here/,
			],
			[
				"x",
				["anna", "--stdin", "--manifest", "list.json"],
				1,
				/^list\.json:1:35 config\.firefly\.listen: an object is needed here/,
			],
			["x", ["a/b", "--stdin"], 2, /'a\/b' is invalid.*It holds \/, which has a meaning in topics\./],
			["x", ["$x", "--stdin"], 2, /It begins with \$\./],
			["x", ["anna", "--stdin", "--iterations", "3"], 2, /A whole number from 100 to 10000000 is needed\./],
			["x", [], 2, /^error: missing required argument 'user'/],
		];
		for (const [input, args, expected, message] of rows) {
			const { code, stdout, stderr } = await passwd(input, ...args);
			assert.deepEqual([code, stdout], [expected, ""], args.join(" "));
			assert.match(stderr, message);
			assert.doesNotMatch(stderr, /^\s+at /m);
		}
		assert.equal(readFileSync(join(project.directory, "broken.json"), "utf8"), '{"config": ');
	});
});
