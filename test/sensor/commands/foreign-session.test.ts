/** The broker has a session that the node, after a loss of power, does not know to be its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "mqtt-packet";
import { ScriptedBroker } from "../../client/scripted-broker";
import { MINUTE } from "../support/payloads";
import { TestBoard } from "../support/test-board";
import { commandSettings } from "./support";

/** A broker with a lasting session, from which each connection that resumes it gets the same command. */
function brokerWithCommand(board: TestBoard, version: 4 | 5): void {
	let hasSession = true;
	new ScriptedBroker(board.network, 1883, {
		version,
		answer: (packet, connection) => {
			if (packet.cmd === "subscribe") {
				connection.send({
					cmd: "suback",
					messageId: packet.messageId as number,
					granted: [2],
					reasonCodes: [2],
				} as Packet);
				return true;
			}
			if (packet.cmd !== "connect") return false;
			const sessionPresent = hasSession && !packet.clean;
			// §3.1.2.4 of MQTT 3.1.1: a session that begins clean ends with its connection
			hasSession = !packet.clean || version === 5;
			connection.send({ cmd: "connack", sessionPresent, reasonCode: 0, returnCode: 0 });
			if (sessionPresent)
				connection.send({
					cmd: "publish",
					topic: "firefly/node/command",
					payload: "identify",
					qos: 1,
					messageId: 7,
					dup: false,
					retain: false,
				});
			return true;
		},
	});
}

for (const version of [4, 5] as const)
	test(`MQTT ${version}: the session that is discarded brings a command: its timer does not end the next connection`, () => {
		const board = new TestBoard();
		board.settings = commandSettings({
			sensors: [{ name: "temperature", driver: "virtual", every: "1m", qos: 2 }],
			broker: { version },
			time: { server: false },
			// Time for one join only
			sleep: { awakeLimit: "3s" },
		});
		board.joinTimeMs = 2000;
		brokerWithCommand(board, version);
		board.run(MINUTE / 2);
		assert.equal(board.events("join").length, 1);
		assert.deepEqual(board.events("failed"), []);
		assert.equal(board.reportCounts.acknowledged, 1);
	});
