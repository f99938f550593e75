/**
 * Plants each bug of planted-bugs.ts in a copy of the tree, and runs seeds until one finds it.
 *
 *     npm run seeds:mutations [-- TEXT…]    only those whose kind or description contains one of the texts
 *
 * Prints the seed that finds each bug, and the checks that fail. A seed that fails without the bug as well
 * does not find it. Exits with 1 if one is not found.
 */
import { spawn } from "node:child_process";
import { TreeCopy } from "../mutation/tree-copy";
import { PLANTED_BUGS, type PlantedBug } from "./planted-bugs";

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
function runSeeds(from: number, to: number): Promise<string> {
	return new Promise((resolve) => {
		const range = [String(to - from + 1), "--from", String(from)];
		const args = ["--import", "tsx", "test/seeds/main.ts", ...range, "--first"];
		const child = spawn(process.execPath, args, { cwd: copy.folder, stdio: ["ignore", "pipe", "inherit"] });
		running = child;
		let output = "";
		child.stdout.on("data", (text: Buffer) => {
			output += text;
		});
		child.on("exit", () => resolve(output));
	});
}

interface Outcome {
	/** Undefined: none finds it. */
	readonly seed?: number;
	readonly failures: readonly string[];
}

/** The first seed that fails with a bug, and not without it; undefined: the bug does not apply. */
async function findSeed(bug: PlantedBug): Promise<Outcome | undefined> {
	for (let from = 1; from <= SEEDS; ) {
		const output = await copy.withBug(bug, () => runSeeds(from, SEEDS));
		if (output === undefined) return undefined;
		const seed = failedSeed(output);
		if (seed === undefined) break;
		if (failedSeed(await runSeeds(seed, seed)) === undefined)
			return { seed, failures: [...output.matchAll(/^ {4}.*$/gm)].map(([line]) => line) };
		console.log(`seed ${seed} fails without the bug, too`);
		from = seed + 1;
	}
	return { failures: [] };
}

/** The failed one, by what was printed. */
function failedSeed(output: string): number | undefined {
	const seed = /^seed (\d+)[ :]/m.exec(output)?.[1];
	return seed === undefined || !/^\d+ seeds, [1-9]\d* failed,/m.test(output) ? undefined : Number(seed);
}

let found = 0;
try {
	for (const bug of selected) {
		const outcome = await findSeed(bug);
		if (outcome?.seed !== undefined) found++;
		const result =
			outcome === undefined
				? "no longer applies"
				: outcome.seed === undefined
					? "NOT FOUND"
					: `found by seed ${outcome.seed}`;
		console.log(`${result.padEnd(20)} ${bug.kind}: ${bug.breaks}`);
		for (const line of outcome?.failures ?? []) console.log(line.slice(0, 160));
	}
} finally {
	copy.remove();
}
console.log(`\n${found} of ${selected.length} found within ${SEEDS} seeds`);
process.exitCode = found === selected.length && found > 0 ? 0 : 1;
