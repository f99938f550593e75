import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { citationsOf } from "../../docs/conformance/citations";
import { judge } from "../../docs/conformance/report";
import { BOTH, CLIENT, five, SERVER, same } from "../../docs/conformance/statement";
import { overall, render } from "../../docs/conformance/table";

const all = [five("1.0.0-1", SERVER, "a thing"), five("1.0.0-2", BOTH, "two things", { client: "no client" }), same("1.0.0-1", SERVER, "a thing")];
const code = citationsOf("x; // [MQTT-1.0.0-1] [MQTT-1.0.0-2]\n", "src/broker/a.ts");
const shown = citationsOf("\ntest('[MQTT-1.0.0-1]')", "test/broker/a.test.ts");

describe("citations", () => {
	test("are found with file and line, misprints among them", () => {
		assert.deepEqual(citationsOf("a\nb // [MQTT-1.0.0-1] [MQTT-3.1.1:1.2.3-4] [MQTT-oops]\n[RFC-1]", "f.ts"), [
			{ name: "MQTT-1.0.0-1", file: "f.ts", line: 2 },
			{ name: "MQTT-3.1.1:1.2.3-4", file: "f.ts", line: 2 },
			{ name: "MQTT-oops", file: "f.ts", line: 2 },
		]);
	});

	test("of code and of a test cover a statement, in both versions where it is shared", () => {
		const { entries, gaps, unknown } = judge(all, [...code, ...shown], []);
		assert.deepEqual(unknown, []);
		assert.deepEqual(gaps, ["MQTT-1.0.0-2 (server): no test cites it"]);
		assert.deepEqual(
			entries.map(({ duties }) => overall(duties)),
			["covered", "gap", "covered"],
		);
	});

	test("count for the side whose code they stand in", () => {
		const client = [five("1.0.0-1", CLIENT, "a thing")];
		assert.deepEqual(judge(client, [...code.slice(0, 1), ...shown], []).gaps, ["MQTT-1.0.0-1 (client): no code and no test cites it"]);
		const wire = [...citationsOf("[MQTT-1.0.0-1]", "src/mqtt/a.ts"), ...citationsOf("[MQTT-1.0.0-1]", "test/mqtt/a.test.ts")];
		assert.deepEqual(judge(client, wire, []).gaps, []);
	});

	test("of what does not exist are told", () => {
		assert.deepEqual(judge(all, citationsOf("\n[MQTT-1.0.0-9]", "src/mqtt/a.ts"), []).unknown, ["src/mqtt/a.ts:2 MQTT-1.0.0-9"]);
	});
});

describe("what is pending", () => {
	const list = [{ side: "server", reason: "later", names: ["MQTT-1.0.0-2"] }] as const;

	test("is no gap", () => {
		const { entries, gaps, settled } = judge(all, [...code, ...shown], list);
		assert.deepEqual([gaps, settled], [[], []]);
		assert.equal(overall(entries[1]?.duties ?? []), "pending");
		assert.match(render({ entries, gaps, settled, unknown: [] }), /MQTT-1\.0\.0-2 \| two things \| server \| pending: later/);
	});

	test("has to be taken out once it is covered", () => {
		const more = citationsOf("[MQTT-1.0.0-2]", "test/broker/b.test.ts");
		assert.deepEqual(judge(all, [...code, ...shown, ...more], list).settled, ["MQTT-1.0.0-2 (server)"]);
	});
});
