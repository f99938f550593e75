/**
 * Runs every test file under test/, the named ones, or with --quick those of quick.ts, and ends with the line
 * "N passed, N failed".
 */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../sim/cache/folder.mjs";
import { build } from "../sim/xs/build";
import { quickPaths } from "./quick";
import { TestProgress } from "./support/test-progress";

/**
 * Time after which a test file is killed and counts as failed, ms: twenty times that of the slowest on two
 * free cores, since others may use the machine too.
 */
const FILE_TIMEOUT_MS = Number(process.env.TEST_FILE_TIMEOUT_MS ?? 1_800_000);

const testFolder = fileURLToPath(new URL(".", import.meta.url));
/** Of a first run on two idle cores. */
const ESTIMATE_ALL = "ten to fifteen minutes on two cores; npm run test:quick takes one or two";
const isQuick = process.argv[2] === "--quick";
const requestedPaths = isQuick
	? quickPaths.map((path) => join(testFolder, path))
	: process.argv.slice(2).map((path) => resolve(path));
const files = readdirSync(testFolder, { recursive: true, encoding: "utf8" })
	.filter((name) => name.endsWith(".test.ts"))
	.map((name) => join(testFolder, name))
	.filter(
		(file) =>
			requestedPaths.length === 0 ||
			requestedPaths.some((path) => file === path || file.startsWith(`${path}/`)),
	)
	.sort();

if (files.length === 0) {
	console.error(
		`no test file under ${requestedPaths.map((path) => relative(process.cwd(), path)).join(", ")}`,
	);
	process.exit(2);
}

// Compiled once here, so that test files that run in parallel find it in the cache.
await build({
	progress: (done, total) => {
		if (done === 0) console.log(`compiling XS once (${total} steps)`);
	},
});

let passed = 0;
let failed = 0;
let skipped = 0;

const record = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 16);
const progress = new TestProgress(files.length, join(cacheFolder("tests"), record), (line) =>
	process.stdout.write(`${line}\n`),
);
progress.announce(
	requestedPaths.length === 0 ? ESTIMATE_ALL : isQuick ? "a minute or two on two cores" : undefined,
);

// Test processes inherit the arguments of this one.
for (const name of ["assertion-messages", "pool-assertions"])
	process.execArgv.push("--import", new URL(`support/${name}.ts`, import.meta.url).href);
const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS });
stream.on("test:dequeue", ({ name, file }) => {
	// Each file is a test of its own name.
	if (name === file) progress.file(relative(testFolder, name));
});
stream.on("test:pass", (event) => {
	if (event.details.type === "suite") return;
	if (event.skip !== undefined) skipped++;
	else passed++;
});
stream.on("test:fail", (event) => {
	if (event.details.type === "suite" && isSubtestFailure(event.details.error)) return;
	failed++;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
	// Runs after the reporter has written its own summary.
	setImmediate(() => {
		process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
		process.stdout.write(
			`\nin ${progress.end()}${skipped > 0 ? `, ${skipped} skipped` : ""}\n${passed} passed, ${failed} failed\n`,
		);
	});
});

/** Whether a suite failed because of a failed test in it, which is counted already. */
function isSubtestFailure(error: unknown): boolean {
	return error instanceof Error && "failureType" in error && error.failureType === "subtestsFailed";
}
