import assert from "node:assert/strict";
import { test } from "node:test";
import { retainedChecksum } from "../../sim/board/retained-checksum";
import { type Creation, Machine, prepare, Root } from "../../sim/xs/index";
import type { Settings } from "../../src/config/types";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { gatherModules, preloaded } from "../support/xs-modules";
import { EPOCH, settings } from "./support/test-board";

await prepare();

/** Bytes of retained memory, and of the ticks behind it. */
const MEMORY = RETAINED_BYTES + 8;

const creation: Creation = { slots: 2048, chunks: 65_536, stack: 512, keys: 64 };

function start(configuration: Settings) {
	const modules = gatherModules("test/sensor/support/loop");
	const preload = preloaded(modules);
	modules.set("main", {
		source: `import loop from "test/sensor/support/loop";
			loop((run) => native("keep").call(this, run), (text) => native("tell").call(this, text),
				native("xs_firefly_retained").call(this, ${MEMORY}),
				(words) => native("checksum").call(this, words.buffer), ${JSON.stringify(configuration)});`,
		path: "main.js",
	});
	const root = new Root({ modules, preload, natives: ["keep", "tell", "checksum"] });
	const handles: number[] = [];
	const traceMessages: string[] = [];
	const natives = {
		keep: (handle: number) => void handles.push(handle),
		tell: (text: string) => void traceMessages.push(text),
		checksum: retainedChecksum,
	};
	const retained = new Uint8Array(MEMORY);
	const ticks = new Float64Array(retained.buffer, RETAINED_BYTES, 1);
	const machine = new Machine(root, {
		creation,
		clock: () => EPOCH + ticks[0],
		seed: 1,
		natives,
		retained,
	});
	machine.import("main");
	assert.deepEqual(traceMessages, []);
	return { machine, run: (count: number) => machine.call(handles[0], count) };
}

test("on XS, 10,000 reports from the timer to PUBACK or PUBCOMP allocate nothing, and take no more computrons than they may", (t) => {
	const sensors = ["temperature", "humidity", "co2", "ratio"].map((name) => ({
		name,
		property: [name],
		every: 1000,
	}));
	// The most that each may take, 2 to 3 % more than it does: about 900 of it are the bench's broker and
	// clock.
	for (const [description, most, configuration] of [
		["a value", 10_350, settings({ sleep: { mode: "none" }, sensors: sensors.slice(0, 1) })],
		["a value, QoS 0", 9650, settings({ sleep: { mode: "none" }, sensors: [{ ...sensors[0], qos: 0 }] })],
		["a value, QoS 2", 13_350, settings({ sleep: { mode: "none" }, sensors: [{ ...sensors[0], qos: 2 }] })],
		[
			"a value, with commands",
			11_900,
			settings({
				sleep: { mode: "none" },
				sensors: sensors.slice(0, 1),
				commands: { topic: "c", answer: "a", trialWakes: 5 },
				broker: { cleanStart: false, receiveMaximum: 8 },
			}),
		],
		[
			"the median of five calibrated samples",
			24_150,
			settings({
				sleep: { mode: "none" },
				sensors: [
					{
						...sensors[0],
						every: 5000,
						samples: 5,
						aggregate: "median",
						spacing: 1000,
						table: [0, 0, 25, 24, 50, 51],
						scale: 2,
						offset: 1,
						decimals: 1,
					},
				],
			}),
		],
		[
			"a value, with diagnostics each minute",
			11_900,
			settings({
				sleep: { mode: "none" },
				diagnostics: { every: 60_000, topic: "home/{id}/diagnostics" },
				sensors: [sensors[0], { name: "battery", property: ["battery", "voltage"], every: 3_600_000 }],
			}),
		],
		[
			"JSON with four values",
			22_000,
			settings({ sleep: { mode: "none" }, payload: "json", topic: "home/{id}", sensors }),
		],
		[
			"an array of a value",
			16_200,
			settings({ sleep: { mode: "none" }, payload: "history", sensors: sensors.slice(0, 1) }),
		],
	] as const) {
		const { machine, run } = start(configuration);
		const before = machine.statistics;
		run(10_000);
		const after = machine.statistics;
		const computrons = (after.computrons - before.computrons) / 10_000;
		t.diagnostic(
			`${description}: ${Math.round(computrons)} computrons a report; ${after.slots.peak} slots, ${after.chunks.peak} bytes of chunks, ${after.stack.peak} of stack at most`,
		);
		assert.ok(computrons <= most, `${description}: ${computrons} computrons`);
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
		assert.equal(after.collections, before.collections);
		machine.destroy();
	}
});
