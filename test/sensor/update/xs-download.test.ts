import assert from "node:assert/strict";
import { test } from "node:test";
import { type Creation, Machine, prepare, Root } from "../../../sim/xs/index";
import { gatherModules, preloaded } from "../../support/xs-modules";

await prepare();

const creation: Creation = { slots: 2048, chunks: 32_768, stack: 512, keys: 64 };
const WINDOW = 4096;

test("on XS, no block of an image allocates anything", (t) => {
	const modules = gatherModules("test/sensor/update/download-loop");
	const preload = preloaded(modules);
	modules.set("main", {
		source: `import loop from "test/sensor/update/download-loop";
			loop((run) => native("keep").call(this, run), (text) => native("tell").call(this, text));`,
		path: "main.js",
	});
	const root = new Root({ modules, preload, natives: ["keep", "tell"] });
	const handles: number[] = [];
	const told: string[] = [];
	const machine = new Machine(root, {
		creation,
		clock: () => 0,
		seed: 1,
		natives: {
			keep: (handle: number) => void handles.push(handle),
			tell: (text: string) => void told.push(text),
		},
		retained: new Uint8Array(64),
	});
	machine.import("main");
	machine.call(handles[0]!, 1);
	const before = machine.statistics;
	machine.call(handles[0]!, 100);
	const after = machine.statistics;
	assert.deepEqual(told, []);
	t.diagnostic(
		`${Math.round((after.computrons - before.computrons) / (100 * WINDOW))} computrons a byte; ${after.slots.peak} slots, ${after.chunks.peak} bytes of chunks, ${after.stack.peak} of stack at most`,
	);
	assert.equal(after.slots.allocated - before.slots.allocated, 0);
	assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
	machine.destroy();
});
