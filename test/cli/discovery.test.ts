import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
	binaryDeviceClasses,
	deviceClasses,
	sameUnit,
	stateClassesOf,
	unitsOf,
} from "../../cli/config/device-classes";
import { JSONDocument } from "../../cli/config/json";
import { ruleProblems } from "../../cli/config/rules";
import { schemaProblems } from "../../cli/config/schema-problems";
import { configWarnings } from "../../cli/config/warnings";
import { Manifest } from "../../src/config/schema/manifest";

const drivers = {
	sht3x: {
		"thermometer.temperature": { unit: "°C", deviceClass: "temperature", decimals: 1 },
	},
	digital: { "contact.open": { decimals: 0, deviceClass: "opening", binary: true } },
};
const contact = { name: "door", driver: "digital", property: "contact.open" };
const thermometer = { name: "t", driver: "sht3x", property: "thermometer.temperature" };

function document(firefly: object): JSONDocument {
	const config = {
		driverProperties: drivers,
		firefly: { wifi: { ssid: "n" }, broker: { url: "mqtt://b" }, sensors: [thermometer], ...firefly },
	};
	return new JSONDocument("m.json", JSON.stringify({ include: ["x"], config }));
}

function problemsOf(firefly: object): string[] {
	const whole = document(firefly);
	return [...schemaProblems(whole, Manifest, ["config", "firefly"]), ...ruleProblems(whole, {})].map(
		({ path, message }) => `${path.replace("config.firefly.", "")}: ${message}`,
	);
}

function warningsOf(firefly: object): string[] {
	return configWarnings(document(firefly), { wifi_password: "p4ssword" }).map(
		({ path, message }) => `${path.replace("config.firefly.", "")}: ${message}`,
	);
}

describe("discovery that can be announced has no problems", () => {
	for (const discovery of [
		"homeassistant",
		"homie",
		"none",
		["homeassistant"],
		["homeassistant", "homie"],
		{ formats: "homie", domain: "house" },
		{
			formats: ["homeassistant"],
			prefix: "ha/x",
			name: "Shed {mac}",
			manufacturer: "M",
			model: "1",
			area: "A",
		},
	])
		test(JSON.stringify(discovery), () => {
			assert.deepEqual(problemsOf({ discovery }), []);
			assert.deepEqual(warningsOf({ discovery }), []);
		});

	test("a contact: as its driver declares it, as another class of states, as a number", () => {
		for (const more of [{}, { deviceClass: "door" }, { unit: "%", deviceClass: "moisture" }])
			assert.deepEqual(problemsOf({ discovery: "homeassistant", sensors: [{ ...contact, ...more }] }), []);
	});

	test("units of the newest device classes, angles", () => {
		for (const [deviceClass, unit] of [
			["pm4", "ng/m³"],
			["ozone", "ppt"],
			["speed", "mm/d"],
			["wind_direction", "°"],
			["radon", "pCi/L"],
		])
			assert.deepEqual(
				problemsOf({
					discovery: "homeassistant",
					sensors: [{ name: "x", driver: "own", deviceClass, unit }],
				}),
				[],
			);
		const angle = { name: "x", driver: "own", unit: "°", stateClass: "measurement_angle" };
		assert.deepEqual(problemsOf({ discovery: "homeassistant", sensors: [angle] }), []);
	});

	test("no unit, of a sensor whose driver declares one", () => {
		for (const deviceClass of ["ph", "power_factor", "aqi"])
			assert.deepEqual(
				problemsOf({ discovery: "homeassistant", sensors: [{ ...thermometer, deviceClass, unit: "" }] }),
				[],
			);
	});

	test("a topic that is the one of the Homie convention", () =>
		assert.deepEqual(problemsOf({ discovery: "homie", topic: "homie/5/{id}/sensors/{sensor}" }), []));
});

describe("discovery that cannot be announced is a problem, with what to do", () => {
	const rows: readonly (readonly [string, object, ...string[]])[] = [
		[
			"a misspelt format",
			{ discovery: "homeasistant" },
			'discovery: "homeasistant" is not one of "homeassistant", "homie", "none"; did you mean "homeassistant"?',
		],
		[
			"a misspelt format in a list",
			{ discovery: ["homie", "home"] },
			'discovery[1]: "home" is not one of "homeassistant", "homie", "none"; did you mean "homie"?',
		],
		[
			"no format",
			{ discovery: { name: "x" } },
			'discovery: needs "formats": "homeassistant", "homie", both in a list, or "none"',
		],
		["a number", { discovery: 5 }, 'discovery: 5 is not one of "homeassistant", "homie", "none"'],
		[
			"an unknown key",
			{ discovery: { formats: "homie", nam: "x" } },
			'discovery.nam: is not a known key; did you mean "name"?',
		],
		[
			"a misspelt format in an object",
			{ discovery: { formats: ["homi"] } },
			'discovery.formats[0]: "homi" is not one of "homeassistant", "homie", "none"; did you mean "homie"?',
		],
		[
			"a prefix with a wildcard",
			{ discovery: { formats: "homeassistant", prefix: "a/#" } },
			'discovery.prefix: "a/#" holds a wildcard, which only subscriptions may',
		],
		[
			"a prefix that ends with a slash",
			{ discovery: { formats: "homeassistant", prefix: "homeassistant/" } },
			'discovery.prefix: "homeassistant/" begins or ends with /',
		],
		[
			"a domain of several levels",
			{ discovery: { formats: "homie", domain: "a/b" } },
			'discovery.domain: "a/b" is not lower-case letters, digits and -, as the Homie convention wants it',
		],
		[
			"taking back and announcing",
			{ discovery: ["none", "homie"] },
			'discovery: "none" takes back what was announced, and goes with no other format',
		],
		[
			"an id that Home Assistant's topics do not allow",
			{ id: "shed.{mac}", discovery: "homeassistant" },
			`id: "shed.{mac}" holds a full stop, which Home Assistant's discovery topics do not allow`,
		],
		[
			"an id that Homie's topics do not allow",
			{ id: "Shed_{mac}", discovery: "homie" },
			'id: "Shed_{mac}" is not lower-case letters, digits and -, as the Homie convention wants it',
		],
		[
			"a sensor's name that Homie's topics do not allow",
			{ discovery: "homie", sensors: [{ ...thermometer, name: "T_1" }] },
			'sensors[0].name: "T_1" is not lower-case letters, digits and -, as the Homie convention wants it',
		],
		[
			"what the Homie convention decides",
			{
				discovery: { formats: "homie", domain: "house" },
				topic: "home/{sensor}",
				payload: "json",
				broker: { url: "mqtt://b", will: {} },
				sensors: [{ ...thermometer, name: "t", retain: false }],
			},
			'topic: "home/{sensor}" is not house/5/{id}/sensors/{sensor}, where the Homie convention wants the values; leave it out',
			"payload: is none that the Homie convention has: it wants bare values",
			"broker.will: is set by the Homie convention, which needs it; leave it out",
			"sensors[0].retain: false is against the Homie convention, which retains all values",
		],
		[
			"a unit that does not fit the driver's device class",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, unit: "C" }] },
			'sensors[0].unit: "C" is no unit that Home Assistant takes for temperature: °C, °F, K',
		],
		[
			"a device class that does not fit the driver's unit",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, deviceClass: "humidity" }] },
			'sensors[0].deviceClass: "°C" is no unit that Home Assistant takes for humidity: %',
		],
		[
			"a device class that needs a unit",
			{ discovery: "homeassistant", sensors: [{ name: "x", driver: "own", deviceClass: "battery" }] },
			"sensors[0].deviceClass: lacks the unit that Home Assistant wants for battery: %",
		],
		...(
			[
				["power", "BTU/h", "mW, W, kW, MW, GW, TW"],
				["wind_speed", "mm/d", "ft/s, in/s, m/s, m/min, km/h, mm/s, mph, kn, Beaufort"],
				["carbon_monoxide", "g/m³", "ppm, ppb, ppt, mg/m³, µg/m³, ng/m³"],
			] as const
		).map(
			([deviceClass, unit, units]) =>
				[
					`a unit that Home Assistant has for other classes than ${deviceClass}`,
					{ discovery: "homeassistant", sensors: [{ name: "x", driver: "own", deviceClass, unit }] },
					`sensors[0].unit: ${JSON.stringify(unit)} is no unit that Home Assistant takes for ${deviceClass}: ${units}`,
				] as const,
		),
		[
			"a state class of angles for what is none",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, stateClass: "measurement_angle" }] },
			'sensors[0].stateClass: "measurement_angle" needs the unit °, and Home Assistant takes no other',
		],
		[
			"a state class of angles without a unit",
			{
				discovery: "homeassistant",
				sensors: [{ name: "x", driver: "own", stateClass: "measurement_angle" }],
			},
			'sensors[0].stateClass: "measurement_angle" needs the unit °, and Home Assistant takes no other',
		],
		[
			"an unknown device class",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, deviceClass: "temprature" }] },
			'sensors[0].deviceClass: "temprature" is no device class of Home Assistant for numbers; did you mean "temperature"?',
		],
		[
			"a device class of numbers for a value that is on or off",
			{ discovery: "homeassistant", sensors: [{ ...contact, deviceClass: "humidity" }] },
			'sensors[0].deviceClass: "humidity" is no device class of Home Assistant for values that are on or off',
		],
		[
			"a device class of states for what is a number by its state class",
			{
				discovery: "homeassistant",
				sensors: [{ ...contact, deviceClass: "window", stateClass: "measurement" }],
			},
			'sensors[0].deviceClass: "window" is no device class of Home Assistant for numbers',
		],
		[
			"an icon without a set",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, icon: "sprout" }] },
			'sensors[0].icon: "sprout" is not an icon such as "mdi:sprout"',
		],
	];
	for (const [name, firefly, ...problems] of rows)
		test(name, () => assert.deepEqual(problemsOf(firefly), problems));
});

describe("discovery that is hardly as it is meant is warned of", () => {
	const rows: readonly (readonly [string, object, string])[] = [
		[
			"a deadband without heartbeat: Home Assistant never learns that the node is dead",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, delta: 1 }] },
			"sensors[0].delta: without heartbeat, a value that stays within it is not reported again, however long; so Home Assistant cannot tell a dead node from a steady value",
		],
		[
			"a state class that does not suit the device class",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, stateClass: "total" }] },
			'sensors[0].stateClass: "total" does not suit temperature; Home Assistant expects measurement',
		],
		[
			"values that are not retained",
			{ discovery: "homeassistant", sensors: [{ ...thermometer, retain: false }] },
			"sensors[0].retain: false: after a restart Home Assistant knows no value until the next report",
		],
		[
			"a name that node-homie does not take",
			{ discovery: "homie", sensors: [{ ...thermometer, name: "outside-" }] },
			'sensors[0].name: "outside-" has a hyphen at an end, which not every Homie controller takes',
		],
		[
			"keys of discovery without it",
			{ sensors: [{ ...thermometer, icon: "mdi:sprout" }] },
			"sensors[0].icon: has no effect without discovery",
		],
	];
	for (const [name, firefly, warning] of rows)
		test(name, () => assert.deepEqual(warningsOf(firefly), [warning]));
});

test("what Firefly's own drivers declare fits Home Assistant's device classes", () => {
	const folder = new URL("../../firmware/drivers/", import.meta.url);
	let properties = 0;
	for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
		if (!file.endsWith("/manifest.json")) continue;
		const { config } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
		for (const declared of Object.values(config.driverProperties) as object[])
			for (const { unit, deviceClass, binary } of Object.values(declared)) {
				if (binary) {
					assert.ok(deviceClass === undefined || binaryDeviceClasses.includes(deviceClass), deviceClass);
					assert.equal(unit, undefined);
					continue;
				}
				assert.ok(deviceClasses.includes(deviceClass), deviceClass);
				assert.ok(unitsOf(deviceClass).includes(unit), `${deviceClass} in ${unit}`);
				properties++;
			}
	}
	assert.ok(properties > 15);
});

test("both characters for micro are the same unit; every device class has a unit or none, and a state class", () => {
	assert.ok(sameUnit("μg/m³", "µg/m³"));
	for (const deviceClass of deviceClasses) {
		assert.ok(unitsOf(deviceClass).length > 0 && stateClassesOf(deviceClass).length > 0);
		assert.equal(new Set(unitsOf(deviceClass)).size, unitsOf(deviceClass).length, deviceClass);
	}
	assert.ok(unitsOf("volume").includes("fl. oz."));
});
