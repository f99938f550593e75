import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../../../src/device";
import { PowerCut, PowerCutStorage } from "../../broker/support/power-cut-storage";
import { MINUTE } from "../support/payloads";
import { image, updateBoard } from "./support";

type Board = ReturnType<typeof updateBoard>;
type Kind = "loss of power" | "reset";

/**
 * Ends the board's run in the middle of what it does: what the program does afterwards in this turn is not.
 */
function interrupt({ board }: Board, kind: Kind): never {
	if (kind === "reset") board.crash();
	else board.losePower();
	board.retained.isReset = true;
	throw new PowerCut();
}

/** What an hour after the command must be so, however it was interrupted. @returns the outcome */
function outcome({ board, flash, answers, server }: Board, at: string): string {
	const last = answers().at(-1) as { readonly ok: boolean; readonly state?: string; readonly error?: string };
	assert.ok(last?.state === "running" || last?.state === "failed", `${at}: ${JSON.stringify(answers())}`);
	assert.equal(last.ok, flash.running === 1, at);
	assert.equal(flash.isOnTrial, false, at);
	if (flash.running === 1)
		assert.deepEqual(flash.runningImage?.subarray(0, server.body.length), server.body, at);
	// Whatever runs starts again
	board.losePower();
	board.run(5 * MINUTE);
	assert.equal(flash.running, last.ok ? 1 : 0, at);
	return last.ok ? "running" : String(last.error);
}

for (const kind of ["loss of power", "reset"] as const)
	test(`${kind} before every change of flash, from the first erasure to the confirmation: an image runs, and the outcome is told`, () => {
		const outcomes = new Map<string, number>();
		let cuts = 0;
		for (let step = 1; ; step++) {
			const all = updateBoard();
			all.board.run(MINUTE / 2);
			let left = step;
			let isCut = false;
			all.flash.onStep = () => {
				if (all.board.retained.isReset) throw new PowerCut();
				if (--left !== 0) return;
				isCut = true;
				interrupt(all, kind);
			};
			all.update();
			const result = outcome(all, `step ${step}`);
			outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
			if (!isCut) break;
			cuts++;
		}
		assert.ok(cuts > 10, `${cuts} cuts`);
		// On trial until the confirmation is being written: the bootloader returns
		const returned = "returned to the image before: the new one was reset before it could report";
		assert.deepEqual([...outcomes.keys()], ["running", returned]);
		assert.equal(outcomes.get(returned), 1);
	});

for (const tornWrite of ["old", "part", "none"] as const)
	test(`loss of power at every byte that an update stores, leaving ${tornWrite} of the value: an image runs, and the outcome is told`, () => {
		let cuts = 0;
		for (let byte = 0; ; byte += 23) {
			const all = updateBoard();
			const { board } = all;
			let storage = new PowerCutStorage();
			storage.tornWrite = tornWrite;
			board.storage = {
				open: ({ path }): Storage => {
					const opened = storage.open();
					const change = (code: () => void): void => {
						try {
							code();
						} catch (error) {
							if (error instanceof PowerCut && !board.retained.isReset) {
								cuts++;
								storage = new PowerCutStorage(storage.values);
								interrupt(all, "loss of power");
							}
							throw error;
						}
					};
					return {
						read: (key, buffer) => opened.read(`${path}/${key}`, buffer),
						write: (key, value) => change(() => opened.write(`${path}/${key}`, value)),
						delete: (key) => change(() => opened.delete(`${path}/${key}`)),
						close: () => opened.close(),
					};
				},
			};
			board.run(MINUTE / 2);
			storage.cutAtByte = storage.writtenBytes + byte;
			const before = cuts;
			all.update();
			const result = outcome(all, `byte ${byte}`);
			assert.ok(result === "running" || /returned to the image before/.test(result), result);
			if (cuts === before) break;
		}
		assert.ok(cuts > 30, `${cuts} cuts`);
	});

test("the network is lost after every number of bytes, head and image: tried again, and the image runs", () => {
	const { length } = image();
	for (let bytes = 0; bytes <= length + 80; bytes += bytes < 120 ? 7 : 311) {
		const all = updateBoard();
		const { board, server } = all;
		board.run(MINUTE / 2);
		const head = server.head();
		if (bytes < head.length) {
			server.head = () => head.slice(0, bytes);
			server.sends = 0;
		} else server.sends = bytes - head.length;
		board.network.clock.after(MINUTE, () => {
			server.head = () => head;
			server.sends = Infinity;
		});
		all.update();
		assert.equal(outcome(all, `${bytes} bytes`), "running");
		assert.equal(board.reportCounts.dropped, 0);
	}
});

test("the power is lost in each try: the update is given up after the last one", () => {
	const all = updateBoard();
	const { board, flash, phases, answers } = all;
	board.run(MINUTE / 2);
	let writes = 0;
	flash.onStep = () => {
		if (board.retained.isReset) throw new PowerCut();
		if (++writes % 3 === 0) interrupt(all, "loss of power");
	};
	all.update();
	assert.equal(phases().filter((phase) => phase === "fetching").length, 3);
	assert.equal(phases().at(-1), "failed");
	assert.deepEqual(answers().at(-1), {
		id: 1,
		ok: false,
		error: "3 tries were interrupted",
		state: "failed",
	});
	assert.equal(flash.running, 0);
});

for (const kind of ["loss of power", "reset"] as const)
	test(`${kind} at each activation: the tries are counted all the same, and the update is given up after the last one`, () => {
		const all = updateBoard();
		const { board, flash, server, answers } = all;
		board.run(MINUTE / 2);
		const open = flash.open.bind(flash);
		flash.open = () => ({ ...open(), activate: () => interrupt(all, kind) });
		all.update();
		assert.equal(server.requests.length, 3);
		assert.deepEqual(answers().at(-1), {
			id: 1,
			ok: false,
			error: "3 tries were interrupted",
			state: "failed",
		});
		assert.equal(flash.running, 0);
	});
