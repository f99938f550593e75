import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PLANTED_BUGS } from "./planted-bugs";

test("ten bugs or more for the seeds, one of a kind, and the text of each occurs once", () => {
	assert.ok(PLANTED_BUGS.length >= 10);
	assert.equal(new Set(PLANTED_BUGS.map(({ kind }) => kind)).size, PLANTED_BUGS.length);
	for (const { file, text, replacement, breaks } of PLANTED_BUGS) {
		const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
		assert.equal(source.split(text).length, 2, `${file}: ${breaks}`);
		assert.notEqual(replacement, text);
	}
});
