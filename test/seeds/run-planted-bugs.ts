/**
 * Plants each bug of planted-bugs.ts in a copy of the tree, and runs seeds until one finds it.
 *
 *     npm run seeds:mutations [-- TEXT…]    only those whose kind or description contains one of the texts
 *
 * Prints the seed that finds each bug, and the checks that fail. Exits with 1 if one is not found.
 */
import { spawn } from "node:child_process";
import { TreeCopy } from "../mutation/tree-copy";
import { PLANTED_BUGS } from "./planted-bugs";

/** A bug has to be found by one of these. */
const SEEDS = 2000;

const texts = process.argv.slice(2);
const selected = PLANTED_BUGS.filter(
	({ kind, breaks }) => texts.length === 0 || texts.some((text) => `${kind} ${breaks}`.includes(text)),
);
const copy = new TreeCopy();
let running: ReturnType<typeof spawn> | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const)
	process.on(signal, () => {
		running?.kill();
		copy.remove();
		process.exit(1);
	});

/** Runs seeds until one fails. @returns what was printed */
function runSeeds(): Promise<string> {
	return new Promise((resolve) => {
		const args = ["--import", "tsx", "test/seeds/main.ts", String(SEEDS), "--first"];
		const child = spawn(process.execPath, args, { cwd: copy.folder, stdio: ["ignore", "pipe", "inherit"] });
		running = child;
		let output = "";
		child.stdout.on("data", (text: Buffer) => {
			output += text;
		});
		child.on("exit", () => resolve(output));
	});
}

let found = 0;
try {
	for (const bug of selected) {
		const output = await copy.withBug(bug, runSeeds);
		const seed = output === undefined ? undefined : /^seed (\d+)[ :]/m.exec(output)?.[1];
		if (seed !== undefined) found++;
		const result =
			output === undefined ? "no longer applies" : seed === undefined ? "NOT FOUND" : `found by seed ${seed}`;
		console.log(`${result.padEnd(20)} ${bug.kind}: ${bug.breaks}`);
		for (const [line] of output?.matchAll(/^ {4}.*$/gm) ?? []) console.log(line.slice(0, 160));
	}
} finally {
	copy.remove();
}
console.log(`\n${found} of ${selected.length} found within ${SEEDS} seeds`);
process.exitCode = found === selected.length && found > 0 ? 0 : 1;
