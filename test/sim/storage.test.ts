import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BOOT_TIME_MS } from "../../sim/board/board";
import { DEFAULT_ENTRIES, Flash } from "../../sim/board/flash";
import type { EngineName } from "../../sim/engine/engine-factory";
import { BoardBench } from "./board-bench";

const engines: EngineName[] = ["node", "xs"];
const withoutTime = (line: string): string => line.replace(/^\d+ /, "");

for (const engine of engines) {
	describe(`key-value storage of a board on ${engine}`, () => {
		test("keeps values through sleep, reset and power loss; limits are those of NVS", async () => {
			const bench = new BoardBench();
			const { board, lines } = await bench.board(engine, { mode: "store" });
			bench.run(BOOT_TIME_MS + 1000 + BOOT_TIME_MS);
			board.reset();
			bench.run(3000);
			board.powerOff();
			board.powerOn();
			bench.run(3000 + BOOT_TIME_MS);
			const printedLines = lines().map(withoutTime);
			assert.deepEqual(
				printedLines.filter((line) => line.startsWith("boot")),
				[
					"boot 1 found  count 0 long ",
					"boot 8 found 2 count 1 long RangeError: buffer too small",
					"boot 2 found 2 count 2 long RangeError: buffer too small",
					"boot 1 found 2 count 3 long RangeError: buffer too small",
				],
			);
			assert.equal(printedLines[1], "gone  Error: ESP_ERR_NVS_KEY_TOO_LONG Error: ESP_ERR_NVS_INVALID_NAME");
			assert.equal(printedLines[2], "closed Error: invalid host data");
		});

		test("full flash refuses writes, keeps its values, and accepts writes after a deletion", async () => {
			const bench = new BoardBench();
			const { lines } = await bench.board(engine, { mode: "fill" });
			bench.run(1000);
			// Four entries each; a new version needs its space before the old one is erased.
			const full = "Error: ESP_ERR_NVS_NOT_ENOUGH_SPACE";
			assert.deepEqual(lines().map(withoutTime), [
				`${DEFAULT_ENTRIES / 4} ${full}`,
				`old 64 ${full}`,
				"room ",
			]);
		});

		test("may be passed in, and then be used by another board", async () => {
			const flash = new Flash();
			for (const [at, expected] of [
				[0, "boot 1 found  count 0 long "],
				[5000, "boot 1 found 2 count 1 long RangeError: buffer too small"],
			] as const) {
				const bench = new BoardBench();
				bench.run(at);
				const { lines } = await bench.board(engine, { mode: "store" }, { storage: flash });
				bench.run(at + BOOT_TIME_MS);
				assert.equal(withoutTime(lines()[0]!), expected);
			}
			assert.equal(flash.used, 3 + 3);
		});

		test("paths are separate; their names are limited like keys", async () => {
			const flash = new Flash();
			for (const path of ["one", "two"]) {
				const bench = new BoardBench();
				const { lines } = await bench.board(engine, { mode: "store", path }, { storage: flash });
				bench.run(BOOT_TIME_MS);
				assert.match(lines()[0]!, /found {2}count 0/);
			}
			const bench = new BoardBench();
			const { events } = await bench.board(engine, { mode: "store", path: "sixteen_letters_" });
			bench.run(BOOT_TIME_MS);
			assert.match(JSON.stringify(events.at(-2)), /KEY_TOO_LONG/);
		});

		test("firmware with a stop handler is notified before it is stopped, and not after", async () => {
			const bench = new BoardBench();
			const { board, lines } = await bench.board(engine, { mode: "stop" });
			board.stop();
			bench.run(1000);
			board.stop();
			assert.deepEqual(lines(), ["1000 stopping"]);
			board.reset();
			board.stop();
			board.powerOff();
			board.stop();
			assert.deepEqual(lines(), ["1000 stopping"]);
		});
	});
}
