import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { BoardPrograms } from "../../sim/board-program";
import type { Image } from "../../sim/engine/engine";
import { createEngine, type EngineName } from "../../sim/engine/engine-factory";
import { readManifest } from "../../sim/manifest/manifest-reader";
import { linkProgram } from "../../sim/manifest/program";
import { planBoards } from "../../sim/plan";
import { BoardBench, fixture } from "./board-bench";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));

test("nodes that differ in their MAC address run one program, a broker another one", () => {
	const manifest = readManifest(MANIFEST);
	const { boards } = planBoards(manifest.config, { externalBroker: false, nodes: 3 });
	const programs = new BoardPrograms(manifest);
	const [broker, first, ...others] = boards.map((board) => programs.program(board, board.config));
	assert.notEqual(broker, first);
	assert.deepEqual(
		others.map((program) => program === first),
		[true, true],
	);
	const node = boards[1]!;
	assert.notEqual(programs.program(node, { ...node.config, wifi_password: "other" }), first);
});

/** What the image prints at a boot, without the firmware's calls of the host. */
function boot(image: Image): string {
	const lines: string[] = [];
	const natives = new Proxy<Record<string, () => number>>({}, { get: () => () => 1 });
	const retained = new Uint8Array(64);
	const chip = image.boot({
		clock: () => 0,
		seed: 1,
		retained,
		natives,
		trace: (text) => lines.push(text.trimEnd()),
	});
	chip.start();
	chip.destroy();
	return lines.join(" ");
}

for (const name of ["xs", "node"] satisfies EngineName[])
	describe(`images of one program on ${name}`, () => {
		test("run apart, and one goes on when another is disposed of, even twice", async () => {
			const program = linkProgram(readManifest(fixture("probe")), { config: { mode: "count" } });
			const engine = await createEngine(name);
			const { natives } = (await new BoardBench().board(name, { mode: "count" })).board;
			const first = await engine.load(program, natives);
			const second = await engine.load(program, natives);
			const alone = boot(first);
			assert.match(alone, /boot 1 call 1/);
			assert.equal(boot(second), alone);
			first.dispose();
			first.dispose();
			assert.equal(boot(second), alone);
			second.dispose();
			const third = await engine.load(program, natives);
			assert.equal(boot(third), alone, "a root that was disposed of is built anew");
			third.dispose();
		});
	});
