import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addonPath, BuildAborted, build, CompilerError } from "../../sim/xs/build";
import { findSources, optimisation } from "../../sim/xs/sources";

const folder = mkdtempSync(join(tmpdir(), "firefly-xs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A slow fake compiler that only records its calls. */
function fakeCompiler(name: string, script: string): string {
	const path = join(folder, name);
	writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && { echo ${name}; exit 0; }\n${script}\n`);
	chmodSync(path, 0o755);
	return path;
}

test("a second build uses the first; progress is reported only while building", async () => {
	const compiler = fakeCompiler(
		"count",
		`for last; do :; done\necho x >> ${join(folder, "calls")}\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done`,
	);
	const cache = join(folder, "cache");
	const steps: number[] = [];
	const progress = (done: number) => void steps.push(done);
	const path = await build({ compiler, cache, progress });
	const total = findSources().files.length + 1;
	assert.equal(path, addonPath({ compiler, cache }));
	assert.ok(existsSync(path));
	assert.equal(steps[0], 0);
	assert.equal(steps.at(-1), total);
	assert.equal(steps.length, total + 1);
	assert.equal(await build({ compiler, cache, progress }), path);
	assert.equal(steps.length, total + 1);
	assert.equal(
		execFileSync("wc", ["-l", join(folder, "calls")], { encoding: "utf8" })
			.trim()
			.split(" ")[0],
		String(total),
	);
	assert.equal(readdirSync(cache).length, 1, "no temporary folders, no lock");
});

test("concurrent builds: only one runs; the lock of a dead process is broken", async () => {
	const compiler = fakeCompiler(
		"once",
		`echo x >> ${join(folder, "once.calls")}\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done`,
	);
	const cache = join(folder, "once-cache");
	mkdirSync(cache);
	const deadProcessId = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
	writeFileSync(`${join(addonPath({ compiler, cache }), "..")}.lock`, deadProcessId);
	await Promise.all([build({ compiler, cache }), build({ compiler, cache }), build({ compiler, cache })]);
	assert.equal(
		execFileSync("wc", ["-l", join(folder, "once.calls")], { encoding: "utf8" })
			.trim()
			.split(" ")[0],
		String(findSources().files.length + 1),
	);
});

test("another compiler makes another build", () => {
	assert.notEqual(
		addonPath({ compiler: fakeCompiler("v1", "") }),
		addonPath({ compiler: fakeCompiler("v2", "") }),
	);
	assert.match(
		addonPath({ compiler: fakeCompiler("v1", "") }),
		/\.cache[\\/]xs[\\/][0-9a-f]{64}[\\/]xs\.node$/,
	);
});

test("no compiler: one clear message that names the packages to install", async () => {
	await assert.rejects(
		build({ compiler: join(folder, "missing"), cache: join(folder, "none") }),
		(error: Error) => {
			assert.ok(error instanceof CompilerError);
			assert.match(error.message, /no C compiler/);
			assert.match(error.message, /apt install gcc libc6-dev/);
			return true;
		},
	);
});

test("no compiler in PATH, in a separate process: one clear message", () => {
	const script = `import { prepare } from ${JSON.stringify(new URL("../../sim/xs/index.ts", import.meta.url).href)}; try { await prepare(); } catch (e) { console.log(e.name + ": " + e.message.split("\\n")[0]); }`;
	const tsx = createRequire(import.meta.url).resolve("tsx");
	const { CC: _, ...env } = process.env;
	const output = execFileSync(process.execPath, ["--import", tsx, "--input-type=module", "-e", script], {
		encoding: "utf8",
		env: { ...env, PATH: folder },
	});
	assert.match(
		output,
		/^CompilerError: The simulator runs the real XS engine, .*there is no C compiler \("cc"\)/,
	);
});

test("a compiler that fails: its first lines are shown, no files remain", async () => {
	const compiler = fakeCompiler("broken", 'echo "fatal error: stdio.h: No such file" >&2; exit 1');
	const cache = join(folder, "broken-cache");
	await assert.rejects(
		build({ compiler, cache, jobs: 1 }),
		/XS could not be compiled: .*broken failed\nfatal error: stdio.h/s,
	);
	assert.deepEqual(readdirSync(cache), []);
});

test("an aborted build: the compiler and what it has started end, and no files remain", async () => {
	const pidFile = join(folder, "pid");
	const compiler = fakeCompiler("endless", `sleep 1000 & echo $! > ${pidFile}; wait`);
	const cache = join(folder, "endless-cache");
	const controller = new AbortController();
	const progress = (): void => void setTimeout(abortWhenStarted, 10);
	const abortWhenStarted = (): void => {
		if (existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n")) controller.abort();
		else progress();
	};
	const aborted = build({ compiler, cache, jobs: 1, progress, signal: controller.signal });
	await assert.rejects(aborted, (error: Error) => error instanceof BuildAborted);
	assert.deepEqual(readdirSync(cache), []);
	const pid = Number(readFileSync(pidFile, "utf8"));
	while (isRunning(pid)) await new Promise(setImmediate);
	await assert.rejects(build({ compiler, cache, signal: controller.signal }), BuildAborted);
});

/** Whether a process exists and is more than the entry of one that has ended. */
function isRunning(pid: number): boolean {
	try {
		return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
	} catch {
		return false;
	}
}

test("files on hot paths are optimised more than others", () => {
	assert.equal(optimisation("/x/xsRun.c"), "-O2");
	assert.equal(optimisation("/x/xsString.c"), "-O1");
	assert.equal(optimisation("/x/xsSyntaxical.c"), "-O0");
});
