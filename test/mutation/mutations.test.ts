import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { mutations } from "./mutations";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test("each planted bug still applies: its text occurs once, and its tests exist", () => {
	assert.ok(mutations.length >= 40);
	for (const { file, text, replacement, breaks, tests } of mutations) {
		const name = `${file}: ${breaks}`;
		assert.equal(readFileSync(path(file), "utf8").split(text).length, 2, name);
		assert.notEqual(replacement, text, name);
		assert.ok(tests.length > 0, name);
		for (const each of tests) assert.ok(existsSync(path(each)), `${name}: ${each}`);
	}
});
