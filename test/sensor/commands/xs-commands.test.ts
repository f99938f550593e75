import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine, prepare, Root } from "../../../sim/xs/index";
import { gatherModules, preloaded } from "../../support/xs-modules";

await prepare();

test("on XS with a chip's stack, a command that is brackets from end to end is refused, and does not end the run", () => {
	const modules = gatherModules("src/sensor/commands/command-text");
	const preload = preloaded(modules);
	modules.set("main", {
		source: `import { readCommand } from "src/sensor/commands/command-text";
			native("keep").call(this, () => {
				const bytes = new Uint8Array(native("command").call(this));
				native("tell").call(this, readCommand(bytes, 0, bytes.length).problem);
			});`,
		path: "main.js",
	});
	const root = new Root({ modules, preload, natives: ["keep", "command", "tell"] });
	let command = new Uint8Array();
	let read = 0;
	const problems: string[] = [];
	const machine = new Machine(root, {
		creation: { slots: 2048, chunks: 65_536, stack: 512, keys: 64 },
		clock: () => 0,
		seed: 1,
		natives: {
			keep: (handle: number) => {
				read = handle;
			},
			command: () => command,
			tell: (problem: string) => void problems.push(problem),
		},
	});
	machine.import("main");
	const nestings = ["[", "{", '{"a":', '[{"a":'].map((level) => `{"a":${level.repeat(8000 / level.length)}`);
	for (const text of nestings) {
		command = new TextEncoder().encode(text);
		machine.call(read);
	}
	assert.deepEqual(problems, Array(4).fill("the command has more than 8 levels or 128 values"));
});
