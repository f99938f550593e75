/** Runs every test file under test/, or the named ones, and ends with the line "N passed, N failed". */
import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { build } from "../sim/xs/build";

/**
 * Time after which a test file is killed and counts as failed, ms: twenty times that of the slowest on two
 * free cores, since others may use the machine too.
 */
const FILE_TIMEOUT_MS = Number(process.env.TEST_FILE_TIMEOUT_MS ?? 1_800_000);

const testFolder = fileURLToPath(new URL(".", import.meta.url));
const requestedPaths = process.argv.slice(2).map((path) => resolve(path));
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

// Test processes inherit the arguments of this one.
for (const name of ["assertion-messages", "pool-assertions"])
	process.execArgv.push("--import", new URL(`support/${name}.ts`, import.meta.url).href);
const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS });
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
			`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
		);
	});
});

/** Whether a suite failed because of a failed test in it, which is counted already. */
function isSubtestFailure(error: unknown): boolean {
	return error instanceof Error && "failureType" in error && error.failureType === "subtestsFailed";
}
