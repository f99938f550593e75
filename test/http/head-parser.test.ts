import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeadParser, type HeadStatus } from "../../src/http/head-parser";

/** Writes down what it is told, and keeps the values of fields whose names begin with "keep". */
class Recorder extends HeadParser {
	readonly lines: string[] = [];
	malformed: [HeadStatus, string] | undefined;
	ends = 0;
	isRefused = false;

	get kept(): string {
		return this.text(0, this.start);
	}

	protected onStartLine(end: number): void {
		this.lines.push(this.text(this.start, end));
	}

	protected onField(nameEnd: number, from: number, to: number, isCut: boolean): void {
		const name = this.text(this.start, nameEnd);
		this.lines.push(`${name}=${this.text(from, to)}${isCut ? "…" : ""}`);
		if (!name.startsWith("keep") || isCut) return;
		this.store.copyWithin(this.start, from, to);
		this.start += to - from;
	}

	protected onEnd(): void {
		this.ends++;
	}

	protected onMalformed(status: HeadStatus, reason: string): void {
		this.malformed = [status, reason];
	}

	private text(from: number, to: number): string {
		return Buffer.from(this.store.subarray(from, to)).toString("latin1");
	}
}

/** Gives the parser what it wants, in pieces no larger than these. @returns bytes taken */
function feed(parser: Recorder, text: string, sizes: readonly number[] = [4096]): number {
	const bytes = Buffer.from(text, "latin1");
	let at = 0;
	for (let i = 0; at < bytes.length && !parser.isComplete && parser.malformed === undefined; i++) {
		const end = Math.min(at + parser.wantedBytes, at + sizes[i % sizes.length]!, bytes.length);
		parser.push(bytes, at, end);
		at = end;
	}
	return at;
}

function parse(text: string, storeSize = 64): Recorder {
	const parser = new Recorder(new Uint8Array(storeSize));
	feed(parser, text);
	return parser;
}

const token = fc.string({ unit: fc.constantFrom(..."aBz09!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 12 });
const value = fc
	.string({ unit: fc.constantFrom(...'aZ09:;,\t "/\xe9\xff'), maxLength: 20 })
	.map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ""));
const space = fc.constantFrom("", " ", "\t", " \t ");
const field = fc.tuple(token, space, value, space);

test("any fields in any pieces: each is told once, and no byte behind the head is taken", () => {
	fc.assert(
		fc.property(
			value,
			fc.array(field, { maxLength: 8 }),
			fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
			(start, fields, sizes) => {
				const lines = fields.map(([name, before, text, after]) => `${name}:${before}${text}${after}`);
				const head = `${[start, ...lines].join("\r\n")}\r\n\r\n`;
				const parser = new Recorder(new Uint8Array(256));
				assert.equal(feed(parser, `${head}\r\n\r\nbody`, sizes), head.length);
				assert.deepEqual(parser.lines, [
					start,
					...fields.map(([name, , text]) => `${name.toLowerCase()}=${text}`),
				]);
				assert.equal(parser.ends, 1);
			},
		),
		{ numRuns: 500 },
	);
});

test("values that are kept: they stand one behind the other, and only they take room", () => {
	const other = `Other: ${"x".repeat(40)}\r\n`;
	const parser = parse(`start\r\n${other}Keep-1: abc\r\n${other}keep-2:  de\t\r\n${other}\r\n`);
	assert.equal(parser.kept, "abcde");
	assert.ok(parser.isComplete);
});

test("a line longer than the store: its rest is dropped, and the field says so", () => {
	assert.deepEqual(parse(`s\r\nname: ${"v".repeat(100)}\r\nnext: 1\r\n\r\n`, 16).lines, [
		"s",
		`name=${"v".repeat(10)}…`,
		"next=1",
	]);
	assert.deepEqual(parse(`s\r\n${"n".repeat(20)}: 1\r\n\r\n`, 16).lines, ["s", `${"n".repeat(16)}=…`]);
	assert.deepEqual(parse(`s\r\nkeep: ${"k".repeat(10)}\r\nkeep:${"l".repeat(6)}\r\n\r\n`, 16).lines, [
		"s",
		`keep=${"k".repeat(10)}`,
		"keep=l…",
	]);
});

test("a store that kept values fill: further fields are told as dropped, and the end is found", () => {
	const parser = parse("s\r\nkeep:12345678\r\nk:9\r\nkeepq:1234567\r\n\r\n", 16);
	assert.deepEqual(parser.lines, ["s", "keep=12345678", "k=9", "keepq=12…"]);
	const full = parse(`s\r\nkeep:${"1".repeat(11)}\r\nkeep:\r\nother: 1\r\n\r\n`, 16);
	assert.deepEqual(full.lines, ["s", `keep=${"1".repeat(11)}`, "keep=", "other=…"]);
	assert.ok(full.isComplete);
});

for (const [what, text, expected] of [
	["CR without LF", "GET\r ", [400, "CR without LF"]],
	["LF without CR", "GET\n", [400, "not HTTP"]],
	["a control character", "s\r\na: \x7f", [400, "control character in a header field"]],
	["a line without colon", "s\r\nabc\r\n", [400, "malformed header field"]],
	["a line that begins with a colon", "s\r\n: 1\r\n", [400, "malformed header field"]],
	["a space before the colon", "s\r\na : 1\r\n", [400, "malformed header field"]],
	["a folded line", "s\r\na: 1\r\n b\r\n", [400, "malformed header field"]],
	["8193 bytes", `s\r\na: ${"x".repeat(8193 - 6)}`, [431, "head longer than 8192 bytes"]],
	["8192 bytes", `s\r\na: ${"x".repeat(8192 - 10)}\r\n\r\n`, undefined],
] as const)
	test(`${what}: ${expected?.[1] ?? "complete"}`, () => {
		const parser = parse(text);
		assert.deepEqual(parser.malformed, expected);
		assert.equal(parser.isComplete, expected === undefined);
	});

test("a subclass that refuses a line: nothing more is parsed", () => {
	const parser = new Recorder(new Uint8Array(64));
	parser.isRefused = true;
	feed(parser, "start\r\na: 1\r\n\r\n");
	assert.deepEqual(parser.lines, ["start"]);
	assert.equal(parser.isComplete, false);
});
