import assert, { AssertionError } from "node:assert/strict";
import { describe, test } from "node:test";
import "./assertion-messages";

function messageOf(check: () => void): string {
	try {
		check();
	} catch (error) {
		if (error instanceof AssertionError) return error.message;
		throw error;
	}
	return "passed";
}

const empty: readonly number[] = [];

describe("assert.ok() without a message", () => {
	test("fails with its own source, as written in this file", () => {
		assert.match(
			messageOf(() => assert.ok(empty.length > 0)),
			/assert\.ok\(empty\.length > 0\)/,
		);
	});

	test("over several lines: the whole call", () => {
		const message = messageOf(() => {
			assert.ok(
				empty.length > 0 && empty.every((value) => value > 1_000_000) && empty.some((value) => value > 1),
			);
		});
		assert.match(message, /^assert\.ok\( empty.*value > 1\), \);$/);
	});

	test("a message that is given is kept, and a true value passes", () => {
		assert.equal(
			messageOf(() => assert.ok(false, "given")),
			"given",
		);
		assert.equal(
			messageOf(() => assert.ok(true)),
			"passed",
		);
	});
});
