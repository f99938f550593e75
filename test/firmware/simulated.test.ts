import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ownDeclarations, ownDriverNames } from "../../cli/config/declarations";
import type { SensorConstructor } from "../../src/device";
import { loadModule } from "./module-loader";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
const drivers = ownDeclarations(firmware);

async function loadStandIn(driver: string, readings: Readonly<Record<string, number>>, options = {}) {
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
	return { sensor: new Sensor(options), announced };
}

/** Properties of a sample, with their values. */
function flatten(sample: object | undefined): Record<string, number> {
	const flat: Record<string, number> = {};
	for (const [quantity, group] of Object.entries(sample ?? {}))
		for (const [property, value] of Object.entries(group as Record<string, number>))
			flat[`${quantity}.${property}`] = value;
	return flat;
}

for (const driver of ownDriverNames(firmware).filter((name) => name !== "digital"))
	test(`${driver} simulated: measures what the sensor does, from the sliders that were moved`, async () => {
		const properties = Object.keys(drivers.get(driver)!.properties);
		const { sensor, announced } = await loadStandIn(driver, { [properties[0]!]: 12.5 });
		sensor.configure({});
		const sample = flatten(sensor.sample());
		assert.deepEqual(Object.keys(sample).sort(), properties.toSorted());
		assert.equal(sample[properties[0]!], 12.5);
		for (const property of properties.slice(1)) assert.ok(Number.isFinite(sample[property]), property);
		sensor.close();
		assert.deepEqual(announced, [driver]);
	});

for (const { options, closed, open } of [
	{ options: {}, closed: false, open: true },
	{ options: { pull: "up", activeLow: true }, closed: true, open: false },
	{ options: { pull: "down" }, closed: true, open: false },
	{ options: { pull: "down", activeLow: true }, closed: false, open: true },
	{ options: { pull: "none" }, closed: true, open: false },
])
	test(`digital simulated, ${JSON.stringify(options)}: a closed contact is ${closed}, an open one ${open}`, async () => {
		for (const [reading, active] of [
			[1, closed],
			[0, open],
			[undefined, open],
		] as const) {
			const readings = reading === undefined ? {} : { "contact.closed": reading };
			const { sensor, announced } = await loadStandIn("digital", readings, options);
			sensor.configure({});
			const sample = { digital: { active }, contact: { open: active }, motion: { detected: active } };
			assert.deepEqual(sensor.sample(), sample);
			assert.deepEqual(Object.keys(flatten(sample)), Object.keys(drivers.get("digital")!.properties));
			assert.deepEqual(announced, ["digital"]);
		}
	});
