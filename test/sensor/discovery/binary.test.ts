import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deviceClassOf, isBinary } from "../../../src/config/binary-value";
import type { SensorSettings } from "../../../src/config/types";
import { HOUR, MINUTE } from "../support/payloads";
import { settings } from "../support/test-board";
import { AnnouncedBoard, CONFIG_TOPIC, discovery, homieSettings } from "./announced-board";
import { DeviceEntities, HomieDevice, readDeviceConfig, SensorEntity } from "./rules";

const declared = { decimals: 0, deviceClass: "opening", binary: true };
const door = { name: "door", property: ["open"], declared };
const homeAssistant = { discovery: discovery(["homeassistant"]) };
const open = (time: number): object => ({ open: Math.floor(time / MINUTE) % 2, temperature: 20 });

/** Both states, by the time of arrival. */
const ALTERNATING = ["off", "on", "off", "on"];

function configsOf(node: AnnouncedBoard) {
	return node.payloads(CONFIG_TOPIC).map((config) => readDeviceConfig(CONFIG_TOPIC, config).components);
}

describe("a value that is 1 or 0: Home Assistant has it as a binary sensor", () => {
	test("bare values: on and off, with the device class that the driver declares, and no unit", () => {
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: [door] });
		node.board.sample = open;
		node.board.run(4 * MINUTE - 1);
		const [components] = configsOf(node);
		assert.deepEqual(components, {
			door: {
				platform: "binary_sensor",
				name: "Door",
				unique_id: "node_door",
				state_topic: "home/node/door",
				payload_on: "1",
				payload_off: "0",
				device_class: "opening",
				expire_after: 150,
				qos: 1,
			},
		});
		const entity = new SensorEntity(components!.door!);
		const states = node.payloads("home/node/door").map((payload) => {
			entity.receive(0, payload);
			return entity.value;
		});
		assert.deepEqual(states, ALTERNATING);
	});

	test("JSON and arrays of it: the entity finds its state", () => {
		for (const payload of ["json", "history"] as const) {
			const sensors = [door, { name: "temperature", every: 2 * MINUTE }];
			const node = new AnnouncedBoard({ ...homeAssistant, payload, topic: "home/{id}", sensors });
			node.board.sample = open;
			node.board.run(4 * MINUTE - 1);
			const entity = new SensorEntity(configsOf(node)[0]!.door!);
			const states = node.payloads("home/node").map((report) => {
				entity.receive(0, report);
				return entity.value;
			});
			assert.deepEqual(states, ALTERNATING, payload);
		}
	});

	test("the user's device class goes before the driver's", () => {
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: [{ ...door, deviceClass: "window" }] });
		node.board.sample = open;
		node.board.run(MINUTE);
		assert.equal(configsOf(node)[0]!.door!.device_class, "window");
	});

	test("what makes other numbers of it, or asks for one: a sensor, without the class of the states", () => {
		const complete = (more: Partial<SensorSettings>): SensorSettings =>
			settings({ sensors: [{ ...door, ...more }] }).sensors[0]!;
		const numbers: readonly Partial<SensorSettings>[] = [
			{ unit: "%" },
			{ stateClass: "measurement" },
			{ scale: 100 },
			{ offset: 1 },
			{ table: [0, 1, 1, 0] as unknown as NonNullable<SensorSettings["table"]> },
			{ decimals: 1 },
			{ samples: 3, aggregate: "mean" },
			{ samples: 4, aggregate: "median" },
			{ declared: { deviceClass: "illuminance" } },
		];
		for (const more of numbers) {
			assert.equal(isBinary(complete(more)), false, JSON.stringify(more));
			const expected = more.declared === undefined ? undefined : "illuminance";
			assert.equal(deviceClassOf(complete(more)), expected, JSON.stringify(more));
		}
		for (const more of [{}, { decimals: 0 }, { samples: 3, aggregate: "max" }] as const) {
			assert.equal(isBinary(complete(more)), true, JSON.stringify(more));
			assert.equal(deviceClassOf(complete(more)), "opening");
		}
	});
});

describe("Homie: the datatype is boolean", () => {
	test("values are true and false, and Home Assistant knows them as on and off", () => {
		const both = homieSettings({ sensors: [door, { name: "temperature" }] });
		const node = new AnnouncedBoard({ ...both, discovery: discovery(["homeassistant", "homie"]) });
		node.board.sample = open;
		node.board.run(4 * MINUTE - 1);
		const device = new HomieDevice("homie/5/node");
		for (const { topic, payload, retain } of node.published())
			if (topic.startsWith("homie/")) device.receive(topic, payload.toString(), retain);
		device.checkValues();
		const { properties } = device.description!.nodes.sensors!;
		assert.deepEqual([properties.door!.datatype, properties.temperature!.datatype], ["boolean", "float"]);
		const payloads = node.payloads("homie/5/node/sensors/door");
		assert.deepEqual(payloads, ["false", "true", "false", "true"]);
		const entity = new SensorEntity(configsOf(node)[0]!.door!);
		const states = payloads.map((payload) => {
			entity.receive(0, payload);
			return entity.value;
		});
		assert.deepEqual(states, ALTERNATING);
	});
});

describe("an announcement that changes: the old entity is taken back as what it was", () => {
	const number = { ...door, stateClass: "measurement" as const };
	const other = { name: "temperature" };

	/** Entities after each message, with the first settings, and after a loss of power with the others. */
	function entitiesOf(
		first: readonly Partial<SensorSettings>[],
		then: readonly Partial<SensorSettings>[],
		prepare: (node: AnnouncedBoard) => void = () => {},
	): string[][] {
		const node = new AnnouncedBoard({ ...homeAssistant, sensors: first });
		node.board.sample = open;
		node.board.run(MINUTE - 1);
		prepare(node);
		node.configure({ ...homeAssistant, sensors: then });
		node.board.losePower();
		node.board.run(HOUR);
		const device = new DeviceEntities();
		return node.payloads(CONFIG_TOPIC).map((payload) => {
			device.receive(CONFIG_TOPIC, payload);
			return [...device.entities].sort();
		});
	}

	test("a number becomes on or off: its sensor is removed, then the binary sensor comes", () =>
		assert.deepEqual(entitiesOf([number, other], [door, other]), [
			["sensor door", "sensor temperature"],
			["sensor temperature"],
			["binary_sensor door", "sensor temperature"],
		]));

	test("what an earlier firmware has announced, which knew no binary sensors: the same", () =>
		assert.deepEqual(
			entitiesOf([number], [other, door], (node) => {
				const flash = node.board.storage!.open({ path: "firefly-node", format: "buffer" });
				const stored = new Uint8Array(64);
				const length = flash.read("announced", stored)!;
				assert.equal(Buffer.from(stored.subarray(0, length)).toString(), `${CONFIG_TOPIC}\n\ndoor\n`);
				flash.close();
			}),
			[["sensor door"], ["sensor temperature"], ["binary_sensor door", "sensor temperature"]],
		));

	test("on or off becomes a number: its binary sensor is removed first", () =>
		assert.deepEqual(entitiesOf([door], [number]), [["binary_sensor door"], [], ["sensor door"]]));

	test("a binary sensor is no more: it is removed as one", () =>
		assert.deepEqual(entitiesOf([door, other], [other]), [
			["binary_sensor door", "sensor temperature"],
			["sensor temperature"],
			["sensor temperature"],
		]));

	test("nothing has changed: one message, and nothing is removed", () =>
		assert.deepEqual(entitiesOf([door], [door]), [["binary_sensor door"], ["binary_sensor door"]]));

	test("Homie, with other kinds and without a sensor: its values are emptied by name", () => {
		const node = new AnnouncedBoard(homieSettings({ sensors: [door, { ...door, name: "gate" }] }));
		node.board.sample = open;
		node.board.run(MINUTE - 1);
		node.configure(homieSettings({ sensors: [number] }));
		node.board.losePower();
		node.board.run(HOUR);
		const emptied = node.published().filter(({ payload }) => payload.length === 0);
		assert.deepEqual(
			emptied.map(({ topic }) => topic),
			["homie/5/node/sensors/gate"],
		);
	});
});
