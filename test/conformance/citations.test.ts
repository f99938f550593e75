import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { citationsOf } from "../../docs/conformance/citations";
import { evaluateCitations } from "../../docs/conformance/report";
import { BOTH, CLIENT, mqtt5, mqtt311Shared, SERVER } from "../../docs/conformance/statement";
import { overall, render } from "../../docs/conformance/table";

const all = [
	mqtt5("1.0.0-1", SERVER, "a thing"),
	mqtt5("1.0.0-2", BOTH, "two things", { client: "no client" }),
	mqtt311Shared("1.0.0-1", SERVER, "a thing"),
];
const code = citationsOf("x; // [MQTT-1.0.0-1] [MQTT-1.0.0-2]\n", "src/broker/a.ts");
const shown = citationsOf("\ntest('[MQTT-1.0.0-1]')", "test/broker/a.test.ts");

describe("citations", () => {
	test("citations in a text: found with file and line, misspelled ones included", () => {
		assert.deepEqual(
			citationsOf("a\nb // [MQTT-1.0.0-1] [MQTT-3.1.1:1.2.3-4] [MQTT-oops]\n[RFC-1]", "f.ts"),
			[
				{ name: "MQTT-1.0.0-1", file: "f.ts", line: 2 },
				{ name: "MQTT-3.1.1:1.2.3-4", file: "f.ts", line: 2 },
				{ name: "MQTT-oops", file: "f.ts", line: 2 },
			],
		);
	});

	test("cited by code and by a test: the statement is covered, in both versions if it is shared", () => {
		const { entries, gaps, unknown } = evaluateCitations(all, [...code, ...shown], []);
		assert.deepEqual(unknown, []);
		assert.deepEqual(gaps, ["MQTT-1.0.0-2 (server): no test cites it"]);
		assert.deepEqual(
			entries.map(({ duties }) => overall(duties)),
			["covered", "gap", "covered"],
		);
	});

	test("a citation in code: counts for the side of its folder, in src/mqtt for both", () => {
		const client = [mqtt5("1.0.0-1", CLIENT, "a thing")];
		assert.deepEqual(evaluateCitations(client, [...code.slice(0, 1), ...shown], []).gaps, [
			"MQTT-1.0.0-1 (client): no code and no test cites it",
		]);
		const wire = [
			...citationsOf("[MQTT-1.0.0-1]", "src/mqtt/a.ts"),
			...citationsOf("[MQTT-1.0.0-1]", "test/mqtt/a.test.ts"),
		];
		assert.deepEqual(evaluateCitations(client, wire, []).gaps, []);
	});

	test("a citation of a statement that does not exist: reported as unknown", () => {
		assert.deepEqual(evaluateCitations(all, citationsOf("\n[MQTT-1.0.0-9]", "src/mqtt/a.ts"), []).unknown, [
			"src/mqtt/a.ts:2 MQTT-1.0.0-9",
		]);
	});
});

describe("pending statements", () => {
	const list = [{ side: "server", reason: "later", names: ["MQTT-1.0.0-2"] }] as const;

	test("a pending statement: not a gap, marked in the table", () => {
		const { entries, gaps, resolvedPending } = evaluateCitations(all, [...code, ...shown], list);
		assert.deepEqual([gaps, resolvedPending], [[], []]);
		assert.equal(overall(entries[1]?.duties ?? []), "pending");
		assert.match(
			render({ entries, gaps, resolvedPending, unknown: [] }),
			/MQTT-1\.0\.0-2 \| two things \| server \| pending: later/,
		);
	});

	test("a pending statement that is covered: reported as resolved", () => {
		const more = citationsOf("[MQTT-1.0.0-2]", "test/broker/b.test.ts");
		assert.deepEqual(evaluateCitations(all, [...code, ...shown, ...more], list).resolvedPending, [
			"MQTT-1.0.0-2 (server)",
		]);
	});
});
