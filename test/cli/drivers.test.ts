import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadManifest } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";
import { Project } from "./project";

const own = fileURLToPath(new URL("../../firmware/drivers", import.meta.url));
const DRIVERS = ["sht3x", "bmp280", "battery", "ccs811", "scd4x", "ds18b20", "digital", "ntc", "virtual"];

describe("what drivers declare, in a manifest", () => {
	const project = new Project({ "firmware/manifest.json": "{}" });
	const directory = process.cwd();
	before(() => {
		process.chdir(project.directory);
		for (const shared of ["sensor-bus", "analog-pin"])
			copyInto(`${shared}.declaration.json`, `firmware/drivers/${shared}.declaration.json`);
		for (const name of DRIVERS)
			for (const file of ["manifest.json", `${name}.declaration.json`])
				copyInto(`${name}/${file}`, `firmware/drivers/${name}/${file}`);
	});
	after(() => {
		process.chdir(directory);
		project.remove();
	});

	function copyInto(from: string, to: string): void {
		mkdirSync(join(project.directory, to, ".."), { recursive: true });
		copyFileSync(join(own, from), join(project.directory, to));
	}

	/** The sensors begin at column 13 of line 4. */
	function load(sensors: string, more: readonly string[] = [], settings = "", rest = "", platform?: string) {
		const includes = DRIVERS.map((name) => `firmware/drivers/${name}/manifest.json`);
		project.write(
			"manifest.json",
			`{\n"include": ${JSON.stringify(["firmware/manifest.json", ...includes, ...more])},\n"config": {"firefly": {${settings}"wifi": {"ssid": "n"}, "broker": {"url": "mqtt://b"},\n"sensors": [${sensors}]}}${rest && `, ${rest}`}}`,
		);
		return loadManifest("manifest.json", { FIREFLY_WIFI_PASSWORD: "p4ssword" }, {}, true, platform);
	}
	const problemsOf = (sensors: string, more?: readonly string[]): string[] => {
		const loaded = load(sensors, more);
		return "problems" in loaded
			? loaded.problems.map((problem) => formatProblem(problem).replace(/^manifest.json:4:/, ""))
			: [];
	};
	const sensor = (driver: string, more: string): string =>
		`{"name": "t", "driver": "${driver}"${more === "" ? "" : `, ${more}`}}`;
	const temperature = '"property": "thermometer.temperature"';

	test("options and properties that the drivers declare", () => {
		const sensors = [
			'{"name": "a", "driver": "sht3x", "property": "thermometer.temperature", "options": {"address": 69, "data": 21, "clock": 22, "hz": 100000, "port": 1}}',
			'{"name": "b", "driver": "bmp280", "property": "barometer.pressure", "options": {"filter": 0, "mode": 1}}',
			'{"name": "c", "driver": "battery", "property": "battery.voltage", "options": {"pin": 34, "divider": 3.2}}',
			'{"name": "d", "driver": "ntc", "property": "thermometer.temperature", "options": {"pin": 35, "pullup": true}}',
			'{"name": "e", "driver": "replay", "property": "anything at all", "options": {"x": 1}}',
		].join(", ");
		assert.deepEqual(problemsOf(sensors.replace("anything at all", "anything")), []);
		assert.deepEqual(load(sensors.replace("anything at all", "anything")).warnings, []);
	});

	const rows: readonly (readonly [string, string, string, ...string[]])[] = [
		[
			"a misspelt property",
			"sht3x",
			'"property": "thermometer.temprature"',
			'58 config.firefly.sensors[0].property: "thermometer.temprature" is not a property of sht3x; did you mean "thermometer.temperature"?',
		],
		[
			"the last name of a property only",
			"sht3x",
			'"property": "humidity"',
			'58 config.firefly.sensors[0].property: "humidity" is not a property of sht3x; did you mean "hygrometer.humidity"?',
		],
		[
			"a property of another driver",
			"sht3x",
			'"property": "barometer.pressure"',
			'58 config.firefly.sensors[0].property: "barometer.pressure" is not a property of sht3x; sht3x has thermometer.temperature, hygrometer.humidity',
		],
		[
			"no property",
			"sht3x",
			"",
			'13 config.firefly.sensors[0]: lacks "property", and "t" is none of sht3x, which has thermometer.temperature, hygrometer.humidity',
		],
		[
			"a misspelt option",
			"sht3x",
			`${temperature}, "options": {"adress": "0x44"}`,
			'97 config.firefly.sensors[0].options.adress: is not an option of sht3x; did you mean "address"?',
		],
		[
			"what others call the pins",
			"sht3x",
			`${temperature}, "options": {"sda": 21, "scl": 22}`,
			'97 config.firefly.sensors[0].options.sda: is not an option of sht3x; did you mean "data"?',
			'108 config.firefly.sensors[0].options.scl: is not an option of sht3x; did you mean "clock"?',
		],
		[
			"a word in other letters",
			"digital",
			'"property": "contact.open", "options": {"pin": 4, "pull": "Up"}',
			'106 config.firefly.sensors[0].options.pull: "Up" is not one of "none", "up", "down"; did you mean "up"?',
		],
		[
			"a number where a word belongs",
			"digital",
			'"property": "contact.open", "options": {"pin": 4, "pull": 1}',
			'106 config.firefly.sensors[0].options.pull: 1 is not one of "none", "up", "down"',
		],
		[
			"an option of another driver",
			"battery",
			'"property": "battery.voltage", "options": {"pin": 34, "beta": 3950}',
			"102 config.firefly.sensors[0].options.beta: is not an option of battery, which has divider, fullScale, averaging, pin",
		],
		[
			"an address in hexadecimal",
			"sht3x",
			`${temperature}, "options": {"address": "0x45"}`,
			'108 config.firefly.sensors[0].options.address: "0x45" is not a whole number; did you mean 69?',
		],
		[
			"an address that the sensor cannot have",
			"sht3x",
			`${temperature}, "options": {"address": 118}`,
			"108 config.firefly.sensors[0].options.address: 118 is not one of 68 (0x44), 69 (0x45)",
		],
		[
			"the name of a pin",
			"sht3x",
			`${temperature}, "options": {"data": "GPIO21"}`,
			'105 config.firefly.sensors[0].options.data: "GPIO21" is not a whole number; did you mean 21?',
		],
		[
			"a pin that no chip has",
			"ntc",
			`${temperature}, "options": {"pin": 77}`,
			"102 config.firefly.sensors[0].options.pin: 77 is not between 0 and 39",
		],
		[
			"a number that is not a finite text",
			"ntc",
			`${temperature}, "options": {"pin": 34, "beta": "high"}`,
			'114 config.firefly.sensors[0].options.beta: "high" is not a number',
		],
		[
			"a switch in words",
			"ntc",
			`${temperature}, "options": {"pin": 34, "pullup": "true"}`,
			'116 config.firefly.sensors[0].options.pullup: "true" is not true or false; did you mean true?',
		],
		[
			"no pin",
			"battery",
			'"property": "battery.voltage"',
			'13 config.firefly.sensors[0]: lacks "options.pin", which battery needs: GPIO of the analog input. ADC1 only: ADC2 does not work while Wi-Fi is up.',
		],
		[
			"options without a pin",
			"battery",
			'"property": "battery.voltage", "options": {"divider": 2}',
			'90 config.firefly.sensors[0].options: lacks "pin", which battery needs: GPIO of the analog input. ADC1 only: ADC2 does not work while Wi-Fi is up.',
		],
		[
			"options that are a list",
			"sht3x",
			`${temperature}, "options": []`,
			"96 config.firefly.sensors[0].options: a list is not an object",
		],
	];
	for (const [name, driver, more, ...problems] of rows)
		test(name, () => assert.deepEqual(problemsOf(sensor(driver, more)), problems));

	describe("sensors on I²C buses", () => {
		const named = (name: string, options: string, more = ""): string =>
			`{"name": "${name}", "driver": "sht3x", ${temperature}, "options": {${options}}${more}}`;
		const onBus = (...sensors: readonly string[]): string[] =>
			problemsOf(sensors.map((options, index) => named(`s${index}`, options)).join(", ")).map((text) =>
				text.replace(/^\d+ config\.firefly\./, ""),
			);
		for (const [name, sensors, problems] of [
			["two addresses on a bus", ['"address": 68', '"address": 69'], []],
			["one driver for two sensors", ['"address": 68', '"address": 68'], []],
			["two buses", ['"address": 68', '"data": 25, "clock": 26'], []],
			[
				"an address twice, once without being written",
				['"address": 68', ""],
				[
					"sensors[1]: has the address 68 of sensors[0] on the same bus, and other options; with the same options they share one driver",
				],
			],
			[
				"the same pins with another port",
				['"data": 25, "clock": 26, "port": 0', '"data": 25, "clock": 26, "port": 1, "address": 69'],
				["sensors[1]: needs the port of sensors[0], which is on the same pins"],
			],
			[
				"a third bus",
				["", '"data": 25, "clock": 26', '"data": 27, "clock": 14'],
				["sensors[2]: is on one more I²C bus than a chip has controllers, 2"],
			],
		] as const)
			test(name, () => assert.deepEqual(onBus(...sensors), problems));

		test("two drivers at one address of a bus", () => {
			const other = sensor("scd4x", '"property": "airQuality.CO2"').replace('"t"', '"u"');
			const first = named("a", '"address": 98');
			const texts = problemsOf(`${first}, ${other}`).filter((text) => text.includes("on the same bus"));
			assert.match(
				texts.join(),
				/sensors\[1\]: has the address 98 of sensors\[0\] on the same bus, and another driver$/,
			);
		});

		test("two sensors at one pin of 1-Wire: a problem; with the same options, or at two pins: none", () => {
			const probe = (name: string, options: string): string =>
				sensor("ds18b20", `${temperature}, "options": {${options}}`).replace('"t"', `"${name}"`);
			const texts = (options: string): string[] =>
				problemsOf(`${probe("a", '"pin": 4')}, ${probe("b", options)}`);
			assert.match(
				texts('"pin": 4, "resolution": 9').join(),
				/sensors\[1\]: has the pin 4 of sensors\[0\], and other options; with the same options they share one driver$/,
			);
			assert.deepEqual(texts('"pin": 4'), []);
			assert.deepEqual(texts('"pin": 5'), []);
		});

		test("the pins of the board, written and not: one bus", () => {
			const sensors = `${named("a", "")}, ${named("b", '"data": 2, "clock": 3, "address": 69')}, ${named("c", '"data": 2, "clock": 3')}`;
			const loaded = load(sensors, [], "", '"platforms": {"esp32/esp32c3": {"config": {"x": 1}}}');
			const texts = "problems" in loaded ? loaded.problems.map(({ message }) => message) : [];
			assert.deepEqual(texts, [
				"has the address 68 of sensors[0] on the same bus, and other options; with the same options they share one driver (for the platform esp32/esp32c3)",
			]);
		});

		test("a second bus on a board whose chip has one controller", () => {
			const sensors = `${named("a", "")}, ${named("b", '"data": 6, "clock": 7, "address": 69')}`;
			const loaded = load(sensors, [], "", '"platforms": {"esp32/esp32c3": {"config": {"x": 1}}}');
			const texts = "problems" in loaded ? loaded.problems.map(({ message }) => message) : [];
			assert.deepEqual(texts, [
				"is on one more I²C bus than an ESP32-C3 has controllers, 1 (for the platform esp32/esp32c3)",
			]);
		});

		test("a second bus, built for a chip with one controller: a problem; for one with two: none", () => {
			const sensors = `${named("a", "")}, ${named("b", '"data": 6, "clock": 7, "address": 69')}`;
			for (const [platform, problems] of [
				[undefined, []],
				["esp32/esp32s3", []],
				[
					"esp32/esp32c3",
					["is on one more I²C bus than an ESP32-C3 has controllers, 1 (for the platform esp32/esp32c3)"],
				],
			] as const) {
				const loaded = load(sensors, [], "", "", platform);
				const texts = "problems" in loaded ? loaded.problems.map(({ message }) => message) : [];
				assert.deepEqual(texts, problems, platform);
			}
		});
	});

	test("a sensor that must stay on, on a node that sleeps: a warning; on one that does not: none", () => {
		const ccs811 = sensor("ccs811", '"property": "airQuality.eCO2"');
		const texts = (more: string): string[] =>
			load(ccs811, [], more).warnings.map((problem) => formatProblem(problem));
		assert.deepEqual(texts(""), [
			'manifest.json:4:37 config.firefly.sensors[0].driver: ccs811 needs 20 minutes from its start to its first value, and finds its baseline only while it measures: set sleep.mode to "none"',
		]);
		assert.deepEqual(texts('"sleep": {"mode": "none"}, '), []);
	});

	test("a sample that takes more than half of a wake: a warning; with a longer wake, or none: none", () => {
		const scd4x = (options: string): string =>
			sensor("scd4x", `"property": "airQuality.CO2", "options": {${options}}`);
		const texts = (options: string, more: string): string[] =>
			load(scd4x(options), [], more).warnings.map(({ message }) => message);
		const singleShot = '"mode": "singleShot"';
		assert.deepEqual(texts(singleShot, ""), [
			"a sample of scd4x takes 5s, more than half of sleep.awakeLimit, 8s; raise it, to 20s, say",
		]);
		assert.deepEqual(texts(singleShot, '"sleep": {"awakeLimit": "20s"}, '), []);
		assert.deepEqual(texts(singleShot, '"sleep": {"mode": "none"}, '), []);
		assert.deepEqual(texts("", ""), []);
	});

	test("a unit that is not the property's: a warning", () => {
		const { warnings } = load(sensor("sht3x", `${temperature}, "unit": "°F"`));
		assert.deepEqual(
			warnings.map(({ message }) => message),
			[
				'"°F" is not the unit of thermometer.temperature, °C; values are not converted but by scale 1.8 and offset 32',
			],
		);
		const converted = `${temperature}, "unit": "°F", "scale": 1.8, "offset": 32, "decimals": 1`;
		assert.deepEqual(load(sensor("sht3x", converted)).warnings, []);
	});

	test("a driver without a declaration: a warning, once", () => {
		project.write("probe/manifest.json", '{"modules": {"driver/probe": "./probe"}}');
		const sensors = `${sensor("probe", "")}, ${sensor("probe", "").replace('"t"', '"u"')}`;
		const { warnings } = load(sensors, ["probe/manifest.json"]);
		assert.deepEqual(
			warnings.map(({ message }) => message),
			[
				'"probe" declares neither options nor properties, so that nobody checks them; probe/probe.declaration.json would',
			],
		);
	});

	test("a driver of one's own is checked by the declaration beside it", () => {
		project.write("level/manifest.json", '{"modules": {"driver/*": "./*"}}');
		project.write("level/level.ts", "");
		project.write(
			"level/level.declaration.json",
			'{"title": "Tank", "text": "Level.", "include": ["../firmware/drivers/analog-pin.declaration.json"], "properties": {"tank.level": {"text": "Level.", "unit": "%", "minimum": 0, "maximum": 100, "decimals": 0}}}',
		);
		const include = ["level/manifest.json"];
		assert.deepEqual(
			problemsOf(sensor("level", '"property": "tank.level", "options": {"pin": 1}'), include),
			[],
		);
		assert.deepEqual(
			problemsOf(sensor("level", '"property": "tank.levle", "options": {"pin": 1}'), include),
			[
				'58 config.firefly.sensors[0].property: "tank.levle" is not a property of level; did you mean "tank.level"?',
			],
		);
	});

	test("a wrong declaration is a problem of its own file", () => {
		project.write("odd/manifest.json", '{"modules": {"driver/odd": "./odd"}}');
		const text = '{"title": "Odd", "text": "Odd.", "propertys": {}}';
		project.write("odd/odd.declaration.json", text);
		assert.deepEqual(problemsOf(sensor("odd", ""), ["odd/manifest.json"]), [
			'odd/odd.declaration.json:1:1: lacks "properties"',
			'odd/odd.declaration.json:1:34 propertys: is not a known key; did you mean "properties"?',
		]);
		project.write(
			"odd/odd.declaration.json",
			'{"title": "Odd", "text": "Odd.", "include": ["../nothing.json"], "properties": {}}',
		);
		assert.deepEqual(problemsOf(sensor("odd", ""), ["odd/manifest.json"]), [
			'odd/odd.declaration.json:1:46 include[0]: "../nothing.json" does not exist',
		]);
	});
});
