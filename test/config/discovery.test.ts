import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readSettings } from "../../src/config/settings";
import { flattenSettings } from "./flat-settings";

const identity = { mac: "a0b1c2d3e4f5", chip: "esp32" };
const sensors = [{ name: "t", driver: "sht3x", property: "thermometer.temperature" }];

function read(firefly: object, driverProperties?: unknown) {
	const traces: string[] = [];
	const config = {
		firefly: { broker: { url: "mqtt://b" }, sensors, ...firefly },
		...(driverProperties === undefined ? {} : { driverProperties }),
	};
	return { settings: readSettings(config, identity, (message) => traces.push(message)), traces };
}

const options = {
	prefix: "homeassistant",
	domain: "homie",
	name: "{id}",
	manufacturer: "Firefly",
	model: "{chip}",
};

test("without discovery there are no settings of it, and nothing is read of what drivers declare", () => {
	const { settings, traces } = read({}, { sht3x: "nonsense" });
	assert.deepEqual([settings.discovery, settings.sensors[0]!.declared, traces], [undefined, undefined, []]);
});

test("a word, a list and an object are read alike", () => {
	for (const discovery of ["homeassistant", ["homeassistant"], { formats: "homeassistant" }])
		assert.deepEqual(read({ discovery }).settings.discovery, { ...options, formats: ["homeassistant"] });
});

test("what the driver's manifest says of the property stands beside what the user says", () => {
	const { settings, traces } = read(
		{ discovery: "homeassistant" },
		{ sht3x: { "thermometer.temperature": { unit: "°C", deviceClass: "temperature", decimals: 1 } } },
	);
	assert.deepEqual(traces, []);
	assert.deepEqual(settings.sensors[0]!.declared, { unit: "°C", deviceClass: "temperature", decimals: 1 });
	assert.equal(settings.sensors[0]!.unit, undefined);
});

test("the Homie convention decides topic and will", () => {
	const { settings, traces } = read({ id: "shed-{mac}", discovery: { formats: "homie", domain: "house" } });
	assert.deepEqual(traces, []);
	assert.equal(settings.topic, "house/5/shed-a0b1c2d3e4f5/sensors/{sensor}");
	assert.deepEqual(flattenSettings(settings).broker.will, {
		topic: "house/5/shed-a0b1c2d3e4f5/$state",
		payload: "lost",
		qos: 1,
		retain: true,
		delay: 0,
	});
});

describe("a format that this node cannot have is traced and left out", () => {
	const rows: readonly (readonly [object, readonly string[] | undefined, string])[] = [
		[
			{ id: "a.b", discovery: "homeassistant" },
			undefined,
			`config.firefly.id: "a.b" holds a full stop, which Home Assistant's discovery topics do not allow`,
		],
		[
			{ id: "A", discovery: ["homie", "homeassistant"] },
			["homeassistant"],
			'config.firefly.id: "A" is not lower-case letters, digits and -, as the Homie convention wants it',
		],
		[
			{ payload: "json", topic: "a", discovery: "homie" },
			undefined,
			'config.firefly.payload: "json" is none that the Homie convention has',
		],
		[
			{ sensors: [{ name: "A", driver: "d" }], discovery: "homie" },
			undefined,
			"config.firefly.sensors: a list has the name A, which Homie does not allow",
		],
		[
			{ discovery: "mqtt" },
			undefined,
			'config.firefly.discovery.formats: "mqtt" is not of homeassistant, homie, none',
		],
	];
	for (const [firefly, formats, trace] of rows)
		test(trace, () => {
			const { settings, traces } = read(firefly);
			assert.deepEqual(traces, [trace]);
			assert.deepEqual(settings.discovery?.formats, formats);
		});
});
