import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION } from "../../../src/version";
import { HOUR, MINUTE } from "../support/payloads";
import { AnnouncedBoard, CONFIG_TOPIC, discovery, homieSettings } from "./announced-board";
import { readDeviceConfig, SensorEntity } from "./rules";

const homeAssistant = { discovery: discovery(["homeassistant"]) };
const REPORT_TOPIC = "home/node/temperature";

describe("when the node announces itself to Home Assistant", () => {
	test("power-on: after the first report, retained, with QoS 1, and never again on ordinary wakes", () => {
		const node = new AnnouncedBoard(homeAssistant);
		node.board.run(24 * HOUR - 1);
		assert.deepEqual(node.topics().slice(0, 3), [REPORT_TOPIC, CONFIG_TOPIC, REPORT_TOPIC]);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.equal(node.payloads(REPORT_TOPIC).length, 24 * 60);
		const { qos, retain, dup } = node.published()[1]!;
		assert.deepEqual([qos, retain, dup], [1, true, false]);
	});

	test("a reset button: again; a wake after deep sleep, a crash or the watchdog: not", () => {
		const node = new AnnouncedBoard(homeAssistant);
		node.board.run(2 * MINUTE - 1);
		for (const [reason, count] of [
			["reset", 2],
			["crash", 2],
			["watchdog", 2],
			["brown-out", 3],
			["power-on", 4],
		] as const) {
			node.board.reset(reason);
			node.board.run(2 * MINUTE - 1);
			assert.equal(node.payloads(CONFIG_TOPIC).length, count, reason);
		}
		assert.equal(node.board.reportCounts.lost, 0);
	});

	test("a reset button between two reports: with the next report, which another wake sends", () => {
		for (const [overrides, topic] of [
			[homeAssistant, CONFIG_TOPIC],
			[homieSettings(), "homie/5/node/$description"],
		] as const) {
			const node = new AnnouncedBoard(overrides);
			node.board.run(2.5 * MINUTE);
			const before = node.broker.packets.length;
			node.board.reset("reset");
			node.board.run(MINUTE / 4);
			assert.equal(node.broker.packets.length, before, "nothing to report");
			node.board.run(5 * MINUTE);
			assert.equal(node.payloads(topic, before).length, 1, topic);
		}
	});

	test("changed settings: once more, with the next report", () => {
		const node = new AnnouncedBoard(homeAssistant);
		node.board.run(MINUTE - 1);
		node.configure({ discovery: discovery(["homeassistant"], { name: "Shed" }) });
		node.board.run(10 * MINUTE);
		const configs = node.payloads(CONFIG_TOPIC);
		assert.deepEqual(
			configs.map((config) => readDeviceConfig(CONFIG_TOPIC, config).device.name),
			["node", "Shed"],
		);
	});

	test("another broker: it is announced there too", () => {
		const node = new AnnouncedBoard(homeAssistant);
		node.board.run(MINUTE - 1);
		node.configure({ ...homeAssistant, broker: { host: "10.0.0.2" } });
		node.board.run(10 * MINUTE);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 2);
	});

	test("without discovery: nothing is announced, and what was is not read", () => {
		const node = new AnnouncedBoard({});
		const paths: string[] = [];
		node.board.storage = {
			open: ({ path }) => {
				paths.push(path);
				throw new Error("opened");
			},
		};
		node.board.run(HOUR);
		assert.ok(!paths.includes("firefly-node"));
		assert.deepEqual([...new Set(node.topics())], [REPORT_TOPIC]);
	});
});

describe("what it announces", () => {
	const sensors = [
		{ name: "outside-air", property: ["temperature"], every: 10 * MINUTE, decimals: 2 },
		{
			name: "soil",
			property: ["moisture"],
			unit: "%",
			deviceClass: "moisture",
			stateClass: "none" as const,
			icon: "mdi:sprout",
			every: 10 * MINUTE,
			delta: 1,
			heartbeat: 65 * MINUTE,
			qos: 0 as const,
		},
		{ name: "steady", property: ["temperature"], delta: 1, declared: { unit: "°C", decimals: 1 } },
		{
			name: "meter",
			property: ["temperature"],
			every: 1000,
			declared: { unit: "kWh", deviceClass: "energy" },
		},
	];

	test("device, origin, and a component for each sensor, as Home Assistant's rules want it", () => {
		const node = new AnnouncedBoard({
			discovery: discovery(["homeassistant"], { prefix: "ha/x", name: "Shed {mac}", area: "Garden" }),
			sensors,
		});
		node.board.sample = () => ({ temperature: 20, moisture: 40 });
		node.board.run(MINUTE);
		const topic = "ha/x/device/node/config";
		assert.deepEqual(readDeviceConfig(topic, node.payloads(topic)[0]!), {
			device: {
				identifiers: ["node"],
				name: "Shed a0b1c2d3e4f5",
				manufacturer: "Firefly",
				model: "test",
				sw_version: VERSION,
				suggested_area: "Garden",
			},
			origin: { name: "Firefly", sw_version: VERSION },
			components: {
				"outside-air": {
					platform: "sensor",
					name: "Outside air",
					unique_id: "node_outside-air",
					state_topic: "home/node/outside-air",
					state_class: "measurement",
					suggested_display_precision: 2,
					expire_after: 25 * 60,
					qos: 1,
				},
				soil: {
					platform: "sensor",
					name: "Soil",
					unique_id: "node_soil",
					state_topic: "home/node/soil",
					unit_of_measurement: "%",
					device_class: "moisture",
					expire_after: 2.5 * 70 * 60,
					icon: "mdi:sprout",
					qos: 0,
				},
				steady: {
					platform: "sensor",
					name: "Steady",
					unique_id: "node_steady",
					state_topic: "home/node/steady",
					unit_of_measurement: "°C",
					state_class: "measurement",
					suggested_display_precision: 1,
					qos: 1,
				},
				meter: {
					platform: "sensor",
					name: "Meter",
					unique_id: "node_meter",
					state_topic: "home/node/meter",
					unit_of_measurement: "kWh",
					device_class: "energy",
					state_class: "total_increasing",
					expire_after: 60,
					qos: 1,
				},
			},
		});
	});

	test("what the user says goes before what the driver declares", () => {
		const declared = { unit: "°C", deviceClass: "temperature", decimals: 1 };
		const own = { unit: "K", deviceClass: "temperature_delta", stateClass: "total" as const, decimals: 3 };
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: [{ declared, ...own }] });
		node.board.run(MINUTE);
		const { components } = readDeviceConfig(CONFIG_TOPIC, node.payloads(CONFIG_TOPIC)[0]!);
		const { unit_of_measurement, device_class, state_class, suggested_display_precision } =
			components.temperature!;
		assert.deepEqual(
			[unit_of_measurement, device_class, state_class, suggested_display_precision],
			["K", "temperature_delta", "total", 3],
		);
	});

	test("an empty unit is none, in both formats", () => {
		const node = new AnnouncedBoard(
			homieSettings({
				discovery: discovery(["homeassistant", "homie"]),
				sensors: [{ name: "acidity", unit: "", deviceClass: "ph", declared: { unit: "mV" } }],
			}),
		);
		node.board.run(MINUTE);
		const { acidity } = readDeviceConfig(CONFIG_TOPIC, node.payloads(CONFIG_TOPIC)[0]!).components;
		assert.deepEqual([acidity?.device_class, acidity?.unit_of_measurement], ["ph", undefined]);
		const description = JSON.parse(node.payloads("homie/5/node/$description")[0]!);
		assert.deepEqual(description.nodes.sensors.properties, {
			acidity: { name: "Acidity", datatype: "float" },
		});
	});

	test("JSON for several sensors: each entity finds its value, and keeps it where a report lacks it", () => {
		const node = new AnnouncedBoard({
			...homeAssistant,
			payload: "json",
			topic: "home/{id}",
			sensors: [
				{ name: "a.b", property: ["a"] },
				{ name: "c", property: ["c"], every: 2 * MINUTE },
			],
		});
		node.board.sample = (time) => ({ a: time, c: time });
		node.board.run(2 * MINUTE - 1);
		const { components } = readDeviceConfig(CONFIG_TOPIC, node.payloads(CONFIG_TOPIC)[0]!);
		const entities = Object.values(components).map((component) => new SensorEntity(component));
		assert.deepEqual(
			Object.values(components).map(({ state_topic }) => state_topic),
			["home/node", "home/node"],
		);
		for (const payload of node.payloads("home/node"))
			for (const entity of entities) entity.receive(0, payload);
		assert.deepEqual(
			entities.map(({ value }) => value),
			["60000", "0"],
		);
	});

	test("arrays of late samples: each entity takes the newest value that its array holds", () => {
		const node = new AnnouncedBoard({
			...homeAssistant,
			payload: "history",
			topic: "home/{id}",
			sensors: [
				{ name: "a.b", property: ["a"] },
				{ name: "c", property: ["c"], every: 2 * MINUTE },
			],
		});
		node.board.sample = (time) => ({ a: time, c: time });
		node.board.run(MINUTE);
		node.board.wifi = "fails";
		node.board.run(4 * MINUTE);
		node.board.wifi = "joins";
		node.board.run(4 * MINUTE - 1);
		const { components } = readDeviceConfig(CONFIG_TOPIC, node.payloads(CONFIG_TOPIC)[0]!);
		const entities = Object.values(components).map((component) => new SensorEntity(component));
		assert.ok(node.payloads("home/node").some((payload) => JSON.parse(payload).length > 1));
		for (const payload of node.payloads("home/node"))
			for (const entity of entities) entity.receive(0, payload);
		assert.deepEqual(
			entities.map(({ value }) => value),
			["480000", "480000"],
		);
	});

	test("sixteen sensors with long names and texts beyond ASCII, through a send buffer of 256 bytes", () => {
		const long = Array.from({ length: 16 }, (_, i) => ({
			name: `${"n".repeat(30)}${String(i).padStart(2, "0")}`,
			property: ["temperature"],
			unit: "µg/m³",
		}));
		for (const version of [4, 5] as const) {
			const node = new AnnouncedBoard(
				{
					discovery: discovery(["homeassistant"], { area: "Gärtnerei ☂ 🌱", name: 'a "b" \\' }),
					sensors: long,
					broker: { sendBuffer: 256, version },
				},
				{ version },
			);
			node.board.run(2 * MINUTE - 1);
			const payload = node.payloads(CONFIG_TOPIC)[0]!;
			assert.ok(payload.length > 3000);
			const { device, components } = readDeviceConfig(CONFIG_TOPIC, payload);
			assert.deepEqual([device.suggested_area, device.name], ["Gärtnerei ☂ 🌱", 'a "b" \\']);
			assert.deepEqual(
				Object.keys(components),
				long.map(({ name }) => name),
			);
			assert.equal(node.board.reportCounts.lost, 0);
			assert.equal(node.board.events("failed").length, 0);
		}
	});
});
