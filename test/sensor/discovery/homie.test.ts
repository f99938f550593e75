import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnectPacket } from "mqtt-packet";
import type { BrokerScript } from "../../client/scripted-broker";
import { HOUR, MINUTE } from "../support/payloads";
import type { Overrides } from "../support/test-board";
import { AnnouncedBoard, discovery, homieSettings } from "./announced-board";
import { HomieDevice } from "./rules";

const STATE = "homie/5/node/$state";

function deviceOf(node: AnnouncedBoard): HomieDevice {
	const device = new HomieDevice("homie/5/node");
	for (const { topic, payload, retain } of node.published())
		device.receive(topic, payload.toString(), retain);
	return device;
}

describe("Homie 5", () => {
	test("states, description and values keep to the convention; an ordinary wake sends values alone", () => {
		const node = new AnnouncedBoard(
			homieSettings({
				sensors: [
					{ name: "temperature", decimals: 1, declared: { unit: "°C" } },
					{ name: "count-2", property: ["count"], decimals: 0, unit: "#" },
				],
			}),
		);
		node.board.sample = (time) => ({ temperature: -3.25 + time / MINUTE, count: time });
		node.board.run(HOUR - 1);
		const device = deviceOf(node);
		assert.deepEqual(device.states, ["init", "ready", "sleeping"]);
		device.checkValues();
		const { version, ...description } = device.description!;
		assert.ok(version > 0);
		assert.deepEqual(description, {
			homie: "5.0",
			name: "node",
			nodes: {
				sensors: {
					name: "Sensors",
					properties: {
						temperature: { name: "Temperature", datatype: "float", unit: "°C" },
						"count-2": { name: "Count 2", datatype: "integer", unit: "#" },
					},
				},
			},
		});
		assert.equal(node.published().length, 2 * 60 + 4);
		const [{ will }] = node.broker.packets as [IConnectPacket];
		assert.deepEqual(
			[will?.topic, will?.payload.toString(), will?.retain, will?.qos],
			[STATE, "lost", true, 1],
		);
	});

	test("a connection that was lost: the state follows with the next report", () => {
		let cuts = false;
		const script: BrokerScript = {
			answer: (packet, connection) => {
				if (packet.cmd === "publish" && cuts) connection.end();
				return packet.cmd === "publish" && cuts;
			},
		};
		const node = new AnnouncedBoard(homieSettings(), script);
		node.board.run(10 * MINUTE - 1);
		assert.deepEqual(deviceOf(node).states, ["init", "ready", "sleeping"]);
		cuts = true;
		node.board.run(MINUTE);
		cuts = false;
		node.board.run(10 * MINUTE);
		assert.deepEqual(node.payloads(STATE), ["init", "ready", "sleeping", "sleeping"]);
		assert.equal(node.board.reportCounts.lost, 0);
	});

	test("a crash while connected: the state follows with the next report", () => {
		const node = new AnnouncedBoard(homieSettings());
		node.board.run(10 * MINUTE);
		const from = node.broker.packets.length;
		node.board.run(250);
		node.board.reset("crash");
		node.board.run(10 * MINUTE);
		assert.deepEqual(node.payloads(STATE, from), ["sleeping"]);
	});

	test("without sleep: ready after each connection, since the will has said lost", () => {
		const node = new AnnouncedBoard(homieSettings({ sleep: { mode: "none" } }));
		node.board.run(10 * MINUTE - 1);
		assert.deepEqual(node.payloads(STATE), ["init", "ready"]);
		node.broker.connections.at(-1)!.end();
		node.board.run(10 * MINUTE);
		assert.deepEqual(node.payloads(STATE), ["init", "ready", "ready"]);
		assert.equal(deviceOf(node).state, "ready");
	});

	test("together with Home Assistant, whose entities read Homie's topics", () => {
		const both = homieSettings({ discovery: discovery(["homie", "homeassistant"]) });
		const node = new AnnouncedBoard(both);
		node.board.run(HOUR - 1);
		const config = JSON.parse(node.payloads("homeassistant/device/node/config")[0]!);
		assert.equal(config.cmps.temperature.stat_t, "homie/5/node/sensors/temperature");
		assert.deepEqual(node.payloads(STATE), ["init", "ready", "sleeping"]);
	});

	test("the version of the description rises when it is another, and stays when it is not, over losses of power", () => {
		const named = (name: string): Overrides => homieSettings({ sensors: [{ name }] });
		const node = new AnnouncedBoard(named("a"));
		const powerOn = (overrides: Overrides): void => {
			node.configure(overrides);
			node.board.retained.bytes.fill(0x5a);
			node.board.reset("power-on");
			node.board.run(2 * MINUTE);
		};
		node.board.run(2 * MINUTE);
		for (const name of ["a", "b", "b", "a", "c"]) powerOn(named(name));
		const versions = node
			.payloads("homie/5/node/$description")
			.map((description) => JSON.parse(description).version as number);
		assert.deepEqual(
			versions.slice(1).map((version, i) => Math.sign(version - versions[i]!)),
			[0, 1, 0, 1, 1],
		);
		assert.ok(versions.every((version) => Number.isSafeInteger(version)));
	});

	test("after firmware that stored no version, which was a hash: the next one is higher", () => {
		const node = new AnnouncedBoard(homieSettings({ sensors: [{ name: "a" }] }));
		const storage = node.board.storage!.open({ path: "firefly-node", format: "buffer" });
		storage.write("announced", new TextEncoder().encode("\nhomie/5/node\na\n"));
		storage.close();
		node.board.run(2 * MINUTE);
		const { version } = JSON.parse(node.payloads("homie/5/node/$description")[0]!);
		assert.ok(version > 0xffff_ffff);
	});
});
