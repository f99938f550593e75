/**
 * Plants each bug of mutations.ts in a copy of the tree and runs the tests that should notice it.
 *
 *     npm run mutations [-- TEXT…]    only those whose file or description contains one of the texts
 *
 * Prints one line a bug: noticed, NOT NOTICED, or no longer applies. Exits with 1 unless at least 95 % are
 * noticed.
 */
import { spawn } from "node:child_process";
import { mutations } from "./mutations";
import { TreeCopy } from "./tree-copy";

/** Time after which tests that a bug makes hang are killed, ms; a hang counts as noticed. */
const TIMEOUT_MS = 300_000;
const SHARE_TO_NOTICE = 0.95;
/** The reporter's mark of a failed test. */
const FAILED_TEST = "✖";

const texts = process.argv.slice(2);
const selected = mutations.filter(
	({ file, breaks }) => texts.length === 0 || texts.some((text) => `${file} ${breaks}`.includes(text)),
);
const copy = new TreeCopy();
let group: number | undefined;

function runTests(tests: readonly string[]): Promise<"pass" | "fail" | "hang"> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ["--import", "tsx", "test/run.ts", ...tests], {
			cwd: copy.folder,
			stdio: ["ignore", "pipe", "ignore"],
			// A group of its own, so that the test processes end with it
			detached: true,
			env: { ...process.env, TEST_FILE_TIMEOUT_MS: String(TIMEOUT_MS) },
		});
		group = child.pid;
		let hangs = false;
		const timer = setTimeout(() => {
			hangs = true;
			endTests();
		}, TIMEOUT_MS);
		let failed = false;
		child.stdout.on("data", (text: Buffer) => {
			// The first failed test suffices.
			if (failed || !text.includes(FAILED_TEST)) return;
			failed = true;
			endTests();
		});
		child.on("exit", (code) => {
			clearTimeout(timer);
			group = undefined;
			resolve(hangs ? "hang" : code === 0 && !failed ? "pass" : "fail");
		});
	});
}

function endTests(): void {
	if (group === undefined) return;
	try {
		process.kill(-group, "SIGKILL");
	} catch {
		// it has ended
	}
}

function removeCopy(): void {
	endTests();
	copy.remove();
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
	process.on(signal, () => {
		removeCopy();
		process.exit(1);
	});

const counts = { noticed: 0, unnoticed: 0, obsolete: 0 };
try {
	for (const mutation of selected) {
		const { file, breaks, tests } = mutation;
		const outcome = await copy.withBug(mutation, () => runTests(tests));
		let result = "no longer applies";
		if (outcome !== undefined) {
			result = outcome === "pass" ? "NOT NOTICED" : outcome === "hang" ? "noticed (hangs)" : "noticed";
			if (outcome === "pass") counts.unnoticed++;
			else counts.noticed++;
		} else counts.obsolete++;
		console.log(`${result.padEnd(17)}  ${file}: ${breaks}`);
	}
} finally {
	removeCopy();
}
const planted = counts.noticed + counts.unnoticed;
console.log(
	`\n${counts.noticed} of ${planted} noticed, ${counts.unnoticed} not noticed, ${counts.obsolete} no longer apply`,
);
process.exitCode =
	planted > 0 && counts.obsolete === 0 && counts.noticed >= SHARE_TO_NOTICE * planted ? 0 : 1;
