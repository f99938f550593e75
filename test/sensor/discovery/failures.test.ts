import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BrokerScript } from "../../client/scripted-broker";
import { ResetError } from "../support/fragile-memory";
import { HOUR, MINUTE } from "../support/payloads";
import { AnnouncedBoard, CONFIG_TOPIC, discovery } from "./announced-board";
import { readDeviceConfig } from "./rules";

const homeAssistant = { discovery: discovery(["homeassistant"]) };
const REPORT_TOPIC = "home/node/temperature";

/** A broker that, while `state` says so, ends the connection at an announcement, or answers a reason code. */
function brokerThat(state: { cuts?: boolean; refuses?: number }): BrokerScript {
	return {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || packet.topic !== CONFIG_TOPIC) return false;
			if (state.cuts) {
				connection.end();
				return true;
			}
			if (state.refuses === undefined) return false;
			connection.send({ cmd: "puback", messageId: packet.messageId!, reasonCode: state.refuses });
			return true;
		},
	};
}

describe("an announcement that fails", () => {
	test("the connection ends at it: its report counts as delivered, none is delayed, and it is tried again, ever more rarely", () => {
		const state = { cuts: true };
		const node = new AnnouncedBoard(homeAssistant, brokerThat(state));
		node.board.run(HOUR - 1);
		assert.deepEqual(node.board.reportCounts, {
			accepted: 60,
			acknowledged: 60,
			dropped: 0,
			waiting: 0,
			lost: 0,
		});
		assert.equal(node.payloads(REPORT_TOPIC).length, 60);
		assert.deepEqual(node.board.events("failed"), []);
		const wakes = node
			.topics()
			.filter((topic, i, all) => topic === CONFIG_TOPIC || all[i + 1] !== CONFIG_TOPIC);
		const tries = wakes.flatMap((topic, wake) => (topic === CONFIG_TOPIC ? [wake] : []));
		assert.deepEqual(tries, [0, 1, 3, 7, 15, 31]);
		state.cuts = false;
		node.board.run(2 * HOUR);
		assert.equal(node.payloads(CONFIG_TOPIC).length, tries.length + 1);
	});

	test("the broker refuses it: reports go on, and it is tried again after 64 exchanges, or a reset", () => {
		const state: { refuses?: number } = { refuses: 0x87 };
		const node = new AnnouncedBoard(homeAssistant, brokerThat(state));
		node.board.run(HOUR - 1);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.equal(node.board.reportCounts.acknowledged, 60);
		assert.deepEqual(
			node.board.traces.filter((line) => line.startsWith("not announced")),
			["not announced: the broker refuses it, Not authorized; tried again in 64 exchanges"],
		);
		delete state.refuses;
		node.board.run(5 * MINUTE);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 2);
		node.board.run(HOUR);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 2);
	});

	test("the broker is away for an hour: it follows with the reports, when it is back", () => {
		let away = true;
		const node = new AnnouncedBoard(homeAssistant, {
			accept: (connection) => {
				if (away) connection.end();
			},
		});
		node.board.run(HOUR);
		assert.deepEqual(node.topics(), []);
		away = false;
		node.board.run(HOUR + MINUTE / 2);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.equal(node.board.reportCounts.lost, 0);
		assert.ok(node.payloads(REPORT_TOPIC).length >= 119);
	});

	test("no answer to it: awakeLimit or acknowledgeTimeout ends the wake, and reports go on", () => {
		const node = new AnnouncedBoard(homeAssistant, {
			answer: (packet) => packet.cmd === "publish" && packet.topic === CONFIG_TOPIC,
		});
		node.board.run(30 * MINUTE - 1);
		assert.equal(node.board.reportCounts.acknowledged, 30);
		assert.ok(node.board.longestAwakeMs <= 8000);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 5);
	});

	test("larger than the broker's packets: it is not sent, and the console says so", () => {
		const node = new AnnouncedBoard(homeAssistant, {
			connack: { properties: { maximumPacketSize: 200 } },
		});
		node.board.run(HOUR - 1);
		assert.deepEqual([...new Set(node.topics())], [REPORT_TOPIC]);
		assert.match(
			node.board.traces.join("\n"),
			/^not announced: a packet with its \d+ bytes is more than broker or sendBuffer take; tried again in 64/m,
		);
		assert.equal(node.board.reportCounts.acknowledged, 60);
	});

	test("a broker without retained messages, or without QoS 1: it is not sent", () => {
		for (const properties of [{ retainAvailable: false }, { maximumQoS: 0 }]) {
			const node = new AnnouncedBoard(homeAssistant, { connack: { properties } });
			node.board.run(10 * MINUTE - 1);
			assert.deepEqual([...new Set(node.topics())], [REPORT_TOPIC]);
			assert.equal(node.board.reportCounts.acknowledged, 10);
		}
	});

	test("QoS 0 reports alone: the announcement is acknowledged, and the reports count as sent", () => {
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: [{ qos: 0 }] });
		node.board.run(10 * MINUTE - 1);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.equal(node.board.reportCounts.acknowledged, 10);
	});

	test("storage that fails: it is announced all the same", () => {
		const node = new AnnouncedBoard(homeAssistant);
		node.board.storage = {
			open: () => {
				throw new Error("worn out");
			},
		};
		node.board.run(10 * MINUTE - 1);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.deepEqual(
			node.board.traces.filter((line) => line.includes("worn out")),
			[
				"what was announced before is not known: Error: worn out",
				"what was announced is not stored: Error: worn out",
			],
		);
	});
});

test("[MQTT-4.4.0-1] [MQTT-3.3.1-1] an unacknowledged announcement is sent again in its session: same identifier, DUP", () => {
	let present = false;
	let cuts = true;
	const script: BrokerScript = {
		answer: (packet, connection) => {
			if (packet.cmd === "connect") {
				connection.send({ cmd: "connack", sessionPresent: present, reasonCode: 0 });
				return true;
			}
			if (packet.cmd !== "publish" || packet.topic !== CONFIG_TOPIC || !cuts) return false;
			connection.end();
			return true;
		},
	};
	const node = new AnnouncedBoard(
		{ ...homeAssistant, broker: { cleanStart: false, sessionExpiry: 86_400 } },
		script,
	);
	node.board.run(MINUTE - 1);
	present = true;
	node.board.run(MINUTE);
	present = false;
	node.board.run(2 * MINUTE);
	cuts = false;
	node.board.run(10 * MINUTE);
	const tries = node.published().filter(({ topic }) => topic === CONFIG_TOPIC);
	assert.deepEqual(
		tries.map(({ dup }) => dup),
		[false, true, false, false],
	);
	assert.equal(new Set(tries.map(({ messageId }) => messageId)).size, 1);
	assert.equal(new Set(tries.map(({ payload }) => payload.toString())).size, 1);
});

test("a reset at any write to retained memory: nothing is lost, and in the end the node is announced", () => {
	let writes = 0;
	for (let budget = 0; budget < 2000; budget += 7) {
		const node = new AnnouncedBoard(homeAssistant);
		const { board } = node;
		for (const backwards of [false, true]) {
			board.retained.writesBackwards = backwards;
			board.retained.writeBudget = budget;
			try {
				board.run(2 * MINUTE - 1);
			} catch (error) {
				if (!(error instanceof ResetError)) throw error;
			}
			if (board.retained.writeBudget > 0 && board.retained.writeBudget < Infinity) writes++;
			board.retained.writeBudget = Infinity;
		}
		// A driver that was being called is paused for a quarter of an hour.
		board.run(20 * MINUTE + 1000);
		const configs = node.payloads(CONFIG_TOPIC);
		assert.ok(configs.length >= 1, `after ${budget} writes`);
		for (const config of configs) readDeviceConfig(CONFIG_TOPIC, config);
		// A reset between a commit and its event leaves a report of which no event tells.
		assert.ok(board.reportCounts.lost <= 0, `after ${budget} writes`);
		const before = node.payloads(CONFIG_TOPIC).length;
		board.run(HOUR);
		assert.equal(node.payloads(CONFIG_TOPIC).length, before, "announced for good");
	}
	assert.ok(writes > 10, "some runs were not cut");
});
