import assert from "node:assert/strict";
import { test } from "node:test";
import type { IConnackPacket } from "mqtt-packet";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

/** A broker that accepts no packet before it has sent CONNACK, 5 ms after CONNECT. */
function strictBroker(board: TestBoard, properties: IConnackPacket["properties"] = {}) {
	const state = { mode: "strict" as "strict" | "lenient" | "deaf" };
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (state.mode !== "strict") return state.mode === "deaf";
			if (packet.cmd === "connect") {
				board.network.clock.after(5, () => {
					if (broker.commands.at(-1) === "connect")
						connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0, properties });
					else connection.end();
				});
				return true;
			}
			return packet.cmd === "publish" && broker.times.at(-1) === broker.times.at(-2);
		},
	});
	return state;
}

test("a broker that refuses packets before CONNACK again and again: no pipelining from then on, after sleep too", () => {
	const board = new TestBoard();
	strictBroker(board);
	board.run(5 * MINUTE - 1);
	assert.deepEqual(
		board.events("open").map(({ details: [pipelined] }) => pipelined),
		[true, false, true, false, true, false, false, false],
	);
	assert.equal(board.boots, 5);
	assert.equal(board.events("failed").length, 0);
	assert.deepEqual(board.reportCounts, { accepted: 5, acknowledged: 5, dropped: 0, waiting: 0, lost: 0 });
});

test("connections cut during CONNECT now and then leave pipelining on", () => {
	const board = new TestBoard();
	let connections = 0;
	new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			// Two cuts in a row at most: before CONNACK, once in the first flight and once in the next wake's.
			if (packet.cmd !== "connect" || ++connections % 5 === 0 || connections % 5 >= 3) return false;
			if (connections % 5 === 2) return false;
			connection.end();
			return true;
		},
	});
	board.run(HOUR - 1);
	const pipelined = board.events("open").map(({ details: [pipelined] }) => pipelined);
	assert.ok(pipelined.filter((first) => !first).length >= 10);
	assert.deepEqual(pipelined.slice(-5).sort(), [false, true, true, true, true]);
	assert.ok(!board.traces.some((line) => line.includes("refuses packets before CONNACK")));
	assert.deepEqual(board.reportCounts, { accepted: 60, acknowledged: 60, dropped: 0, waiting: 0, lost: 0 });
});

test("another broker is pipelined to and has no limits, whatever the last one's were", () => {
	const sensors = ["a", "b", "c"].map((name) => ({ name, property: ["temperature"] }));
	for (const change of [{ host: "10.0.0.2" }, { port: 1884 }, { version: 4 as const }]) {
		const board = new TestBoard({ sensors });
		strictBroker(board, { receiveMaximum: 1, maximumPacketSize: 40, maximumQoS: 0, retainAvailable: false });
		board.run(10 * MINUTE - 1);
		assert.equal(board.events("open").at(-1)?.details[0], false);
		const before = board.events("open").length;
		board.settings = { ...board.settings, broker: { ...board.settings.broker, ...change } };
		const { port, version } = board.settings.broker;
		const other = new ScriptedBroker(board.network, port, { version });
		board.run(MINUTE);
		assert.equal(board.events("open")[before]?.details[0], true, JSON.stringify(change));
		const flight = other.packets.filter((_, i) => other.times[i] === other.times[0]);
		assert.deepEqual(
			flight.map((packet) => packet.cmd),
			["connect", "publish", "publish", "publish"],
		);
		assert.ok(flight.every((packet) => packet.cmd !== "publish" || (packet.qos === 1 && packet.retain)));
	}
});

test("a refusing CONNACK is learnt at every attempt, and not taken for a refusal of pipelining", () => {
	// The broker's reset discards a CONNACK that packets behind CONNECT have made it cut off.
	for (const version of [4, 5] as const)
		for (const delivery of ["read", "reset over unread packets"] as const) {
			const board = new TestBoard({ broker: { version, username: "node", password: "wrong" } });
			const state = { refuses: true, unread: false };
			new ScriptedBroker(board.network, 1883, {
				version,
				answer: (packet, connection) => {
					if (!state.refuses) return false;
					if (packet.cmd !== "connect") {
						state.unread = true;
						return true;
					}
					state.unread = false;
					board.network.clock.after(1, () => {
						if (delivery === "read" || !state.unread)
							connection.send({
								cmd: "connack",
								sessionPresent: false,
								...(version === 5 ? { reasonCode: 0x86 } : { returnCode: 4 }),
							});
						connection.end();
					});
					return true;
				},
			});
			board.run(HOUR - 1);
			const failures = board.events("failed");
			assert.ok(failures.length > 3);
			assert.ok(
				failures.every(
					({ details: [fault, reasonCode] }) => fault === "configuration" && reasonCode === 0x86,
				),
				`${delivery}: ${JSON.stringify(failures[0])}`,
			);
			assert.ok(board.traces.some((line) => line.includes("Bad User Name or Password")));
			state.refuses = false;
			board.run(HOUR);
			assert.equal(board.events("open").at(-1)?.details[0], true);
			assert.deepEqual(board.reportCounts, {
				accepted: 120,
				acknowledged: 120,
				dropped: 0,
				waiting: 0,
				lost: 0,
			});
		}
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
	const pipelined = board.events("open").map(({ details: [pipelined] }) => pipelined);
	assert.deepEqual(pipelined.slice(0, 2), [true, false], "tried again without them, and failed the same");
	assert.ok(pipelined.length > 2 && pipelined.slice(2).every(Boolean));
	assert.equal(board.reportCounts.lost, 0);
});

test("pipelining is tried again after a day, and nothing is lost when it is refused again", () => {
	const board = new TestBoard({ sensors: [{ every: 10 * MINUTE }] });
	const broker = strictBroker(board);
	board.run(60 * HOUR - 1);
	const pipelined = () =>
		board.events("open").flatMap(({ at, details: [pipelined] }) => (pipelined ? [at] : []));
	assert.deepEqual(
		pipelined().map((at) => Math.floor(at / MINUTE)),
		[0, 10, 20, 24 * 60 + 30, 48 * 60 + 40],
		"by the first report after a day; one further refusal is then enough",
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
			.every(({ details: [pipelined] }) => pipelined),
		"from the next try on",
	);
	assert.equal(board.events("failed").length, 0);
	assert.equal(board.reportCounts.lost, 0);
});

test("a new attempt to pipeline that ends without a result is repeated", () => {
	const board = new TestBoard({ sensors: [{ every: 10 * MINUTE }] });
	const broker = strictBroker(board);
	board.run(24 * HOUR + 25 * MINUTE);
	broker.mode = "deaf";
	board.run(HOUR);
	broker.mode = "strict";
	board.run(2 * HOUR);
	const since = board.events("open").filter(({ at }) => at > 24 * HOUR + 25 * MINUTE);
	const last = since.findLastIndex(({ details: [pipelined] }) => pipelined);
	assert.ok(
		last > 0 && since.slice(0, last).every(({ details: [pipelined] }) => pipelined),
		"while nobody answers, and once more",
	);
	assert.ok(since.length - last > 5);
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.reportCounts.waiting, 0);
});
