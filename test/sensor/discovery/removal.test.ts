import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR, MINUTE } from "../support/payloads";
import type { Overrides } from "../support/test-board";
import { AnnouncedBoard, CONFIG_TOPIC, discovery, homieSettings } from "./announced-board";
import { HomieDevice, readDeviceConfig } from "./rules";

const sensors = (...names: string[]): readonly { name: string }[] => names.map((name) => ({ name }));
const homeAssistant = { discovery: discovery(["homeassistant"]) };

/** Announces with the first settings, loses power, and runs with the others. @returns all messages since */
function reconfigured(first: Overrides, then: Overrides) {
	const node = new AnnouncedBoard(first);
	node.board.run(MINUTE - 1);
	node.configure(then);
	node.board.retained.bytes.fill(0x5a);
	node.board.reset("power-on");
	const from = node.broker.packets.length;
	node.board.run(HOUR);
	return { node, from };
}

describe("what is no longer there is taken back, also after loss of power", () => {
	test("a sensor: by its platform alone, then without it", () => {
		const { node, from } = reconfigured(
			{ ...homeAssistant, sensors: sensors("a", "b", "c") },
			{ ...homeAssistant, sensors: sensors("c", "d") },
		);
		const configs = node
			.payloads(CONFIG_TOPIC, from)
			.map((config) => readDeviceConfig(CONFIG_TOPIC, config).components);
		assert.deepEqual(
			configs.map((components) => Object.keys(components)),
			[
				["c", "d", "a", "b"],
				["c", "d"],
			],
		);
		assert.deepEqual([configs[0]!.a, configs[0]!.b], [{ platform: "sensor" }, { platform: "sensor" }]);
	});

	test("a device with another id: its topic is emptied first", () => {
		const { node, from } = reconfigured(homeAssistant, { ...homeAssistant, id: "shed" });
		const topics = node.topics(from).filter((topic) => topic.startsWith("homeassistant/"));
		assert.deepEqual(topics, [CONFIG_TOPIC, "homeassistant/device/shed/config"]);
		assert.deepEqual(node.payloads(CONFIG_TOPIC, from), [""]);
	});

	test('"none": everything, once', () => {
		const both = { ...homieSettings(), discovery: discovery(["homeassistant", "homie"]) };
		const { node, from } = reconfigured(both, { discovery: discovery(["none"]) });
		const cleared = node.published(from).filter(({ payload }) => payload.length === 0);
		assert.deepEqual(
			cleared.map(({ topic, retain, qos }) => [topic, retain, qos]),
			[
				CONFIG_TOPIC,
				"homie/5/node/$state",
				"homie/5/node/$description",
				"homie/5/node/sensors/temperature",
			].map((topic) => [topic, true, 1]),
		);
		const device = new HomieDevice("homie/5/node");
		for (const { topic, payload, retain } of node.published())
			if (topic.startsWith("homie/")) device.receive(topic, payload.toString(), retain);
		assert.deepEqual([device.state, device.description, device.values.size], ["", undefined, 0]);
		node.board.reset("power-on");
		node.board.run(HOUR);
		assert.equal(node.published().filter(({ payload }) => payload.length === 0).length, cleared.length);
	});

	test("a sensor of Homie: its value, while the description may change", () => {
		const { node, from } = reconfigured(
			homieSettings({ sensors: sensors("a", "b") }),
			homieSettings({ sensors: sensors("a") }),
		);
		assert.deepEqual(node.payloads("homie/5/node/sensors/b", from), [""]);
		const device = new HomieDevice("homie/5/node");
		for (const { topic, payload, retain } of node.published())
			device.receive(topic, payload.toString(), retain);
		device.checkValues();
		assert.deepEqual([...device.values.keys()], ["sensors/a"]);
		assert.equal(device.state, "sleeping");
	});

	test("without storage: the new sensors are announced, the old ones stay", () => {
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: sensors("a", "b") });
		node.board.storage = undefined;
		node.board.run(MINUTE - 1);
		node.configure({ ...homeAssistant, sensors: sensors("b") });
		node.board.run(HOUR);
		assert.deepEqual(
			node
				.payloads(CONFIG_TOPIC)
				.map((config) => Object.keys(readDeviceConfig(CONFIG_TOPIC, config).components)),
			[["a", "b"], ["b"]],
		);
	});
});
