import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { countsJSON } from "../../../cli/board/comparison";
import { RunCounts } from "../../../cli/board/run-counts";
import { simulationEvent } from "../../../sim/report/firmware-event";
import type { DeviceEvent } from "../../../src/device-events";
import { ANSWER_PAYLOAD_LIMIT, SUMMARY_PAYLOAD_LIMIT } from "../../../src/sensor/commands/answer-area";
import { writeSummary } from "../../../src/sensor/commands/summary-text";
import { headerSize } from "../../../src/sensor/retained/layout";
import { RetainedState } from "../../../src/sensor/retained/retained-state";
import { COUNT_DOUBLES } from "../../../src/sensor/retained/run-counts";
import { windowSize } from "../../../src/sensor/retained/sample-window";
import { HOUR, MINUTE } from "../support/payloads";
import type { TestBoard } from "../support/test-board";
import { commandBoard, commandSettings, executed } from "./support";

type Summary = Readonly<Record<string, number>>;

/** What the events of the node's console come to, from one of them on, before its n-th `summary`. */
function consoleCounts(board: TestBoard, from = 0, nth = 1): Summary {
	const counts = new RunCounts();
	let left = nth;
	for (const { at, name, details } of board.eventLog.slice(from)) {
		if (name === "command" && details[0] === "summary" && --left === 0) {
			counts.end(at);
			break;
		}
		const event =
			name === "closed"
				? ({ type: "exchange", sent: 0, received: 0, roundTrips: 0, reports: 0 } as const)
				: simulationEvent([name, ...details] as DeviceEvent, [], () => "deep-sleep");
		if (event !== undefined) counts.event({ time: at, node: "node", ...event });
	}
	const { awake, ...rest } = countsJSON(counts) as { awake: Summary };
	const { total: _, ...parts } = awake;
	return { ...rest, ...parts };
}

function askedFor(
	board: TestBoard,
	broker: ReturnType<typeof commandBoard>["broker"],
	wait: number,
): Summary {
	const { length } = broker.answers;
	broker.send("summary");
	board.run(wait);
	assert.equal(broker.answers.length, length + 1);
	const { payload } = broker.answers.at(-1)!;
	assert.equal(payload.ok, true);
	return payload.summary as Summary;
}

describe("summary: what the node has done since power-on", () => {
	test("half a day with a deadband and outages of Wi-Fi and broker: what its console has told", () => {
		const { board, broker } = commandBoard({
			sensors: [
				{ name: "temperature", driver: "virtual", every: "60s", delta: 1.5, heartbeat: "30m" },
				{ name: "mean", driver: "virtual", property: "temperature", samples: 3, spacing: "50ms", delta: 3 },
			],
		});
		board.sample = (time) => ({ temperature: Math.sin(time / HOUR) * 20 });
		for (let hour = 0; hour < 12; hour++) {
			board.wifi = hour % 4 === 1 ? "fails" : hour % 4 === 2 ? "silent" : "joins";
			board.run(20 * MINUTE);
			board.wifi = "joins";
			broker.refusal = hour % 4 === 3 ? 0x88 : 0;
			board.run(10 * MINUTE);
			broker.refusal = 0;
			board.run(30 * MINUTE);
		}
		const summary = askedFor(board, broker, HOUR);
		assert.deepEqual(summary, consoleCounts(board));
		for (const [name, least] of Object.entries({ wakes: 700, failed: 5, limits: 5 }))
			assert.ok(summary[name]! >= least, `${name} ${summary[name]}`);
		assert.ok(summary.joining! > summary.joins! * board.joinTimeMs && summary.other! > 30_000);
		assert.equal(summary.accepted! - summary.acknowledged! - summary.waiting! - summary.dropped!, 0);
	});

	test("reports that were sent twice, and dropped ones, are counted", () => {
		const { board, broker } = commandBoard({ outbox: { size: 256 } });
		board.run(MINUTE / 2);
		broker.cut = { direction: "to the node", bytes: 6 };
		board.run(MINUTE);
		board.wifi = "fails";
		board.run(3 * HOUR);
		board.wifi = "joins";
		const summary = askedFor(board, broker, HOUR);
		assert.deepEqual(summary, consoleCounts(board));
		assert.ok(summary.repeated! > 0 && summary.dropped! > 50, JSON.stringify(summary));
	});

	test("a crash: the counts go on; the time of the wake that it has ended is not counted", () => {
		const { board, broker } = commandBoard();
		board.run(10 * MINUTE + 100);
		board.reset("crash");
		board.run(10 * MINUTE);
		const summary = askedFor(board, broker, 2 * MINUTE);
		const { wakes, accepted, observed } = consoleCounts(board);
		assert.deepEqual([summary.wakes, summary.accepted, summary.observed], [wakes, accepted, observed]);
		assert.ok(summary.joining! <= summary.joins! * board.joinTimeMs);
	});

	test("a loss of power, and another list of sensors: it begins anew", () => {
		const { board, broker } = commandBoard();
		board.run(HOUR);
		const { length } = board.eventLog;
		board.losePower();
		broker.loseSession();
		board.run(10 * MINUTE);
		let summary = askedFor(board, broker, 2 * MINUTE);
		assert.deepEqual(summary, consoleCounts(board, length));
		board.settings = commandSettings({
			sensors: [
				{ name: "a", driver: "virtual", property: "temperature" },
				{ name: "b", driver: "virtual", property: "temperature" },
			],
		});
		board.run(10 * MINUTE);
		summary = askedFor(board, broker, 2 * MINUTE);
		assert.ok(summary.wakes! <= 12 && summary.samples === 2 * summary.wakes!, JSON.stringify(summary));
	});

	test("the words were another feature's before: it begins anew", () => {
		const { board, broker } = commandBoard();
		const counting = board.settings;
		// As many doubles as the counts: a hash, and what of a median's samples is kept.
		const samples = COUNT_DOUBLES - 1 - windowSize(2, "median") + 2;
		const sensors = [{ name: "temperature", driver: "virtual", every: "60s", aggregate: "median", samples }];
		const { commands: _, ...gathering } = commandSettings({ sensors });
		board.settings = gathering;
		board.run(HOUR + MINUTE / 2);
		board.settings = counting;
		board.run(10 * MINUTE);
		const summary = askedFor(board, broker, 2 * MINUTE);
		assert.ok(summary.observed! < 13 * MINUTE && summary.wakes! < 14, JSON.stringify(summary));
	});

	test("clear counters: from now on", () => {
		const { board, broker } = commandBoard();
		board.run(HOUR);
		broker.send({ command: "clear", what: "counters" });
		board.run(MINUTE);
		const summary = askedFor(board, broker, 10 * MINUTE);
		assert.deepEqual([summary.wakes, summary.accepted, summary.joins], [1, 1, 1]);
		assert.ok(summary.observed! <= MINUTE && summary.broker! < 1000, JSON.stringify(summary));
	});

	test("a node that stays connected answers at once, for months: its time is longer than 32 bits of ms", () => {
		const { board, broker } = commandBoard({
			sleep: { mode: "none" },
			sensors: [{ name: "temperature", driver: "virtual", every: "6h" }],
			broker: { keepAlive: "0s" },
		});
		board.run(MINUTE);
		board.run(60 * 24 * HOUR);
		const summary = askedFor(board, broker, 1000);
		assert.deepEqual(summary, consoleCounts(board));
		assert.ok(summary.broker! > 2 ** 32 && summary.observed! > 2 ** 32);
	});

	test("as often as it is asked for: the time of the present part is counted once", () => {
		const { board, broker } = commandBoard({ sleep: { mode: "none" } });
		board.run(MINUTE);
		askedFor(board, broker, MINUTE);
		askedFor(board, broker, MINUTE);
		assert.deepEqual(askedFor(board, broker, 1000), consoleCounts(board, 0, 3));
	});
});

describe("the answer to summary", () => {
	test("the same id again: a duplicate, without a summary", () => {
		const { board, broker } = commandBoard();
		board.run(1000);
		broker.send({ command: "summary", id: 1 });
		broker.send({ command: "summary", id: 1 });
		board.run(2 * MINUTE);
		assert.deepEqual(executed(board), ["summary"]);
		assert.deepEqual(
			broker.answers.map(({ payload }) => [payload.duplicate, payload.summary === undefined]),
			[
				[undefined, false],
				[true, true],
			],
		);
	});

	test("many of them: those that find no room are answered in later exchanges", () => {
		const { board, broker } = commandBoard();
		board.run(1000);
		for (let id = 0; id < 5; id++) broker.send({ command: "summary", id });
		board.run(10 * MINUTE);
		assert.deepEqual(
			broker.answers.map(({ payload }) => payload.id),
			[0, 1, 2, 3, 4],
		);
		assert.equal(board.reportCounts.lost, 0);
	});

	test("the largest numbers and the longest id: it fits the limit, which is longer than other answers have", () => {
		const memory = new Uint8Array(headerSize(1, COUNT_DOUBLES) + 256);
		const retained = new RetainedState(memory, 1, 7, 256, COUNT_DOUBLES, COUNT_DOUBLES);
		const from = retained.words.length - 2 * COUNT_DOUBLES;
		retained.words.fill(0xffff_ffff, from + 10);
		// Accepted and dropped since 0
		retained.words[from + 12] = retained.words[from + 15] = 0;
		retained.words[20] = retained.words[26] = 0xffff_ffff;
		// Thirty years in each part
		for (let word = from + 5; word < from + 10; word += 2) retained.words[word] = 220;
		for (let word = from + 4; word < from + 10; word += 2) retained.words[word] = 0xffff_ffff;
		retained.words[from + 3] = 0x6375_6e03;
		const parts = { retained, outbox: { waitingCount: 2 ** 32 - 1 }, clock: { now: 1e12 } };
		const bytes = writeSummary(JSON.stringify("ü".repeat(32)), parts);
		assert.ok(
			bytes.length <= SUMMARY_PAYLOAD_LIMIT && bytes.length > ANSWER_PAYLOAD_LIMIT,
			`${bytes.length}`,
		);
		const { summary, id } = JSON.parse(new TextDecoder().decode(bytes));
		assert.deepEqual([summary.limits, summary.observed, id], [2 ** 32 - 1, 1e12, "ü".repeat(32)]);
		assert.equal(summary.broker, 220 * 2 ** 32 + 0xffff_ffff);
	});
});

test("without commands: nothing is counted, and the header is as long as it was", () => {
	const { board } = commandBoard();
	const { commands: _, ...settings } = board.settings;
	board.settings = settings;
	board.run(HOUR - 1);
	assert.equal(board.events("wake").length, 60);
	const state = new RetainedState(board.retained.bytes, 1, 0, 256);
	assert.equal(state.words.byteLength, (headerSize(1) - 1) / 2);
});
