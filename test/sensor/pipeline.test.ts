import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

/** A broker that accepts no packet before it has sent CONNACK, 5 ms after CONNECT. */
function strictBroker(board: TestBoard) {
	const state = { mode: "strict" as "strict" | "lenient" | "deaf" };
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (state.mode !== "strict") return state.mode === "deaf";
			if (packet.cmd === "connect") {
				board.network.clock.after(5, () => {
					if (broker.commands.at(-1) === "connect")
						connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0 });
					else connection.end();
				});
				return true;
			}
			return packet.cmd === "publish" && broker.times.at(-1) === broker.times.at(-2);
		},
	});
	return state;
}

test("a broker that refuses packets before CONNACK: no pipelining from then on, after sleep too", () => {
	const board = new TestBoard();
	strictBroker(board);
	board.run(3 * MINUTE - 1);
	assert.deepEqual(
		board.events("open").map(({ a }) => a),
		[1, 0, 0, 0],
	);
	assert.equal(board.boots, 3);
	assert.equal(board.events("failed").length, 0);
	assert.deepEqual(board.reportCounts, { accepted: 3, acknowledged: 3, dropped: 0, waiting: 0, lost: 0 });
});

test("a broker that fails once before CONNACK does not count as refusing pipelining", () => {
	const board = new TestBoard();
	let failures = 2;
	new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "connect" || failures === 0) return false;
			failures--;
			connection.end();
			return true;
		},
	});
	board.run(4 * MINUTE - 1);
	const pipelined = board.events("open").map(({ a }) => a);
	assert.deepEqual(pipelined.slice(0, 2), [1, 0], "tried again without them, and failed the same");
	assert.ok(pipelined.length > 2 && pipelined.slice(2).every((a) => a === 1));
	assert.equal(board.reportCounts.lost, 0);
});

test("pipelining is tried again after a day, and nothing is lost when it is refused again", () => {
	const board = new TestBoard({ sensors: [{ every: 10 * MINUTE }] });
	const broker = strictBroker(board);
	board.run(60 * HOUR - 1);
	const pipelined = () => board.events("open").flatMap(({ a, at }) => (a === 1 ? [at] : []));
	assert.deepEqual(
		pipelined().map((at) => Math.floor(at / MINUTE)),
		[0, 24 * 60 + 10, 48 * 60 + 20],
		"by the first report after a day",
	);
	assert.equal(board.events("failed").length, 0);
	const { accepted, acknowledged, waiting, dropped } = board.reportCounts;
	assert.deepEqual([acknowledged, waiting, dropped], [accepted, 0, 0]);
	broker.mode = "lenient";
	board.run(48 * HOUR);
	assert.ok(
		board
			.events("open")
			.slice(-140)
			.every(({ a }) => a === 1),
		"from the next try on",
	);
	assert.equal(board.events("failed").length, 0);
	assert.equal(board.reportCounts.lost, 0);
});

test("a new attempt to pipeline that ends without a result is repeated", () => {
	const board = new TestBoard({ sensors: [{ every: 10 * MINUTE }] });
	const broker = strictBroker(board);
	board.run(24 * HOUR + 5 * MINUTE);
	broker.mode = "deaf";
	board.run(HOUR);
	broker.mode = "strict";
	board.run(2 * HOUR);
	const since = board.events("open").filter(({ at }) => at > 24 * HOUR + 5 * MINUTE);
	const last = since.findLastIndex(({ a }) => a === 1);
	assert.ok(
		last > 0 && since.slice(0, last).every(({ a }) => a === 1),
		"while nobody answers, and once more",
	);
	assert.ok(since.length - last > 5);
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.reportCounts.waiting, 0);
});
