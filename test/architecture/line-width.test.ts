import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ROOMS = ["src", "firmware", "sim", "cli", "web", "bench", "examples", "test"];

const COMMENT_COLUMNS = 110;
const CODE_COLUMNS = 120;

interface Line {
	/** File and number. */
	readonly place: string;
	/** Its text, where a tab takes two columns. */
	readonly text: string;
	/** The same, without what is in literals: a text, a table or a pattern may be as wide as it is. */
	readonly code: string;
}

/** A slash behind one of these begins a pattern, and otherwise divides. */
const BEFORE_PATTERN = "(,:=!&|?{};[";

/** Removes what is in strings, templates and patterns, line by line. Code in a template counts as text. */
class LiteralFilter {
	/** Templates that have begun, each −1, and behind it the braces that are open in an expression of it. */
	readonly #templates: number[] = [];
	#isInText = false;
	#isInComment = false;

	codeOf(line: string): string {
		let code = "";
		for (let at = 0; at < line.length; at++) {
			const rest = line.slice(at);
			if (this.#isInComment) {
				if (rest.startsWith("*/")) this.#isInComment = false;
				code += line[at];
			} else if (this.#isInText) {
				if (rest[0] === "\\") at++;
				else if (rest[0] === "`") this.#endTemplate();
				else if (rest.startsWith("${")) {
					this.#templates.push(0);
					this.#isInText = false;
					at++;
				}
			} else {
				const literal =
					/^"(?:[^"\\]|\\.)*"|^'(?:[^'\\]|\\.)*'/.exec(rest)?.[0] ?? patternAt(code, rest) ?? rest[0]!;
				if (rest.startsWith("//")) return this.#templates.length === 0 ? code + rest : code;
				if (rest.startsWith("/*")) this.#isInComment = true;
				if (this.#templates.length === 0) code += literal.length > 1 ? '""' : literal;
				this.#followBraces(literal);
				at += literal.length - 1;
			}
		}
		return code;
	}

	#followBraces(character: string): void {
		const last = this.#templates.length - 1;
		if (character === "`") {
			this.#templates.push(-1);
			this.#isInText = true;
		} else if (last < 0) return;
		else if (character === "{") this.#templates[last]!++;
		else if (character === "}" && this.#templates[last]!-- === 0) {
			this.#templates.pop();
			this.#isInText = true;
		}
	}

	#endTemplate(): void {
		this.#templates.pop();
		this.#isInText = false;
	}
}

function patternAt(code: string, rest: string): string | undefined {
	const before = code.trimEnd().at(-1);
	if (before !== undefined && !BEFORE_PATTERN.includes(before)) return undefined;
	return /^\/(?![/*])(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\/[a-z]*/.exec(rest)?.[0];
}

function* linesOf(path: string): Generator<Line> {
	const filter = new LiteralFilter();
	for (const [index, tabbed] of readFileSync(join(root, path), "utf8").split("\n").entries()) {
		const text = tabbed.replaceAll("\t", "  ");
		yield { place: `${path}:${index + 1}`, text, code: filter.codeOf(text) };
	}
}

function allLines(): Line[] {
	const lines: Line[] = [];
	for (const room of ROOMS)
		for (const name of readdirSync(join(root, room), { recursive: true, encoding: "utf8" }))
			if (/\.(ts|js|mjs)$/.test(name) && !name.includes("node_modules"))
				lines.push(...linesOf(`${room}/${name}`));
	return lines;
}

const lines = allLines();

test("what is in literals and in templates is left away, comments and what stands beside are not", () => {
	const filter = new LiteralFilter();
	for (const [line, code] of [
		["f(\"a 'b\", '\"', /[/`]+\"/g, x / y / z); // it's", 'f("", "", "", x / y / z); // it\'s'],
		[`const a = \`one \${f(\`two \${{ b: 1 }}\`, '}')} three\`;`, "const a = `;"],
		["const b = `first", "const b = `"],
		[`  second \\\` \${c}`, ""],
		["third` + d;", " + d;"],
		["/* ` */ e();", "/* ` */ e();"],
	])
		assert.equal(filter.codeOf(line!), code);
});

test("no comment is wider than 110 columns, where a tab takes two", () => {
	const comments = lines.filter(({ text }) => /^\s*(\/?\*|\/\/ )/.test(text));
	assert.ok(comments.length > 5000, `${comments.length} comment lines`);
	assert.deepEqual(
		comments.filter(({ text }) => text.length > COMMENT_COLUMNS).map(({ place }) => place),
		[],
	);
});

test("no code is wider than 120 columns, apart from what is in a literal", () => {
	assert.ok(lines.length > 50_000, `${lines.length} lines`);
	assert.deepEqual(
		lines.filter(({ code }) => code.length > CODE_COLUMNS).map(({ place }) => place),
		[],
	);
});
