/** What others send or write into files moves no cursor, forges no line and sets no title of a terminal. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { SimulationCounters } from "../../sim/report/counters";
import { EventText } from "../../sim/report/event-text";
import type { TimedEvent } from "../../sim/report/events";
import { printable, printableLines } from "../../sim/report/printable";
import { Project } from "./project";

const HOSTILE = "a\u001b[2J\u009b1m\u0007\r\n\u2028\u202eb";
const ESCAPED = "a\\u{1b}[2J\\u{9b}1m\\u{7}\\r\\n\\u{2028}\\u{202e}b";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test("printable: any text is one line without control characters, and others stay as they are", () => {
	assert.equal(printable(HOSTILE), ESCAPED);
	assert.equal(printable('21.5 °C "\\" 温室 👩‍🌾'), '21.5 °C "\\" 温室 👩‍🌾');
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			assert.doesNotMatch(printable(text), /[\t\n]/);
			assert.doesNotMatch(printable(text), OBEYED);
			assert.doesNotMatch(printableLines(text), OBEYED);
			assert.equal(printableLines(text).split("\n").length, text.split("\n").length);
		}),
	);
});

test("a client's topic and payload, a message of the firmware: an event's line has them escaped", () => {
	const counters = new SimulationCounters();
	const lineOf = (event: object): string | undefined => {
		const timed = { time: 0, node: "n", ...event } as TimedEvent;
		return new EventText().line(timed, counters.event(timed));
	};
	assert.equal(
		lineOf({ type: "value", topic: HOSTILE, payload: HOSTILE, retain: true }),
		`n  ${ESCAPED} = ${ESCAPED}`,
	);
	assert.doesNotMatch(lineOf({ type: "trace", message: `peer ${HOSTILE}` })!, OBEYED);
	assert.doesNotMatch(lineOf({ type: "crash", kind: "exception", message: HOSTILE })!, OBEYED);
});

describe("files with control characters", () => {
	const project = new Project();
	after(() => project.remove());

	test("history: names of columns are escaped in its table and in its errors", async () => {
		const rows = "2026-01-01T00:00:00Z,1\n2026-01-01T00:01:00Z,2\n";
		project.write("a.csv", `time,t\u001b[2J\n${rows}`);
		const { stdout } = await project.run(["history", "a.csv"]);
		assert.match(stdout, /t\\u\{1b\}\[2J: 2 readings/);
		assert.doesNotMatch(stdout, OBEYED);
		project.write("b.csv", `time,t\u009b2J\n${rows}2026-01-01T00:02:00Z,x\n`);
		const { code, stderr } = await project.run(["history", "b.csv"]);
		assert.equal(code, 1);
		assert.match(stderr, /^firefly: b\.csv:4: t\\u\{9b\}2J is "x", not a number/);
	});

	test("check: keys and values of a manifest are escaped", async () => {
		project.write("c.json", JSON.stringify({ config: { firefly: { "\u009b2J": 1, role: "\u009b1m" } } }));
		const { stderr } = await project.run(["check", "c.json"]);
		assert.match(stderr, /\\u\{9b\}2J/);
		assert.match(stderr, /\\u\{9b\}1m/);
		assert.doesNotMatch(stderr, OBEYED);
	});
});
