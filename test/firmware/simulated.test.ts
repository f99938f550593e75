import assert from "node:assert/strict";
import { test } from "node:test";
import type { SensorConstructor } from "../../src/device";
import { loadModule } from "./module-loader";

/** What each driver of a real sensor measures, by its datasheet; the virtual one measures all. */
const PROPERTIES: Readonly<Record<string, readonly string[]>> = {
	aht10: ["thermometer.temperature", "hygrometer.humidity"],
	battery: ["battery.voltage"],
	bme68x: ["thermometer.temperature", "hygrometer.humidity", "barometer.pressure"],
	bmp280: ["thermometer.temperature", "barometer.pressure"],
	htu21d: ["thermometer.temperature", "hygrometer.humidity"],
	lm75: ["thermometer.temperature"],
	ntc: ["thermometer.temperature"],
	sht3x: ["thermometer.temperature", "hygrometer.humidity"],
	shtc3: ["thermometer.temperature", "hygrometer.humidity"],
	si7020: ["thermometer.temperature", "hygrometer.humidity"],
	tmp102: ["thermometer.temperature"],
	tmp117: ["thermometer.temperature"],
	virtual: ["thermometer.temperature", "hygrometer.humidity", "barometer.pressure", "battery.voltage"],
};

async function loadStandIn(driver: string, readings: Readonly<Record<string, number>>) {
	const announced: string[] = [];
	const { default: Sensor } = await loadModule<{ default: SensorConstructor }>(
		`firmware/drivers/${driver}/simulated`,
		{
			modules: {
				"firmware/platform/readings": {
					panelReading: (property: string) => readings[property],
					announceSimulation: (name: string) => announced.push(name),
				},
			},
		},
	);
	return { sensor: new Sensor({}), announced };
}

/** Properties of a sample, with their values. */
function flatten(sample: object | undefined): Record<string, number> {
	const flat: Record<string, number> = {};
	for (const [quantity, group] of Object.entries(sample ?? {}))
		for (const [property, value] of Object.entries(group as Record<string, number>))
			flat[`${quantity}.${property}`] = value;
	return flat;
}

for (const [driver, properties] of Object.entries(PROPERTIES))
	test(`${driver} simulated: measures what the sensor does, from the sliders that were moved`, async () => {
		const { sensor, announced } = await loadStandIn(driver, { [properties[0]!]: 12.5 });
		sensor.configure({});
		const sample = flatten(sensor.sample());
		assert.deepEqual(Object.keys(sample).sort(), [...properties].sort());
		assert.equal(sample[properties[0]!], 12.5);
		for (const property of properties.slice(1)) assert.ok(Number.isFinite(sample[property]), property);
		sensor.close();
		assert.deepEqual(announced, [driver]);
	});
