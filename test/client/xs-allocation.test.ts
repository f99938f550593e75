import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine, prepare, Root } from "../../sim/xs/index";
import { gatherModules, preloaded } from "../support/xs-modules";

await prepare();

const features = [
	"messages of QoS 0, 1 and 2 to the client",
	"a message of QoS 2 to the broker",
	"a payload larger than the buffers, to the broker",
	"a payload larger than the buffers, to the client, paused after each piece",
	"subscribing and unsubscribing",
	"ping",
	"topic aliases",
	"properties and expiry in the queue",
];

for (const [what, loop, feature] of [
	["messages of QoS 0, 1 and 2 through the queue, cancel and flush", "queue-loop", ""],
	["messages of QoS 0, 1 and 2 through the ECMA-419 class", "mqtt-client-loop", ""],
	["messages of QoS 0, 1 and 2 over WebSocket", "websocket-loop", ""],
	...features.map((feature) => [feature, "feature-loop", feature] as const),
] as const)
	test(`on XS, nothing is allocated in a steady state: ${what}`, (t) => {
		const modules = gatherModules(`test/client/support/${loop}`);
		const preload = preloaded(modules);
		modules.set("main", {
			source: `import loop from "test/client/support/${loop}";
				loop((run) => native("keep").call(this, run), ${JSON.stringify(feature)});`,
			path: "main.js",
		});
		const handles: number[] = [];
		const machine = new Machine(new Root({ modules, preload, natives: ["keep"] }), {
			creation: { slots: 2048, chunks: 65_536, stack: 512, keys: 64 },
			clock: () => 0,
			seed: 1,
			natives: { keep: (handle: number) => void handles.push(handle) },
		});
		machine.import("main");
		const run = (count: number): void => void machine.call(handles[0], count);
		run(10);
		const before = machine.statistics;
		run(1000);
		const after = machine.statistics;
		const computrons = Math.round((after.computrons - before.computrons) / 1000);
		t.diagnostic(`${computrons} computrons a round; ${after.stack.peak} slots of stack`);
		assert.equal(after.slots.allocated - before.slots.allocated, 0);
		assert.equal(after.chunks.allocated - before.chunks.allocated, 0);
		machine.destroy();
	});

test("on XS, an open connection over WebSocket takes at most 3 KB more than one over TCP", (t) => {
	const modules = gatherModules("test/client/support/websocket-memory");
	const preload = preloaded(modules);
	modules.set("main", {
		source: `import main from "test/client/support/websocket-memory";
			main((open) => native("keep").call(this, open));`,
		path: "main.js",
	});
	const handles: number[] = [];
	const machine = new Machine(new Root({ modules, preload, natives: ["keep"] }), {
		creation: { slots: 8192, chunks: 131_072, stack: 512, keys: 64 },
		clock: () => 0,
		seed: 1,
		natives: { keep: (handle: number) => void handles.push(handle) },
	});
	machine.import("main");
	/** Bytes of ten connections, with the slots of a 32-bit chip. */
	const bytesOf = (overWebSocket: boolean): number => {
		machine.call(handles[0], overWebSocket);
		machine.collect();
		const before = machine.statistics;
		for (let i = 0; i < 10; i++) machine.call(handles[0], overWebSocket);
		machine.collect();
		const after = machine.statistics;
		return (after.slots.used - before.slots.used) * 16 + after.chunks.used - before.chunks.used;
	};
	const bytes = (bytesOf(true) - bytesOf(false)) / 10;
	t.diagnostic(`${bytes} bytes`);
	assert.ok(bytes > 1000 && bytes <= 3072, `${bytes} bytes`);
	machine.destroy();
});
