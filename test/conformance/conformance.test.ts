import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { pending } from "../../docs/conformance/pending";
import { createConformanceReport, statements } from "../../docs/conformance/report";
import { citationName } from "../../docs/conformance/statement";
import { render } from "../../docs/conformance/table";

const root = fileURLToPath(new URL("../..", import.meta.url));
const result = createConformanceReport(root);
const again = "node --import tsx docs/conformance/generate.ts";

describe("conformance", () => {
	test("every citation names a statement that exists", () => assert.deepEqual(result.unknown, []));

	test("every applicable statement is cited by code and by a test, or is pending", () =>
		assert.deepEqual(result.gaps, []));

	test("no covered statement is pending: else remove it from docs/conformance/pending.ts", () =>
		assert.deepEqual(result.resolvedPending, []));

	test("docs/conformance.md is up to date with the citations", () => {
		const text = readFileSync(`${root}/docs/conformance.md`, "utf8");
		assert.ok(text === render(result), `docs/conformance.md is out of date: ${again}`);
	});
});

describe("conformance statements", () => {
	test("there are 251 of MQTT 5.0 and 141 of MQTT 3.1.1, without duplicates", () => {
		assert.equal(statements.filter(({ specification }) => specification === "5.0").length, 251);
		assert.equal(statements.filter(({ specification }) => specification === "3.1.1").length, 141);
		assert.equal(new Set(statements.map(citationName)).size, 392);
	});

	test("each has a number, a bound side and a short subject", () => {
		for (const statement of statements) {
			assert.match(statement.id, /^\d+[.-]\d+\.\d+-\d+$/);
			assert.ok(statement.binds.length > 0);
			const words = statement.subject.split(" ").length;
			assert.ok(words >= 2 && words <= 10, `${citationName(statement)} ${statement.subject}`);
		}
	});

	test("statements shared by both versions exist in both", () => {
		const names = new Set(statements.map(citationName));
		for (const statement of statements)
			if (statement.shared) assert.ok(names.has(`MQTT-${statement.id}`), statement.id);
	});

	test("pending statements are listed once, and only for a side that they bind", () => {
		const seen = new Set<string>();
		for (const { side, names } of pending) {
			for (const each of names) {
				const statement = statements.find((candidate) => citationName(candidate) === each);
				assert.ok(
					statement?.binds.includes(side) && statement.exempt[side] === undefined,
					`${each} (${side})`,
				);
				assert.ok(!seen.has(`${each} ${side}`), `${each} (${side}) twice`);
				seen.add(`${each} ${side}`);
			}
		}
	});
});
