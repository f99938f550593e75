import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import Schema from "typebox/schema";
import { declarationProblems, ownDeclarations, ownDriverNames } from "../../cli/config/declarations";
import { jsonSchema } from "../../cli/config/json-schema";
import { WAKE_PINS } from "../../cli/config/wake-pins";
import { renderPage } from "../../docs/drivers/page";
import VirtualSensor from "../../firmware/drivers/virtual/virtual";
import { declarationPath } from "../../sim/manifest/driver-declaration";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
const folder = join(firmware, "drivers");
const drivers = ownDeclarations(firmware);

function pathsOf(value: object, prefix = ""): string[] {
	return Object.entries(value).flatMap(([name, inner]) =>
		typeof inner === "object" && inner !== null ? pathsOf(inner, `${prefix}${name}.`) : [`${prefix}${name}`],
	);
}

describe("declarations of drivers", () => {
	for (const name of ownDriverNames(firmware))
		test(`${name}: its declaration is there, conforms to the schema, and is consistent`, () => {
			assert.deepEqual(declarationProblems(declarationPath(join(folder, name, name))), []);
			const { options, properties } = drivers.get(name)!;
			for (const [key, option] of Object.entries(options)) {
				const { type, minimum, maximum, choices, words, default: fallback, boards } = option;
				if (type === "text") assert.ok(fallback === undefined || words!.includes(String(fallback)), key);
				if (type === "integer" || type === "number")
					assert.ok(choices !== undefined || (minimum! < maximum! && maximum !== undefined), key);
				const within = (value: unknown): boolean =>
					choices?.includes(Number(value)) ?? (Number(value) >= minimum! && Number(value) <= maximum!);
				if (typeof fallback === "number") assert.ok(within(fallback), key);
				for (const pin of Object.values(boards ?? {}).flat()) assert.ok(within(pin), `${key} ${pin}`);
			}
			assert.ok(Object.keys(properties).length > 0);
			for (const [key, { minimum, maximum, unit, binary, deviceClass }] of Object.entries(properties)) {
				assert.match(key, /^[a-zA-Z]+\.[a-zA-Z0-9]+$/);
				if (binary) assert.deepEqual([minimum, maximum, unit], [0, 1, undefined], key);
				else assert.ok(minimum < maximum && unit !== undefined && deviceClass !== undefined, key);
			}
		});

	for (const name of ownDriverNames(firmware))
		test(`${name}: its manifest has for discovery what the declaration says`, () => {
			const { config } = JSON.parse(readFileSync(join(folder, name, "manifest.json"), "utf8"));
			const declared = Object.entries(drivers.get(name)!.properties).map(
				([key, { unit, deviceClass, decimals, binary }]) => [key, { unit, deviceClass, decimals, binary }],
			);
			const expected = { driverProperties: { [name]: Object.fromEntries(declared) } };
			assert.deepEqual(config, JSON.parse(JSON.stringify(expected)));
		});

	test("no module of a manifest is a declaration, so that no build for a device has one", () => {
		let manifests = 0;
		for (const entry of readdirSync(firmware, { recursive: true, encoding: "utf8" })) {
			if (!entry.endsWith("manifest.json")) continue;
			manifests++;
			assert.ok(!readFileSync(join(firmware, entry), "utf8").includes("declaration"), entry);
		}
		assert.ok(manifests > 9);
	});

	test("the comment of each driver's source names the properties that it declares", () => {
		for (const [name, { properties }] of drivers) {
			const source = readFileSync(join(folder, name, `${name}.ts`), "utf8");
			const named = [...source.matchAll(/`([a-zA-Z]+\.[a-zA-Z0-9]+)`/g)].map(([, path]) => path!);
			assert.deepEqual(named.sort(), Object.keys(properties).sort(), name);
		}
	});

	test("virtual: a sample has the declared properties, within their ranges", () => {
		const sample = new VirtualSensor({}).sample();
		const { properties } = drivers.get("virtual")!;
		assert.deepEqual(pathsOf(sample).sort(), Object.keys(properties).sort());
		for (const [path, { minimum, maximum }] of Object.entries(properties)) {
			const value = path
				.split(".")
				.reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], sample);
			assert.ok(Number(value) >= minimum && Number(value) <= maximum, path);
		}
	});

	test("battery: the declared options are those of its constructor, with the same defaults", () => {
		const source = readFileSync(join(folder, "battery/battery.ts"), "utf8");
		const [, list] = /constructor\(\{ (.*?) \}: BatteryOptions\)/.exec(source)!;
		const fullScale = /FULL_SCALE = ([\d.]+)/.exec(source)![1];
		// The default of the base class
		const base = readFileSync(join(folder, "analog-voltage.ts"), "utf8");
		const averaging = Number(/\baveraging = (\d+)/.exec(base)![1]);
		const written = Object.fromEntries(
			list!.split(", ").map((text) => {
				const [name, value] = text.split(" = ");
				return [name, value === "FULL_SCALE" ? Number(fullScale) : value && Number(value)];
			}),
		);
		assert.ok("averaging" in written);
		written.averaging ??= averaging;
		const declared = Object.entries(drivers.get("battery")!.options).map(([name, option]) => [
			name,
			option.default,
		]);
		assert.deepEqual(written, Object.fromEntries(declared));
	});
});

describe("the schema of manifests knows the drivers", () => {
	const check = (sensor: object, closed = false): boolean => {
		const schema = Schema.Compile(JSON.parse(jsonSchema(drivers, closed ? [...drivers.keys()] : undefined)));
		return schema.Check({ config: { firefly: { sensors: [{ name: "t", ...sensor }] } } });
	};
	const sht3x = { driver: "sht3x", property: "thermometer.temperature" };

	const rows: readonly (readonly [string, object, boolean])[] = [
		["a driver with a property of its own", sht3x, true],
		["with an option of its own", { ...sht3x, options: { address: 69 } }, true],
		["a misspelt property", { ...sht3x, property: "thermometer.temprature" }, false],
		["a misspelt option", { ...sht3x, options: { adress: 69 } }, false],
		["an address as text", { ...sht3x, options: { address: "0x44" } }, false],
		["an address that the chip does not have", { ...sht3x, options: { address: 70 } }, false],
		["an option out of its range", { ...sht3x, options: { hz: 3 } }, false],
		["a pin that is missing", { driver: "battery", property: "battery.voltage" }, false],
		["a word", { driver: "digital", property: "contact.open", options: { pin: 4, pull: "down" } }, true],
		["another word", { driver: "digital", property: "contact.open", options: { pin: 4, pull: "Up" } }, false],
		["a pin", { driver: "battery", property: "battery.voltage", options: { pin: 4 } }, true],
		["a recording", { driver: "replay", property: "anything" }, true],
		["a driver of one's own", { driver: "probe", property: "anything", options: { x: 1 } }, true],
	];
	for (const [name, sensor, accepted] of rows)
		test(`${name}: ${accepted ? "accepted" : "rejected"}`, () => assert.equal(check(sensor), accepted));

	test("a closed schema has no other drivers", () => {
		assert.equal(check(sht3x, true), true);
		assert.equal(check({ driver: "probe" }, true), false);
	});

	test("completion: drivers, and for each one its options and properties, are proposed with texts", () => {
		const { $defs } = JSON.parse(jsonSchema(drivers)) as {
			$defs: { firefly: { properties: { sensors: { items: SensorItems } } } };
		};
		const { properties, allOf } = $defs.firefly.properties.sensors.items;
		assert.deepEqual(properties.driver.anyOf[0]!.enum, [...drivers.keys(), "replay"]);
		assert.deepEqual(
			allOf.map((condition) => condition.if.properties.driver.const),
			[...drivers.keys()],
		);
		for (const { then } of allOf)
			for (const [key, option] of Object.entries(then.properties.options.properties))
				assert.match(option.description, /\w.*\.$/, key);
	});
});

interface SensorItems {
	readonly properties: {
		readonly driver: { readonly anyOf: readonly { readonly enum?: readonly string[] }[] };
	};
	readonly allOf: readonly {
		readonly if: { readonly properties: { readonly driver: { readonly const: string } } };
		readonly then: {
			readonly properties: {
				readonly options: { readonly properties: Readonly<Record<string, { readonly description: string }>> };
			};
		};
	}[];
}

test("digital proposes the pins that check takes for wake", () => {
	const { boards = {} } = drivers.get("digital")!.options.pin!;
	const sorted = Object.entries(boards).map(([chip, pins]) => [
		chip,
		[pins].flat().toSorted((a, b) => a - b),
	]);
	assert.deepEqual(Object.fromEntries(sorted), WAKE_PINS);
});

test("README.md names every driver, in the order of their names", () => {
	const readme = readFileSync(join(dirname(firmware), "README.md"), "utf8");
	const list = /`firmware\/drivers\/` has ([^;]*);/.exec(readme)![1]!;
	assert.deepEqual(
		[...list.matchAll(/`(\w+)`/g)].map(([, name]) => name),
		ownDriverNames(firmware).toSorted(),
	);
});

test("docs/drivers.md is up to date (else: node --import tsx docs/drivers/generate.ts)", () => {
	const path = join(dirname(firmware), "docs/drivers.md");
	assert.ok(existsSync(path));
	assert.equal(readFileSync(path, "utf8"), renderPage(drivers));
});
