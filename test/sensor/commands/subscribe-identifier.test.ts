import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "mqtt-packet";
import { ScriptedBroker } from "../../client/scripted-broker";
import { TestBoard } from "../support/test-board";
import { commandSettings } from "./support";

test("SUBSCRIBE while reports of the session wait to be sent again: it has another packet identifier [MQTT-2.2.1-3]", () => {
	const board = new TestBoard();
	const sensor = { driver: "virtual", every: "10m", qos: 2 };
	board.settings = commandSettings({
		sensors: ["a", "b", "c"].map((name) => ({ ...sensor, name, property: name })),
		time: { server: false },
	});
	board.sample = () => ({ a: 1, b: 2, c: 3 });
	let connections = 0;
	/** Packet identifiers that are in use in the session. */
	const used = new Set<number>();
	const subscribes: number[] = [];
	new ScriptedBroker(board.network, 1883, {
		answer: (packet: Packet, connection) => {
			if (packet.cmd === "connect") {
				connections++;
				const first = connections === 1;
				connection.send({
					cmd: "connack",
					sessionPresent: !first,
					reasonCode: 0,
					// The second one takes one report at a time
					...(first ? {} : { properties: { receiveMaximum: 1 } }),
				});
				return true;
			}
			if (packet.cmd === "publish") used.add(packet.messageId!);
			// Nothing is answered
			if (packet.cmd !== "subscribe") return packet.cmd === "publish";
			const id = packet.messageId!;
			assert.ok(!used.has(id), `${id} is in use`);
			subscribes.push(id);
			if (connections === 1) connection.end();
			return true;
		},
	});
	board.run(60_000);
	assert.equal(used.size, 3);
	assert.ok(connections > 1 && subscribes.length > 1, `${subscribes}`);
});
