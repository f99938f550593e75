import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeEngine } from "../../sim/engine/node";
import { readManifest } from "../../sim/manifest/manifest-reader";
import { linkProgram } from "../../sim/manifest/program";
import { fixture } from "./board-bench";

const memory = (): Uint8Array => new Uint8Array(64);

/** Boots the probe with a configuration; what it prints, and the natives that it calls. */
async function boot(mode: string, retained = memory()) {
	const program = linkProgram(readManifest(fixture("probe")), { config: { mode } });
	const image = await nodeEngine.load(program, []);
	const lines: string[] = [];
	const calls: string[] = [];
	const natives = new Proxy<Record<string, () => number>>(
		{},
		{
			get: (_, name) => () => {
				calls.push(String(name));
				return 1;
			},
		},
	);
	const start = (): void =>
		image
			.boot({ clock: () => 0, seed: 1, retained, natives, trace: (text) => lines.push(text.trimEnd()) })
			.start();
	start();
	return { image, lines, calls, start };
}

test("a program of another configuration runs with its own, though the modules have run before", async () => {
	const first = await boot("count");
	assert.match(first.lines.join(" "), /boot 1 call 1 /);
	first.image.dispose();
	const second = await boot("stop");
	assert.ok(
		second.calls.some((name) => name.startsWith("sim_stop")),
		second.calls.join(" "),
	);
	assert.deepEqual([second.lines.length, first.lines.length > 0], [0, true]);
	second.image.dispose();
	const third = await boot("count");
	assert.match(third.lines.join(" "), /boot 1 call 1 /, "variables are as at the first start");
});

test("programs that run at the same time share no variables, memory or host", async () => {
	const one = await boot("count");
	const other = await boot("count");
	one.start();
	assert.match(one.lines.join(" "), /boot 2 call 1 /);
	assert.match(other.lines.join(" "), /boot 1 call 1 /);
	assert.doesNotMatch(other.lines.join(" "), /boot 2/);
});
