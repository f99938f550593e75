import assert from "node:assert/strict";
import { test } from "node:test";
import { waitText } from "../../src/bridge/wait-text";

for (const [ms, text] of [
	[1, "0.1 s"],
	[949, "0.9 s"],
	[1000, "1 s"],
	[1540, "1.5 s"],
	[9949, "9.9 s"],
	[10_000, "10 s"],
	[89_400, "89 s"],
	[90_000, "2 min"],
	[3_600_000, "60 min"],
	[5_400_000, "2 h"],
	[86_400_000, "24 h"],
] as const)
	test(`a wait of ${ms} ms: ${text}`, () => assert.equal(waitText(ms), text));
