import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import type { Fault } from "../../sim/faults/fault";
import { FAULT_KINDS } from "../../sim/faults/fault-kinds";
import { FaultTextError, formatFault, parseFault } from "../../sim/faults/fault-text";

test("the example of each kind is read, and written again as it was", () => {
	for (const [name, { example }] of Object.entries(FAULT_KINDS)) {
		assert.equal(parseFault(example).name, name);
		assert.equal(formatFault(parseFault(example)), example);
	}
});

test("each part of a specification is read", () => {
	assert.deepEqual(parseFault("wifi:10m@2h"), { name: "wifi", duration: 600_000, at: 7_200_000 });
	assert.deepEqual(parseFault("loss=2.5%:90s@250ms/broker"), {
		name: "loss",
		amount: 0.025,
		duration: 90_000,
		at: 250,
		board: "broker",
	});
	assert.equal(parseFault("clock=-2s@1m").amount, -2000);
	assert.equal(parseFault("drift=-50ppm:1h@0s").amount, -50);
	assert.equal(parseFault("delay=1.5s:1h@0s").amount, 1500);
	assert.equal(parseFault("reset=37@1h/green/house").board, "green/house");
	assert.equal(parseFault("reset@1h").amount, undefined);
});

test("any fault is read from the text that it is written as", () => {
	const amounts: Readonly<Record<string, fc.Arbitrary<number>>> = {
		share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
		duration: fc.nat(10_000_000),
		step: fc.integer({ min: -10_000_000, max: 10_000_000 }).filter((step) => !Object.is(step, -0)),
		ppm: fc.integer({ min: -5000, max: 5000 }),
		calls: fc.nat(1000),
	};
	const fault = fc.constantFrom(...Object.entries(FAULT_KINDS)).chain(([name, kind]) =>
		fc
			.record({
				amount: kind.amount === undefined ? fc.constant(undefined) : amounts[kind.amount]!,
				duration: kind.lasts ? fc.nat(100_000_000) : fc.constant(undefined),
				at: fc.nat(100_000_000),
				board: fc.option(fc.stringMatching(/^[\w.-]{1,12}$/), { nil: undefined }),
			})
			.map(
				(parts): Fault => ({
					name,
					...Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)),
					at: parts.at,
				}),
			),
	);
	fc.assert(fc.property(fault, (drawn) => assert.deepEqual(parseFault(formatFault(drawn)), drawn)));
});

test("a wrong specification is refused with what is wrong, and what may be meant", () => {
	const rows: readonly (readonly [text: string, message: RegExp, word?: string])[] = [
		["", /there is no fault ""/, ""],
		["wfi:10m@2h", /there is no fault "wfi"; there are wifi, roam/, "wfi"],
		["toString@2h", /there is no fault "toString"/, "toString"],
		["wifi", /wifi needs its time after the start: wifi:10m@2h/],
		["wifi@2h", /wifi needs a duration: wifi:10m@2h/],
		["wifi:10@2h", /"10" is no duration such as 90s/, "10"],
		["wifi:10m@later", /"later" is no time after the start/, "later"],
		["wifi:-1m@2h", /"-1m" is no duration/, "-1m"],
		["wifi=3:10m@2h", /wifi has no amount/],
		["reset:10m@2h", /reset is over at once, and has no duration/],
		["loss:10m@2h", /loss needs an amount: loss=20%:10m@2h/],
		["loss=20:10m@2h", /"20" is no percentage/],
		["loss=120%:10m@2h", /"120%" is no percentage/],
		["drift=1.5ppm:1h@2h", /"1.5ppm" is no number of parts per million/],
		["clock=5@2h", /"5" is no step such as \+5m/],
		["reset=few@2h", /"few" is no whole number of calls/],
		["reset@2h/", /a board's name is missing/],
		["2h@wifi", /"2h@wifi" is no fault such as wifi:10m@2h/],
	];
	for (const [text, message, word] of rows)
		assert.throws(
			() => parseFault(text),
			(error) => {
				assert.ok(error instanceof FaultTextError, text);
				assert.match(error.message, message, text);
				assert.equal(error.wrong?.word, word, text);
				return true;
			},
		);
});

test("docs/faults.md has each kind, with what it concerns and what happens", () => {
	const page = readFileSync(new URL("../../docs/faults.md", import.meta.url), "utf8");
	const rows = [...page.matchAll(/^\| `(\S+)` \| (.+) \| (.+) \|$/gm)].map(([, example, concerns]) => [
		example,
		concerns,
	]);
	const concerned = { network: "the network", broker: "the broker", sensors: "nodes" } as const;
	assert.deepEqual(
		rows,
		Object.values(FAULT_KINDS).map(({ example, scope }) => [example, concerned[scope]]),
	);
});
