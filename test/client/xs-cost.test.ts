import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine, prepare, Root } from "../../sim/xs/index";
import { gatherModules, preloaded } from "../support/xs-modules";

await prepare();

const modules = gatherModules("test/client/support/cost-bench");
const preload = preloaded(modules);
modules.set("main", {
	source: `import bench from "test/client/support/cost-bench"; bench((make) => native("keep").call(this, make));`,
	path: "main.js",
});

// Slots have 16 bytes on a chip. Chunk bytes are those of a 64-bit machine, which needs a little more.
test("on XS, what a client takes, and what its options add: within these slots and bytes of chunks", (t) => {
	const handles: number[] = [];
	const machine = new Machine(new Root({ modules, preload, natives: ["keep"] }), {
		creation: { slots: 2048, chunks: 65_536, stack: 512, keys: 64 },
		clock: () => 0,
		seed: 1,
		natives: { keep: (handle: number) => void handles.push(handle) },
	});
	machine.import("main");
	const used = (): { slots: number; chunks: number } => {
		machine.collect();
		const { slots, chunks } = machine.statistics;
		return { slots: slots.used, chunks: chunks.used };
	};
	const cost = (what: number): { slots: number; chunks: number } => {
		const before = used();
		machine.call(handles[0], what);
		const after = used();
		return { slots: after.slots - before.slots, chunks: after.chunks - before.chunks };
	};
	cost(0);
	const client = cost(1);
	const aliases = cost(2);
	const queue = cost(3);
	const properties = cost(4);
	const limits = {
		"a client, 512 bytes both ways, 8 in flight": [client, 235, 1600],
		"4 topic aliases": [
			{ slots: aliases.slots - client.slots, chunks: aliases.chunks - client.chunks },
			16,
			288,
		],
		"a queue of 16 messages, 1024 bytes": [queue, 34, 1704],
		"properties of 64 bytes in it": [
			{ slots: properties.slots - queue.slots, chunks: properties.chunks - queue.chunks },
			35,
			88,
		],
	} as const;
	for (const [what, [{ slots, chunks }, slotLimit, chunkLimit]] of Object.entries(limits)) {
		t.diagnostic(`${what}: ${slots} slots and ${chunks} bytes of chunks`);
		assert.ok(slots > 0 && slots <= slotLimit, `${what}: ${slots} slots`);
		assert.ok(chunks >= 0 && chunks <= chunkLimit, `${what}: ${chunks} bytes`);
	}
	machine.destroy();
});
