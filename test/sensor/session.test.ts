import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { type BrokerScript, ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

const session = { cleanStart: false, sessionExpiry: 86_400 } as const;
const versions = [4, 5] as const;

/** A broker with persistent sessions; while `cuts`, it ends a connection at its third, unanswered PUBLISH. */
function sessionKeepingBroker(board: TestBoard, version: 4 | 5) {
	const connack = { sessionPresent: false };
	const state = { cuts: false, connack, broker: undefined as unknown as ScriptedBroker };
	const script: BrokerScript = {
		version,
		connack,
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || !state.cuts) return false;
			if (
				state.broker.commands
					.slice(state.broker.commands.lastIndexOf("connect"))
					.filter((command) => command === "publish").length === 3
			)
				connection.end();
			return true;
		},
	};
	state.broker = new ScriptedBroker(board.network, 1883, script);
	return state;
}

function publishes(broker: ScriptedBroker): IPublishPacket[] {
	return broker.packets.filter((packet) => packet.cmd === "publish");
}

const publishFields = ({ messageId, payload, dup }: IPublishPacket) => [messageId, payload.toString(), dup];
const sensors = ["a", "b", "c", "d"].map((name) => ({ name, property: [name], every: 10 * MINUTE }));
const sample = (time: number) => ({ a: time, b: time + 1, c: time + 2, d: time + 3 });

test("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] [MQTT-3.1.2-23] [MQTT-3.1.1:2.3.1-3] [MQTT-3.1.1:4.1.0-1] unacknowledged messages are sent again in their session, after sleep as well: same identifiers, same order, DUP", () => {
	for (const version of versions) {
		const board = new TestBoard({ sensors, broker: { ...session, version, inFlight: 3 } });
		board.sample = sample;
		const state = sessionKeepingBroker(board, version);
		state.cuts = true;
		board.run(100);
		assert.equal(publishes(state.broker).length, 0);
		board.run(1000);
		const first = publishes(state.broker).map(publishFields);
		assert.deepEqual(
			first.map(([, , dup]) => dup),
			[false, false, false],
		);
		state.cuts = false;
		state.connack.sessionPresent = true;
		board.run(9 * MINUTE);
		const second = publishes(state.broker).slice(first.length).map(publishFields);
		assert.deepEqual(
			second.slice(0, first.length),
			first.map(([id, payload]) => [id, payload, true]),
		);
		assert.deepEqual(
			second.slice(first.length).map(([, , dup]) => dup),
			[false],
			"the fourth was not sent before",
		);
		assert.equal(new Set(second.map(([id]) => id)).size, 4);
		assert.deepEqual(
			board.events("open").map(({ details: [pipelined] }) => pipelined),
			[true, false],
			"CONNACK is waited for, as it says whether the session goes on",
		);
		assert.deepEqual(board.reportCounts, { accepted: 4, acknowledged: 4, dropped: 0, waiting: 0, lost: 0 });
		board.run(10 * MINUTE);
		assert.equal(board.events("open").at(-1)?.details[0], true, "and not where nothing is unanswered");
		assert.ok(!publishes(state.broker).at(-1)?.dup);
	}
});

test("[MQTT-3.2.2-5] the session is gone: unacknowledged reports are sent as new messages", () => {
	for (const version of versions) {
		const board = new TestBoard({ sensors, broker: { ...session, version } });
		board.sample = sample;
		const state = sessionKeepingBroker(board, version);
		state.cuts = true;
		board.run(1000);
		state.cuts = false;
		board.run(9 * MINUTE);
		assert.ok(publishes(state.broker).every(({ dup }) => !dup));
		assert.equal(board.reportCounts.waiting, 0);
	}
});

test("with Clean Start nothing is sent with DUP, and an attempt after a cut is one flight", () => {
	const board = new TestBoard({ sensors });
	board.sample = sample;
	const state = sessionKeepingBroker(board, 5);
	state.cuts = true;
	board.run(1000);
	state.cuts = false;
	board.run(9 * MINUTE);
	assert.ok(publishes(state.broker).every(({ dup }) => !dup));
	assert.ok(board.events("open").every(({ details: [pipelined] }) => pipelined));
	assert.equal(board.reportCounts.waiting, 0);
});

test("a report whose PUBACK was an error is a new message when it is sent again", () => {
	const board = new TestBoard({ sensors: [{}], broker: session });
	let refusals = 2;
	const broker = new ScriptedBroker(board.network, 1883, {
		connack: { sessionPresent: true },
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || refusals === 0) return false;
			refusals--;
			connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x97 });
			return true;
		},
	});
	board.run(MINUTE - 1);
	assert.ok(publishes(broker).length >= 3);
	assert.ok(publishes(broker).every(({ dup }) => !dup));
	assert.equal(board.reportCounts.waiting, 0);
});

test("a report on a paused topic is sent again: in flight with DUP, rejected without", () => {
	const board = new TestBoard({ broker: session });
	let answers = 0;
	const broker = new ScriptedBroker(board.network, 1883, {
		connack: { sessionPresent: true },
		answer: (packet, connection) => {
			if (packet.cmd !== "publish") return false;
			answers++;
			// The first PUBLISH is rejected, the second ends the connection unanswered.
			if (answers === 1)
				connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x97 });
			if (answers === 2) connection.end();
			return answers <= 2;
		},
	});
	board.wifi = "fails";
	board.run(MINUTE + 1000);
	board.wifi = "joins";
	board.run(9 * MINUTE);
	const sent = (id: number) =>
		publishes(broker).flatMap(({ messageId, dup }) => (messageId === id ? [dup] : []));
	assert.deepEqual(
		[sent(2), sent(3)],
		[
			[false, false],
			[false, true],
		],
	);
	assert.equal(board.reportCounts.waiting, 0);
	assert.equal(board.reportCounts.lost, 0);
});

test("identifiers wrap after 65,535 and none is used twice at once", () => {
	const board = new TestBoard({
		sleep: { mode: "none" },
		sensors: [{ every: 100 }],
		broker: { inFlight: 1 },
	});
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ temperature: time });
	board.run(2 * HOUR);
	const ids = publishes(broker).map(({ messageId }) => messageId as number);
	assert.ok(ids.length > 66_000);
	for (let i = 1; i < ids.length; i++) assert.equal(ids[i], (ids[i - 1] % 65_535) + 1);
	assert.ok(ids.every((id) => id >= 1 && id <= 65_535));
});
