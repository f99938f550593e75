/**
 * Preloaded into every test process (see run.ts): gives each assert.ok() without a message one.
 *
 * Without it Node 20 looks for the failed expression itself: it parses the source file from character to
 * character, up to the line and column of the call. With tsx these are positions in the compiled code, whose
 * first line holds the whole file, so that the search takes minutes, and ends at another expression.
 */
import assert, { AssertionError } from "node:assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Source lines of a message after the first. */
const MAXIMUM_LINES = 8;

const originalOk: typeof assert.ok = assert.ok;

function ok(value: unknown, message?: string | Error): asserts value {
	if (value) return;
	if (message !== undefined) originalOk(value, message);
	const site: { stack?: string } = {};
	Error.captureStackTrace(site, ok);
	throw new AssertionError({
		message: calledExpression(site.stack) ?? "the value is falsy",
		actual: value,
		expected: true,
		operator: "==",
		stackStartFn: ok,
	});
}

/** The source of the call on top of a stack, as the source map places it. */
function calledExpression(stack: string | undefined): string | undefined {
	const [, file, line] = /^ +at .*?\(?((?:file:\/\/)?\/[^()]+):(\d+):\d+\)?$/m.exec(stack ?? "") ?? [];
	if (file === undefined) return undefined;
	try {
		const path = file.startsWith("file:") ? fileURLToPath(file) : file;
		const lines = readFileSync(path, "utf8").split("\n");
		const first = Number(line) - 1;
		let last = first;
		while (last - first < MAXIMUM_LINES && lines[last]?.trimEnd().endsWith(";") === false) last++;
		return lines
			.slice(first, last + 1)
			.map((each) => each.trim())
			.join(" ");
	} catch {
		return undefined;
	}
}

assert.ok = ok;
assert.strict.ok = ok;
