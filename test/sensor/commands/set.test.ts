import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage, StorageModule } from "../../../src/device";
import { DamagedValues } from "../../support/damaged-values";
import { MINUTE } from "../support/payloads";
import type { SessionBroker } from "../support/session-broker";
import type { TestBoard } from "../support/test-board";
import { commandBoard, executed } from "./support";

/** What the storage does at the write or deletion whose turn it is. */
type Fault = "before" | "torn" | "after" | "fails";

/** Key-value storage that loses power, or fails, at one of its writes. */
class FaultyFlash implements StorageModule {
	readonly values = new Map<string, Uint8Array>();
	/** Writes and deletions until the fault; Infinity: none. */
	left = Infinity;
	fault: Fault = "before";
	/** Openings for settings: after power-on the node looks for an outbox as well. */
	opened = 0;
	/** Whether reads fail. */
	unreadable = false;
	changes = 0;
	onPowerLoss: () => void = () => {};

	open({ path }: { readonly path: string }): Storage {
		if (path !== "outbox") this.opened++;
		const name = (key: string): string => `${path}/${key}`;
		return {
			read: (key, buffer) => {
				if (this.unreadable) throw new Error("ESP_ERR_FLASH_OP_FAIL");
				const value = this.values.get(name(key));
				if (value === undefined) return undefined;
				if (value.length > buffer.length) throw new RangeError("buffer too small");
				buffer.set(value);
				return value.length;
			},
			write: (key, value) => this.#change(name(key), value.slice()),
			// What is not there is not erased: nothing is written.
			delete: (key) => {
				if (this.values.has(name(key))) this.#change(name(key), undefined);
			},
			close() {},
		};
	}

	#change(name: string, value: Uint8Array | undefined): void {
		this.changes++;
		if (--this.left > 0 || this.left < 0) {
			this.#set(name, value);
			return;
		}
		if (this.fault === "after") this.#set(name, value);
		if (this.fault === "torn") this.#set(name, value?.slice(0, value.length >> 1));
		if (this.fault === "fails") throw new Error("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
		this.onPowerLoss();
		throw new PowerLoss();
	}

	#set(name: string, value: Uint8Array | undefined): void {
		if (value === undefined) this.values.delete(name);
		else this.values.set(name, value);
	}
}

class PowerLoss extends Error {}

function boardWithFlash(firefly: object = {}): {
	board: TestBoard;
	broker: SessionBroker;
	flash: FaultyFlash;
} {
	const { board, broker } = commandBoard(firefly);
	const flash = new FaultyFlash();
	board.storage = flash;
	return { board, broker, flash };
}

/** Time between the last two samples, ms. */
function period(board: TestBoard): number {
	const [before, last] = board.events("sample").slice(-2);
	return last.at - before.at;
}

const every = (duration: string, id?: number) => ({
	command: "set",
	...(id === undefined ? {} : { id }),
	settings: { sensors: [{ name: "temperature", every: duration }] },
});

test("set: the new settings hold from the next wake on, through resets and loss of power, and are confirmed by a report", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(MINUTE / 2);
	assert.equal(flash.opened, 1, "after power-on storage is asked");
	board.run(MINUTE);
	assert.equal(flash.opened, 1, "and later only if there is something");
	broker.send(every("20s", 1));
	board.run(2 * MINUTE);
	assert.deepEqual(
		broker.answers.map(({ payload }) => payload),
		[{ command: "set", id: 1, ok: true }],
	);
	assert.equal(period(board), 20_000);
	assert.equal(flash.changes, 2, "the settings, and their confirmation");
	board.reset("reset");
	board.run(2 * MINUTE);
	assert.equal(period(board), 20_000);
	board.losePower();
	board.run(2 * MINUTE);
	assert.equal(period(board), 20_000);
	assert.equal(flash.changes, 2);
	broker.send({ command: "set", settings: {} });
	board.run(3 * MINUTE);
	assert.equal(period(board), MINUTE, "an empty set returns to the firmware's settings");
	assert.equal(board.reportCounts.lost, 0);
});

test("settings that cannot be read after a loss of power hold again once they can; a set meanwhile is refused", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(MINUTE / 2);
	broker.send(every("20s", 1));
	board.run(2 * MINUTE);
	assert.equal(period(board), 20_000);
	const { changes } = flash;
	flash.unreadable = true;
	board.losePower();
	board.run(3 * MINUTE);
	assert.equal(period(board), MINUTE, "the firmware's settings hold meanwhile");
	assert.ok(board.traces.some((line) => line.startsWith("settings cannot be read:")));
	broker.send(every("40s", 2));
	board.run(2 * MINUTE);
	assert.match(String(broker.answers.at(-1)?.payload.error), /^storage: .*FLASH_OP_FAIL/);
	assert.equal(flash.changes, changes);
	flash.unreadable = false;
	board.run(3 * MINUTE);
	assert.equal(period(board), 20_000);
	broker.send(every("40s", 3));
	board.run(3 * MINUTE);
	assert.equal(broker.answers.at(-1)?.payload.ok, true);
	assert.equal(period(board), 40_000);
});

test("settings that cannot be read after a loss of power hold again once they can, also if nobody sends others", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(MINUTE / 2);
	broker.send(every("20s", 1));
	board.run(2 * MINUTE);
	flash.unreadable = true;
	board.losePower();
	board.run(3 * MINUTE);
	assert.equal(period(board), MINUTE);
	flash.unreadable = false;
	board.run(3 * MINUTE);
	assert.equal(period(board), 20_000);
});

test("flash has damaged the newest settings: those before hold from the same start on", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(MINUTE / 2);
	broker.send(every("20s", 1));
	board.run(2 * MINUTE);
	broker.send(every("40s", 2));
	board.run(3 * MINUTE);
	assert.equal(period(board), 40_000);
	const newest = [...flash.values.keys()].filter((key) => /\/[abc]$/.test(key)).at(-1);
	const damaged = new DamagedValues(flash, [String(newest?.slice(-1))]);
	board.storage = damaged;
	board.losePower();
	board.run(MINUTE);
	assert.equal(damaged.reads.size, 0, "it was read, and is gone");
	assert.equal(period(board), 20_000);
	assert.ok(!board.traces.some((line) => line.includes("cannot be read")), `${board.traces}`);
});

test("what is wrong is refused with path and reason, and nothing is written", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(1000);
	const cases: [settings: unknown, error: string][] = [
		[{ sleep: { awakeLimit: "1x" } }, 'settings.sleep.awakeLimit: "1x" is not a duration'],
		[{ wifi: { password: "secret99" } }, "settings.wifi.password: the password cannot be set by a command"],
		[{ id: "x" }, 'settings.id: "x" cannot be set by a command'],
		[[], "settings is not an object"],
		[undefined, "settings is not an object"],
	];
	for (const [settings, error] of cases) {
		broker.send({ command: "set", settings });
		board.run(MINUTE);
		assert.equal(broker.answers.at(-1)?.payload.error, error);
	}
	assert.equal(flash.changes, 0);
	assert.ok(executed(board).every((name) => name === "set refused"));
});

test("settings that are too long, a device without storage, and a storage that fails: refused, the old ones hold", () => {
	const { board, broker, flash } = boardWithFlash({
		broker: { receiveBuffer: 2048 },
		sensors: Array.from({ length: 16 }, (_, i) => ({
			name: `temperature-${i}`,
			driver: "virtual",
			property: "temperature",
		})),
	});
	board.run(1000);
	const sensors = board.settings.sensors.map(({ name }) => ({ name, every: "20s", retain: false }));
	broker.send({ command: "set", settings: { sensors } });
	board.run(MINUTE);
	assert.match(
		String(broker.answers.at(-1)?.payload.error),
		/^the settings take \d+ bytes; at most 512 are kept$/,
	);
	flash.left = 1;
	flash.fault = "fails";
	broker.send({ command: "set", settings: { sleep: { awakeLimit: "20s" } } });
	board.run(MINUTE);
	assert.match(String(broker.answers.at(-1)?.payload.error), /^storage: .*NOT_ENOUGH_SPACE/);
	board.storage = undefined;
	broker.send({ command: "set", settings: {} });
	board.run(MINUTE);
	assert.equal(broker.answers.at(-1)?.payload.error, "this device has no storage");
	assert.equal(board.reportCounts.lost, 0);
});

test("settings with which the node cannot report are given up after trialWakes wakes; the host is told", () => {
	const { board, broker } = boardWithFlash({ commands: { trialWakes: 4 }, backoff: { minimum: "5m" } });
	board.run(MINUTE / 2);
	broker.send(every("30s", 1));
	board.run(2 * MINUTE);
	broker.send({ command: "set", id: 2, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
	board.run(MINUTE);
	const { connections } = broker;
	board.run(90 * MINUTE);
	assert.deepEqual(executed(board), ["set", "set", "restored refused"]);
	const [, set, restored] = board.events("command");
	const tries = board.events("failed").filter(({ at }) => at > set.at && at < restored.at);
	assert.equal(tries.length, 4);
	assert.ok(board.events("wake").length > 20, "wakes with nothing to report do not count");
	assert.ok(broker.connections > connections);
	assert.deepEqual(broker.answers.at(-1)?.payload, {
		command: "set",
		ok: false,
		error: "restored the settings before: no report within 4 wakes",
	});
	board.run(5 * MINUTE + 1000);
	assert.equal(period(board), 30_000, "the settings before are those of the first set");
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.reportCounts.waiting, 0);
});

test("a set that comes before the report that confirms the one in force: it is not what is confirmed", () => {
	const { board, broker } = boardWithFlash({ commands: { trialWakes: 4 }, backoff: { minimum: "5m" } });
	board.run(MINUTE / 2);
	broker.send(every("30s", 1));
	while (executed(board).length === 0) board.run(1000);
	broker.send({ command: "set", id: 2, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
	board.run(90 * MINUTE);
	const order = board.eventLog.map(({ name }) => name);
	const second = order.lastIndexOf("command", order.lastIndexOf("command") - 1);
	assert.equal(order.indexOf("acknowledged", second) - second, 1, "the acknowledgement follows the command");
	assert.deepEqual(executed(board), ["set", "set", "restored refused"]);
	board.run(5 * MINUTE + 1000);
	assert.equal(
		period(board),
		30_000,
		"the settings before are those of the first set, which a report confirmed",
	);
	assert.equal(board.reportCounts.lost, 0);
});

test("set of sleep.mode to light: the host is asked for it at the next start, no sooner", () => {
	const { board, broker } = boardWithFlash({ sleep: { mode: "none" } });
	const boots: number[] = [];
	board.light = () => {
		boots.push(board.boots);
	};
	board.run(10_000);
	assert.deepEqual(boots, []);
	broker.send({ command: "set", id: 1, settings: { sleep: { mode: "light" } } });
	board.run(2 * MINUTE);
	assert.deepEqual(boots, [2]);
	assert.equal(board.boots, 2);
});

test("a node that stays connected starts anew with the settings, and without a report restores those before", () => {
	const { board, broker } = boardWithFlash({
		sleep: { mode: "none" },
		backoff: { minimum: "1s", maximum: "1s" },
	});
	board.run(10_000);
	broker.send(every("20s", 1));
	board.run(2 * MINUTE);
	assert.equal(period(board), 20_000);
	assert.equal(board.boots, 2);
	assert.equal(broker.answers.length, 1);
	broker.send({ command: "set", id: 2, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
	board.run(2 * MINUTE);
	assert.deepEqual(executed(board), ["set", "set", "restored refused"]);
	assert.equal(broker.answers.at(-1)?.payload.ok, false);
	assert.equal(period(board), 20_000);
});

for (const trialWakes of [1, 2, 4])
	test(`a node that stays connected, trialWakes ${trialWakes}: as many tries in vain, then the settings before`, () => {
		const { board, broker } = boardWithFlash({
			commands: { trialWakes },
			sleep: { mode: "none" },
			backoff: { minimum: "1s", maximum: "1s" },
		});
		board.run(10_000);
		broker.send({ command: "set", id: 1, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
		board.run(5 * MINUTE);
		assert.deepEqual(executed(board), ["set", "restored refused"]);
		const [set, restored] = board.events("command");
		const tries = board.events("failed").filter(({ at }) => at > set.at && at < restored.at);
		assert.equal(tries.length, trialWakes);
	});

test("the last of several sets holds; one that replaces settings on trial returns to the confirmed ones", () => {
	const { board, broker } = boardWithFlash();
	board.run(MINUTE / 2);
	broker.send(every("30s", 1));
	board.run(3 * MINUTE);
	broker.send({ command: "set", id: 2, settings: { broker: { url: "mqtt://10.0.0.1:1998" } } });
	broker.send({ command: "set", id: 3, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
	board.run(20 * MINUTE);
	assert.deepEqual(executed(board), ["set", "set", "set", "restored refused"]);
	assert.equal(period(board), 30_000);
	broker.send(every("15s", 4));
	board.run(3 * MINUTE);
	assert.equal(period(board), 15_000);
});

for (const fault of ["before", "torn", "after"] as const)
	test(`loss of power ${fault} each write of set: the settings are the old or the new ones, and it is answered`, () => {
		const reached: number[] = [];
		// Writes: of the first set, its confirmation, of the second set, its confirmation
		for (let write = 1; write <= 6; write++) {
			const { board, broker, flash } = boardWithFlash();
			flash.onPowerLoss = () => board.losePower();
			board.run(MINUTE / 2);
			flash.left = write;
			flash.fault = fault;
			broker.send(every("30s", 1));
			board.run(2 * MINUTE);
			const first = period(board);
			// Less: loss of power makes the sensors due
			assert.ok(first === 30_000 || first === MINUTE || first < 20_000, `write ${write}: ${first}`);
			board.run(3 * MINUTE);
			assert.equal(period(board), 30_000, `write ${write}: the command is repeated until it is executed`);
			broker.send(every("20s", 2));
			board.run(MINUTE);
			const between = period(board);
			assert.ok(between === 30_000 || between === 20_000 || between < 20_000, `write ${write}: ${between}`);
			board.run(4 * MINUTE);
			assert.equal(period(board), 20_000, `write ${write}`);
			for (const id of [1, 2])
				assert.ok(
					broker.answers.some(({ payload }) => payload.id === id && payload.ok === true),
					`write ${write}: ${id}`,
				);
			assert.equal(broker.waiting, 0);
			if (flash.left <= 0) reached.push(write);
		}
		assert.deepEqual(reached, [1, 2, 3, 4]);
	});

for (const fault of ["before", "torn", "after"] as const)
	test(`loss of power ${fault} each deletion when settings are given up: the node returns to those before`, () => {
		for (let change = 1; change <= 3; change++) {
			const { board, broker, flash } = boardWithFlash({ commands: { trialWakes: 2 } });
			flash.onPowerLoss = () => board.losePower();
			board.run(MINUTE / 2);
			broker.send(every("30s", 1));
			board.run(3 * MINUTE);
			broker.send({ command: "set", id: 2, settings: { broker: { url: "mqtt://10.0.0.1:1998" } } });
			broker.send({ command: "set", id: 3, settings: { broker: { url: "mqtt://10.0.0.1:1999" } } });
			board.run(MINUTE / 2);
			flash.left = change;
			flash.fault = fault;
			board.run(30 * MINUTE);
			assert.equal(period(board), 30_000, `change ${change}`);
			assert.equal(board.reportCounts.waiting, 0);
		}
	});

test("a reset between the write and its record, and the session lost: the settings in storage hold, now and after loss of power", () => {
	const { board, broker, flash } = boardWithFlash();
	board.run(MINUTE / 2);
	flash.left = 1;
	flash.fault = "after";
	flash.onPowerLoss = () => {
		broker.loseSession();
		board.crash();
	};
	broker.send(every("20s", 1));
	board.run(3 * MINUTE);
	const { length } = broker.answers;
	assert.equal(length, 0, "the command is gone");
	assert.equal(period(board), 20_000);
	board.losePower();
	board.run(3 * MINUTE);
	assert.equal(period(board), 20_000);
});

test("a reset at every byte that set writes to retained memory: the settings are the old or the new ones, and it is answered", () => {
	const { board, broker } = boardWithFlash();
	board.run(MINUTE / 2);
	let resets = 0;
	for (let budget = 0, id = 1; budget < 2500; budget += 13, id++) {
		const seconds = 20 + (id % 2) * 10;
		broker.send(every(`${seconds}s`, id));
		board.retained.writeBudget = budget;
		board.run(MINUTE);
		if (board.retained.writeBudget === Infinity) resets++;
		board.retained.writeBudget = Infinity;
		board.run(4 * MINUTE);
		assert.equal(period(board), seconds * 1000, `budget ${budget}`);
		assert.ok(
			broker.answers.some(({ payload }) => payload.id === id && payload.ok === true),
			`budget ${budget}`,
		);
	}
	assert.ok(resets > 50, `${resets} resets`);
});
