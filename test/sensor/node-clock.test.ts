import assert from "node:assert/strict";
import { test } from "node:test";
import type { WakeReason } from "../../src/device";
import { REAL_ORDERED_SLEEP, REAL_WALL_TIME } from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import { NodeClock } from "../../src/sensor/time/node-clock";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import { EPOCH, TestBoard } from "./support/test-board";

/** A time server that answers within 50 ms. */
function answerWithTime(board: TestBoard): NonNullable<TestBoard["setClock"]> {
	return (_, callback) => {
		board.network.clock.after(50, () => {
			board.clockIsSet = true;
			board.wallErrorMs = 0;
			callback(true);
		});
	};
}

test("times of samples taken before the clock was set are corrected", () => {
	const board = new TestBoard({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	board.wallErrorMs = -EPOCH;
	board.wifi = "fails";
	board.setClock = (server, callback) => {
		assert.equal(server, "time");
		board.network.clock.after(50, () => {
			board.clockIsSet = true;
			board.wallErrorMs = 0;
			callback(true);
		});
	};
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(5 * MINUTE - 1);
	board.wifi = "joins";
	board.run(30 * MINUTE);
	const times = payloads(broker).map((payload) => Date.parse((JSON.parse(payload) as { time: string }).time));
	assert.deepEqual(
		times.slice(0, 10),
		Array.from({ length: 10 }, (_, i) => EPOCH + i * MINUTE),
	);
	assert.equal(board.reportCounts.lost, 0);
});

test("a configuration without a valid CONNECT on a node without the time: one join for the time, one trace, and nothing else", () => {
	for (const mode of ["deep", "none"] as const) {
		const board = new TestBoard({
			time: { server: "time" },
			broker: { clientId: "\u0000" },
			sleep: { mode },
		});
		board.clockIsSet = false;
		board.wallErrorMs = -EPOCH;
		board.setClock = answerWithTime(board);
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(24 * HOUR);
		assert.deepEqual([board.events("join").length, broker.connections.length], [1, 0]);
		assert.deepEqual(
			board.events("failed").map(({ details }) => details),
			[["configuration", 0, 1]],
		);
		assert.equal(board.traces.filter((line) => line.startsWith("nothing can be reported")).length, 1);
		assert.equal(board.events("limit").length, 0, mode);
	}
});

test("a reset between a sample and the first time, and a clock that begins anew: dated late by what nobody counted, no more", () => {
	for (const [reason, resetAt, clockGoesOn] of [
		["reset", 150_000, false],
		["reset", 179_000, false],
		["watchdog", 121_000, false],
		["brown-out", 150_000, false],
		["reset", 179_000, true],
		["watchdog", 121_000, true],
	] as const) {
		const board = new TestBoard({ payload: "json", time: { server: "time" } });
		board.clockIsSet = false;
		board.wallErrorMs = -EPOCH;
		board.wifi = "fails";
		board.setClock = answerWithTime(board);
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(resetAt);
		const before = board.events("sample").length;
		// The last commit was before the sleep that the reset has ended: what has passed since is unknown.
		const uncounted = resetAt - board.events("sleep").at(-1)!.at;
		board.reset(reason);
		if (!clockGoesOn) board.wallErrorMs = -EPOCH - board.time;
		board.run(3 * MINUTE);
		board.wifi = "joins";
		board.run(30 * MINUTE);
		const dated = payloads(broker).map((text) => Date.parse((JSON.parse(text) as { time: string }).time));
		const taken = board.events("sample").map(({ at }) => EPOCH + at);
		assert.equal(before, 3);
		assert.ok(dated.length > 10);
		for (const [i, time] of dated.entries()) {
			const late = time - taken[i]!;
			const isLate = i < before && !clockGoesOn;
			assert.ok(isLate ? late > 0 && late <= uncounted : late === 0, `${reason}, ${i}: ${late}`);
			assert.ok(i === 0 || time >= dated[i - 1]!);
		}
	}
});

test("a reset soon after the first answer of the time server: samples from before both are dated right", () => {
	const board = new TestBoard({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	board.wallErrorMs = -EPOCH;
	board.setClock = (_, callback) => {
		board.network.clock.after(50, () => {
			board.clockIsSet = true;
			board.wallErrorMs = 0;
			callback(true);
		});
	};
	let isSilent = true;
	const broker = new ScriptedBroker(board.network, 1883, { answer: () => isSilent });
	board.run(4000);
	assert.ok(broker.commands.includes("connect"));
	isSilent = false;
	board.reset("reset");
	board.run(MINUTE / 2);
	const [first] = payloads(broker).slice(-1);
	assert.equal((JSON.parse(first!) as { time: string }).time, new Date(EPOCH).toISOString());
	assert.deepEqual(
		board.events("sample").map(({ at }) => at),
		[0],
	);
});

test("no answer from the time server: reports are sent without a time", () => {
	for (const setClock of [
		() => {},
		() => {
			throw new Error("no");
		},
		(_: string, callback: (set: boolean) => void) => callback(false),
	]) {
		const board = new TestBoard({ payload: "json", time: { server: "time" } });
		board.clockIsSet = false;
		board.wallErrorMs = -EPOCH;
		board.setClock = setClock;
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(2 * MINUTE);
		assert.equal(payloads(broker)[0], '{"seq":1,"time":null,"temperature":20}');
		assert.ok(board.longestAwakeMs <= 8000);
	}
});

test("a host that loses wall time in sleep: the time is known after the first answer", () => {
	const board = new TestBoard({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	let asked = 0;
	board.setClock = (_, callback) => {
		asked++;
		board.clockIsSet = true;
		callback(true);
	};
	const broker = new ScriptedBroker(board.network, 1883);
	for (let i = 0; i < 10; i++) {
		board.run(i === 0 ? 30_000 : MINUTE);
		board.clockIsSet = false;
	}
	assert.equal(asked, 1);
	const times = payloads(broker).map((payload) => (JSON.parse(payload) as { time: string }).time);
	assert.deepEqual(
		times,
		Array.from({ length: 10 }, (_, i) => new Date(EPOCH + i * MINUTE).toISOString()),
	);
});

test("sleep that lasts longer than ordered, and boot time, are compensated: the grid is kept", () => {
	for (const drift of [0.02, -0.03]) {
		const board = new TestBoard({ sensors: [{ grid: true }] });
		board.sleepDrift = drift;
		board.bootTimeMs = 300;
		new ScriptedBroker(board.network, 1883);
		board.run(2 * HOUR - 1000);
		const samples = board.events("sample");
		assert.ok(samples.length >= 119 && samples.length <= 121, `${samples.length} samples`);
		for (const { at } of samples.slice(30))
			assert.ok((at + 30_000) % MINUTE >= 29_500 && (at + 30_000) % MINUTE < 30_500, `${at % MINUTE}`);
		assert.ok(board.boots <= samples.length + 8, `${board.boots} boots for ${samples.length} samples`);
	}
});

test("a clock that jumps causes neither a double wake nor a burst", () => {
	const board = new TestBoard({ sensors: [{ grid: true }] });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(10 * MINUTE - 1);
	board.wallErrorMs = 7 * HOUR + 20_000;
	board.run(10 * MINUTE);
	board.wallErrorMs = -5 * HOUR - 10_000;
	board.run(10 * MINUTE);
	const samples = board.events("sample");
	assert.ok(samples.length >= 28 && samples.length <= 31);
	for (let i = 1; i < samples.length; i++) assert.ok(samples[i].at - samples[i - 1].at >= 29_000);
	assert.equal(payloads(broker).length, samples.length);
});

test("a reboot after a jump of the clock takes no sample twice, and keeps to the new grid", () => {
	for (const jump of [20_000, -20_000, 7 * HOUR + 25_000, -5 * HOUR - 10_000])
		for (const resetAfter of [50, 250, 400, 10_000, 45_000])
			for (const reason of ["reset", "crash"] as const) {
				const board = new TestBoard({ sensors: [{ grid: true }] });
				const broker = new ScriptedBroker(board.network, 1883);
				board.run(10 * MINUTE - 1);
				board.wallErrorMs = jump;
				const before = board.boots;
				while (board.boots === before) board.run(10);
				board.run(resetAfter);
				board.reset(reason);
				board.run(20 * MINUTE);
				while (board.eventLog.at(-1)?.name !== "sleep") board.run(100);
				const { length } = board.events("sample");
				assert.ok(Math.abs(length - board.time / MINUTE) <= 2, `${jump}, ${resetAfter}: ${length} samples`);
				const times = board.events("sample").map(({ at }) => at);
				for (let i = 1; i < times.length; i++)
					assert.ok(times[i] - times[i - 1] >= 29_000, `${times[i] - times[i - 1]} ms apart`);
				for (const at of times.slice(-15)) {
					const offGrid = (((EPOCH + at + jump + 30_000) % MINUTE) + MINUTE) % MINUTE;
					assert.ok(Math.abs(offGrid - 30_000) < 300, `${offGrid - 30_000} ms off the grid`);
				}
				assert.equal(board.reportCounts.lost, 0);
				assert.ok(payloads(broker).length >= length - 1);
			}
});

test("a time server that never answers is queried more and more rarely; other wakes stay short", () => {
	for (const known of [false, true]) {
		const board = new TestBoard({ payload: "json", time: { server: "time" } });
		board.clockIsSet = known;
		if (!known) board.wallErrorMs = -EPOCH;
		const asked: number[] = [];
		board.setClock = () => asked.push(board.time);
		const broker = new ScriptedBroker(board.network, 1883);
		// A clock that is already set is checked after a day.
		if (known) board.run(24 * HOUR - 1);
		assert.equal(asked.length, 0);
		const startTime = board.time;
		board.run(24 * HOUR - 1);
		assert.ok(asked.length >= 8 && asked.length <= 24, `asked ${asked.length} times`);
		assert.ok(asked.filter((time) => time - startTime > 6 * HOUR).length <= 14);
		const awake = board
			.events("sleep")
			.filter(({ at, details: [, , awakeMs] }) => at >= startTime && awakeMs >= 3000).length;
		assert.equal(
			awake,
			known ? 0 : asked.length,
			"only a wake that asks waits, and only where no time is known",
		);
		assert.ok(payloads(broker).length >= Math.floor((board.time - startTime) / MINUTE));
		assert.equal(board.reportCounts.lost, 0);
	}
});

test("a time server that answers again is used, and queried again after a day", () => {
	const board = new TestBoard({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	board.wallErrorMs = -EPOCH;
	const asked: number[] = [];
	let alive = false;
	board.setClock = (_, callback) => {
		asked.push(board.time);
		if (!alive) return;
		board.clockIsSet = true;
		board.wallErrorMs = 0;
		callback(true);
	};
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(3 * HOUR);
	assert.ok(payloads(broker).every((payload) => payload.includes('"time":null')));
	alive = true;
	const before = asked.length;
	board.run(12 * HOUR);
	assert.equal(asked.length, before + 1);
	assert.ok(payloads(broker).at(-1)?.includes('"time":"2015-02-0'));
	board.run(24 * HOUR);
	assert.equal(asked.length, before + 2);
});

test("an interval with a crash is not used to estimate drift", () => {
	for (const crashPause of [0, 60_000]) {
		const board = new TestBoard({ sensors: [{ every: 15 * MINUTE }] });
		board.crashPauseMs = crashPause;
		new ScriptedBroker(board.network, 1883);
		board.run(HOUR);
		for (let i = 0; i < 20; i++) {
			// Resets while Wi-Fi joins, or during a sleep.
			const next = (board.events("wake").at(-1)?.at ?? 0) + 15 * MINUTE;
			board.run(next - board.time + (i % 2 === 0 ? 50 : 200_000));
			board.reset(i % 2 === 0 ? "crash" : "reset");
			board.run(2 * MINUTE);
		}
		for (const { at, details } of board.events("sleep").slice(-30)) {
			const [requestedMs] = details;
			const samples = board.events("sample").filter((sample) => sample.at >= at);
			if (samples.length > 0 && samples[0].at - at > 10 * MINUTE)
				assert.ok(
					Math.abs(samples[0].at - at - requestedMs) <= 1,
					`${requestedMs} ms ordered, ${samples[0].at - at} slept`,
				);
		}
		assert.equal(board.reportCounts.lost, 0);
	}
});

for (const { name, reason, orderedSleep, marked, clockIsSet, known } of [
	{
		name: "a sleep",
		reason: "deep-sleep",
		orderedSleep: 60_000,
		marked: false,
		clockIsSet: false,
		known: true,
	},
	{ name: "a reset", reason: "reset", orderedSleep: 60_000, marked: false, clockIsSet: false, known: false },
	{
		name: "a crash, then a pause",
		reason: "deep-sleep",
		orderedSleep: 60_000,
		marked: true,
		clockIsSet: false,
		known: false,
	},
	{
		name: "a reset, with a clock that goes on",
		reason: "reset",
		orderedSleep: 0,
		marked: false,
		clockIsSet: true,
		known: true,
	},
] as const)
	test(`after ${name} the time that has passed is ${known ? "known" : "unknown"}`, () => {
		const retained = new RetainedState(new Uint8Array(2048), 1, 7, 1024);
		retained.restore();
		retained.reals[REAL_ORDERED_SLEEP] = orderedSleep;
		retained.reals[REAL_WALL_TIME] = Date.now() - 60_000;
		retained.clearBootMark();
		if (marked) retained.markBoot();
		const clock = new NodeClock({ clockIsSet, time: { ticks: 0, delta: () => 0 } }, retained);
		assert.equal(clock.restore(reason), known);
		assert.equal(clock.now > 0, known);
	});

for (const { name, reason, shown = 10_000, shows, passed } of [
	{ name: "a sleep", reason: "deep-sleep", shows: 70_300, passed: 60_300 },
	{ name: "a sleep from before 1970 on", reason: "deep-sleep", shown: -5000, shows: 55_300, passed: 55_300 },
	{ name: "a reset", reason: "reset", shows: 14_000, passed: 4000 },
	{ name: "a sleep in which it began anew", reason: "deep-sleep", shows: 300, passed: 60_000 },
	{ name: "a sleep in which it began anew later", reason: "deep-sleep", shows: 10_300, passed: 60_000 },
	{ name: "a reset with which it began anew", reason: "reset", shows: 300, passed: undefined },
] as { name: string; reason: WakeReason; shown?: number; shows: number; passed: number | undefined }[])
	test(`a clock that was never set, after ${name}: ${passed ?? "an unknown number of"} ms have passed`, () => {
		const { now } = Date;
		const retained = new RetainedState(new Uint8Array(2048), 1, 7, 1024);
		const device = { clockIsSet: false, time: { ticks: 0, delta: () => 0 } };
		try {
			Date.now = () => shown;
			retained.restore();
			new NodeClock(device, retained).saveTimes(60_000);
			retained.clearBootMark();
			Date.now = () => shows;
			const clock = new NodeClock(device, retained);
			assert.equal(clock.restore(reason), passed !== undefined);
			assert.equal(clock.now, passed ?? 0);
			assert.ok(Number.isNaN(clock.wallOffset));
		} finally {
			Date.now = now;
		}
	});

for (const setFirst of [false, true])
	test(`a reset just ${setFirst ? "after" : "before"} the clock is set: what waits is dated by the clock that the boot finds`, () => {
		const board = new TestBoard({ payload: "json", time: { server: "time" } });
		board.clockIsSet = false;
		board.wallErrorMs = -EPOCH;
		board.wifi = "fails";
		board.run(2 * MINUTE + 1000);
		board.wifi = "joins";
		let requests = 0;
		board.setClock = (_, callback, before) => {
			const isFirst = ++requests === 1;
			board.network.clock.after(50, () => {
				before?.(EPOCH + board.time);
				if (setFirst || !isFirst) {
					board.clockIsSet = true;
					board.wallErrorMs = 0;
				}
				if (isFirst) board.reset("reset");
				else callback(true);
			});
		};
		board.run(20 * MINUTE);
		assert.equal(requests, setFirst ? 1 : 2);
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(20 * MINUTE);
		const dated = payloads(broker).map((text) => Date.parse((JSON.parse(text) as { time: string }).time));
		assert.deepEqual(
			dated,
			board.events("sample").map(({ at }) => EPOCH + at),
		);
		assert.ok(dated.length > 3 && dated[0] === EPOCH);
		assert.equal(board.reportCounts.lost, 0);
	});
