import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerScript } from "../../client/scripted-broker";
import { HOUR, MINUTE } from "../support/payloads";
import type { Overrides } from "../support/test-board";
import { AnnouncedBoard, CONFIG_TOPIC, discovery, homieSettings } from "./announced-board";
import { DeviceEntities, HomieDevice } from "./rules";

const COMMAND = "firefly/node/command";
const ANSWER = "firefly/node/answer";
const DIAGNOSTICS = "firefly/node/diagnostics";
const STATE = "homie/5/node/$state";

const temperature = { name: "temperature" };
const door = {
	name: "door",
	property: ["open"],
	declared: { decimals: 0, deviceClass: "opening", binary: true },
};

/** Both formats, diagnostics and commands. */
function everything(sensors: readonly object[], formats = ["homeassistant", "homie"] as const): Overrides {
	return {
		...homieSettings({ sensors, broker: { cleanStart: false, sessionExpiry: 86_400, receiveMaximum: 8 } }),
		discovery: discovery(formats),
		diagnostics: { every: HOUR, topic: DIAGNOSTICS },
		commands: { topic: COMMAND, answer: ANSWER, trialWakes: 5 },
	};
}

/** A broker with the node's session, which sends it one command a connection, if there is any. */
function sessionBroker(commands: string[]): BrokerScript {
	let hasSession = false;
	return {
		answer: (packet, connection) => {
			if (packet.cmd === "subscribe") {
				connection.send({ cmd: "suback", messageId: packet.messageId!, granted: [2] });
				hasSession = true;
				return true;
			}
			if (packet.cmd !== "connect") return false;
			connection.send({ cmd: "connack", sessionPresent: hasSession, reasonCode: 0 });
			const payload = hasSession ? commands.shift() : undefined;
			if (payload !== undefined)
				connection.send({
					...{ cmd: "publish", topic: COMMAND, payload, qos: 1, messageId: 7, dup: false, retain: false },
				});
			return true;
		},
	};
}

test("both formats, diagnostics and commands: announced, quiet in ordinary wakes, commanded, and taken back", () => {
	const commands: string[] = [];
	const node = new AnnouncedBoard(everything([temperature, door]), sessionBroker(commands));
	const { board } = node;
	board.sample = (time) => ({ temperature: 20, open: Math.floor(time / MINUTE) % 2 });
	const entities = new DeviceEntities();
	const homie = new HomieDevice("homie/5/node");
	/** Takes what was published since an index of all packets. @returns topics that are no report */
	const receive = (from: number): string[] => {
		const others: string[] = [];
		for (const { topic, payload, retain } of node.published(from)) {
			if (topic === CONFIG_TOPIC) entities.receive(topic, payload.toString());
			else if (topic.startsWith("homie/")) homie.receive(topic, payload.toString(), retain);
			if (!topic.startsWith("homie/5/node/sensors/") || payload.length === 0) others.push(topic);
		}
		return others;
	};

	board.run(MINUTE - 1);
	const description = "homie/5/node/$description";
	assert.deepEqual(receive(0), [DIAGNOSTICS, CONFIG_TOPIC, STATE, description, STATE, STATE]);
	assert.deepEqual([...entities.entities].sort(), ["binary_sensor door", "sensor temperature"]);
	assert.deepEqual(homie.states, ["init", "ready", "sleeping"]);
	homie.checkValues();

	// Ordinary wakes: reports, and diagnostics once an hour, or up to a quarter of it earlier.
	let from = node.broker.packets.length;
	board.run(6 * HOUR);
	const others = receive(from);
	assert.deepEqual([...new Set(others)], [DIAGNOSTICS]);
	assert.ok(others.length >= 6 && others.length <= 9, `${others.length}`);
	assert.equal(homie.state, "sleeping");

	from = node.broker.packets.length;
	commands.push('{"command":"summary","id":1}', "report-now");
	board.run(3 * MINUTE);
	const answers = node.payloads(ANSWER, from).map((payload) => JSON.parse(payload));
	assert.deepEqual(
		answers.map(({ command, ok }) => [command, ok]),
		[
			["summary", true],
			["report-now", true],
		],
	);
	assert.ok(answers[0].summary.wakes > 6 * 60, "its wakes");
	assert.deepEqual([...new Set(receive(from))], [ANSWER]);

	// A sensor goes.
	from = node.broker.packets.length;
	node.configure(everything([temperature]));
	board.losePower();
	board.run(10 * MINUTE);
	receive(from);
	assert.deepEqual([...entities.entities], ["sensor temperature"]);
	assert.deepEqual([...homie.values.keys()], ["sensors/temperature"]);
	assert.equal(homie.state, "sleeping");

	// The announcements go; diagnostics and commands stay.
	from = node.broker.packets.length;
	node.configure({
		...everything([temperature]),
		discovery: discovery(["none"]),
		topic: "home/{id}/{sensor}",
	});
	board.losePower();
	board.run(10 * MINUTE);
	receive(from);
	assert.deepEqual(
		[entities.entities.size, homie.state, homie.description, homie.values.size],
		[0, "", undefined, 0],
	);
	commands.push("identify");
	board.run(2 * MINUTE);
	assert.equal(JSON.parse(node.payloads(ANSWER, from).at(-1)!).command, "identify");
	assert.ok(board.longestAwakeMs < 8000);
	// The events of the wakes that a loss of power has ended are not told.
	assert.ok(board.reportCounts.lost <= 2);
});
