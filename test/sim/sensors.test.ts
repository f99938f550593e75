import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { EngineName } from "../../sim/engine/engine-factory";
import type { TimedEvent } from "../../sim/report/events";
import { curveOf, curveValue, quantizedReading } from "../../sim/sensors/curves";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;

async function collectSamples(
	engine: EngineName,
	sensors: readonly object[],
	include: readonly string[] = [],
): Promise<Map<string, (number | undefined)[]>> {
	const values = new Map<string, (number | undefined)[]>();
	const traces: TimedEvent[] = [];
	const firefly = { id: "node", broker: { url: "mqtt://192.168.1.10" }, topic: "home/{sensor}", sensors };
	const simulation = await Simulation.build({
		manifest: {
			path: MANIFEST,
			json: { include: ["./firmware/manifest.json", ...include], config: { firefly } },
			overrides: {},
		},
		speed: "max",
		seed: 5,
		engine,
		listener: {
			event(event) {
				if (event.type === "trace") traces.push(event);
				if (event.type === "sample")
					values.set(event.sensor, [...(values.get(event.sensor) ?? []), event.value]);
			},
		},
	});
	await simulation.run(24 * HOUR);
	simulation.dispose();
	assert.deepEqual(traces, []);
	return values;
}

test("every driver without hardware is simulated, for each property and set of options", async () => {
	const drivers = ["sht3x", "bmp280", "ntc", "battery"].map(
		(name) => `./firmware/drivers/${name}/manifest.json`,
	);
	const sensors = [
		{ name: "warm", driver: "sht3x", property: "thermometer.temperature", every: "10m" },
		{
			name: "other",
			driver: "sht3x",
			options: { address: 69 },
			property: "thermometer.temperature",
			every: "10m",
		},
		{ name: "damp", driver: "sht3x", property: "hygrometer.humidity", every: "10m" },
		{ name: "air", driver: "bmp280", property: "barometer.pressure", every: "10m" },
		{ name: "flat", driver: "ntc", options: { pin: 3 }, property: "temperature", every: "10m" },
		{ name: "cell", driver: "battery", options: { pin: 4 }, property: "battery.voltage", every: "10m" },
		{
			name: "soil",
			driver: "virtual",
			options: { mean: 30, swing: 0, noise: 0, weather: 0 },
			property: "moisture",
			every: "10m",
		},
	];
	const values = await collectSamples("xs", sensors, drivers);
	assert.deepEqual(
		[...values.keys()],
		sensors.map(({ name }) => name),
	);
	for (const [name, readings] of values) {
		assert.ok(readings.length >= 143, `${name} ${readings.length}`);
		assert.ok(
			readings.every((value) => typeof value === "number" && Number.isFinite(value)),
			name,
		);
	}
	assert.notDeepEqual(values.get("warm"), values.get("other"));
	assert.deepEqual([...new Set(values.get("soil"))], [30]);
	assert.deepEqual(await collectSamples("node", sensors, drivers), values, "the same on both engines");
});

test("a virtual room is warmest in the afternoon; readings keep to the sensor's steps and range", () => {
	const curve = { ...curveOf("temperature", {}), weather: 0 };
	const at = (hour: number): number => curveValue(curve, DEFAULT_START_TIME + hour * HOUR, 0);
	assert.equal(at(15), curve.mean + curve.swing);
	assert.ok(Math.abs(at(3) - (curve.mean - curve.swing)) < 1e-9);
	assert.equal(quantizedReading(curve, 21.3749, 0), 21.37);
	const humidity = curveOf("humidity", { noise: 1, resolution: 0.5 });
	assert.equal(quantizedReading(humidity, 99.9, 5), 100);
	assert.equal(quantizedReading(humidity, 47.3, 0), 47.5);
});

test("readings of any resolution are the decimal number next to the value", () => {
	for (const resolution of [1, 0.5, 0.16, 0.1, 0.01, 0.001, 0.0001]) {
		const curve = curveOf("temperature", { noise: 0, resolution });
		for (let value = -40; value < 125; value += 0.0917) {
			const steps = Math.round(value / resolution);
			const reading = quantizedReading(curve, value, 0);
			assert.ok(Object.is(reading, Number((steps * resolution).toFixed(4))), `${value} by ${resolution}`);
		}
	}
});

test("a declared property: its device class selects the curve, its range bounds every reading", () => {
	const property = { text: "x", minimum: -40, maximum: 125, decimals: 1 };
	const temperature = { ...property, unit: "°C", deviceClass: "temperature" };
	const named = curveOf("temperature", {});
	assert.deepEqual(curveOf("value", {}, temperature), { ...named, minimum: -40, maximum: 125 });
	assert.equal(curveOf("value", {}, { ...temperature, curve: { mean: 4 } }).mean, 4);
	assert.equal(curveOf("value", { mean: 7 }, { ...temperature, curve: { mean: 4 } }).mean, 7);
	assert.equal(quantizedReading(curveOf("value", {}, { ...temperature, maximum: 20 }), 21, 0), 20);

	const kelvin = curveOf("temperature", {}, { ...temperature, unit: "K", minimum: 200, maximum: 400 });
	assert.equal(kelvin.mean, 300, "no curve is in this unit: the middle of the range");
	assert.equal(kelvin.resolution, 0.1);
	const level = curveOf("level", {}, { ...property, minimum: 0, maximum: 10 });
	for (let hour = 0; hour < 1000; hour++) {
		const value = curveValue(level, DEFAULT_START_TIME + hour * HOUR, 0.3);
		assert.ok(value > 3 && value < 7, `${value}`);
	}
});

test("a driver of one's own is simulated within the range that it declares", async () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-driver-"));
	try {
		writeFileSync(join(folder, "manifest.json"), '{"modules": {"driver/tank": "./tank"}}');
		writeFileSync(join(folder, "tank.ts"), 'import "embedded:io/analog";');
		const level = { text: "Level.", minimum: 1000, maximum: 2000, decimals: 0 };
		writeFileSync(
			join(folder, "tank.declaration.json"),
			JSON.stringify({ title: "Tank", text: "Level.", properties: { "tank.level": level } }),
		);
		const sensors = [{ name: "tank", driver: "tank", property: "tank.level", every: "1h" }];
		const values = await collectSamples("node", sensors, [join(folder, "manifest.json")]);
		const readings = values.get("tank") ?? [];
		assert.ok(readings.length > 20);
		for (const value of readings) {
			assert.ok(value !== undefined && value > 1300 && value < 1700, `${value}`);
			assert.equal(value, Math.round(value));
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});
