import assert from "node:assert/strict";
import { test } from "node:test";
import { Flash } from "../../../sim/board/flash";
import type { Storage, StorageModule } from "../../../src/device";
import { UPDATE_PATH } from "../../../src/sensor/update/stored-update";
import { VERSION } from "../../../src/version";
import { DamagedValues } from "../../support/damaged-values";
import { MINUTE } from "../support/payloads";
import type { TestBoard } from "../support/test-board";
import { image, type UpdateBoard, updateBoard } from "./support";

/** Storage that cannot be read as long as `isUnreadable` says so, which each opening asks. */
function storageWith(isUnreadable: (path: string) => boolean): StorageModule {
	const flash = new Flash();
	return {
		open: (options): Storage => {
			const storage = flash.open(options);
			if (!isUnreadable(options.path)) return storage;
			return {
				...storage,
				read: () => {
					throw new Error("ESP_ERR_FLASH_OP_FAIL");
				},
			};
		},
	};
}

/** Storage whose state of the update cannot be read when the new image opens it first. */
function unreadAtStart({ flash }: UpdateBoard): { storage: StorageModule; opened(): number } {
	let opened = 0;
	const storage = storageWith((path) => flash.running === 1 && path === UPDATE_PATH && ++opened === 1);
	return { storage, opened: () => opened };
}

/** Counts tries to report in vain with an image on trial. @param onFailed called after each */
function countTries(
	board: TestBoard,
	isOnTrial: () => boolean,
	onFailed: () => void = () => {},
): () => number {
	let tries = 0;
	const push = board.eventLog.push.bind(board.eventLog);
	board.eventLog.push = (...events) => {
		const failed = isOnTrial() ? events.filter(({ name }) => name === "failed").length : 0;
		tries += failed;
		if (failed > 0) onFailed();
		return push(...events);
	};
	return () => tries;
}

test("storage cannot be read at the first start of the new image: its answer still has the id", () => {
	const all = updateBoard();
	const { board, update, answers, phases, flash } = all;
	const { storage, opened } = unreadAtStart(all);
	board.storage = storage;
	board.run(MINUTE / 2);
	update();
	assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
	assert.ok(opened() > 1);
	assert.ok(board.traces.some((line) => line.startsWith("the state of the update cannot be read")));
	assert.deepEqual(answers().slice(1), [{ id: 1, ok: true, state: "running", version: VERSION }]);
	assert.equal(flash.isOnTrial, false);
});

for (const mode of ["deep", "none"])
	test(`${mode}: not at its first start, and it cannot report: its tries are counted once, and the answer says so`, () => {
		const all = updateBoard({ update: { trialWakes: 3 }, sleep: { mode } });
		const { board, update, answers, flash } = all;
		const { storage, opened } = unreadAtStart(all);
		board.storage = storage;
		const tries = countTries(board, () => flash.running === 1);
		board.run(MINUTE / 2);
		update(image("mute"));
		assert.ok(opened() > 1);
		assert.equal(tries(), 3);
		assert.deepEqual(answers().at(-1), {
			id: 1,
			ok: false,
			error: "returned to the image before: no report within 3 wakes",
			state: "failed",
		});
	});

for (const first of ["works", "mute"] as const)
	test(`storage cannot be read during each trial; after an image that ${first === "works" ? "has reported at last" : "was returned from"}, another has all its tries`, () => {
		const { board, update, flash } = updateBoard({ update: { trialWakes: 3 } });
		board.storage = storageWith(() => flash.isOnTrial);
		let tries = 0;
		const count = countTries(
			board,
			() => flash.isOnTrial,
			() => {
				if (++tries === 2 && first === "works") board.wifi = "joins";
			},
		);
		const boot = flash.boot.bind(flash);
		flash.boot = (wakes) => {
			boot(wakes);
			if (flash.isOnTrial && tries === 0 && first === "works") board.wifi = "fails";
		};
		board.run(MINUTE / 2);
		const before = flash.running;
		update(image(first));
		const triesOfFirst = first === "works" ? 2 : 3;
		assert.equal(count(), triesOfFirst);
		assert.equal(flash.running === before, first === "mute");
		const running = flash.running;
		update(image("mute", 6000), { id: 2 });
		assert.equal(flash.running, running);
		assert.equal(count() - triesOfFirst, 3);
	});

test("flash has damaged the state at the first start of the new image: it is confirmed as one without a command", () => {
	const { board, update, answers, phases, flash } = updateBoard();
	const whole = board.storage;
	assert.ok(whole !== undefined);
	const boot = flash.boot.bind(flash);
	let starts = 0;
	flash.boot = (wakes) => {
		boot(wakes);
		if (flash.isOnTrial && ++starts === 1) board.storage = new DamagedValues(whole, ["a", "b"]);
	};
	board.run(MINUTE / 2);
	update();
	assert.equal(starts, 1);
	assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
	assert.ok(!board.traces.some((line) => line.includes("cannot be read")), `${board.traces}`);
	assert.deepEqual(answers().slice(1), [{ ok: true, state: "running", version: VERSION }]);
});
