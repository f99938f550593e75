import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SensorConstructor } from "../../src/device";
import { root } from "./import-graph";
import { loadModule, type ModuleStubs } from "./module-loader";

/** Time in ms, which waiting advances, and what else takes time. */
export interface DriverClock {
	now: number;
}

/** A tick of FreeRTOS in ms, by which a delay may be shorter than asked for. */
const TICK_MS = 1;

export function driverSource(name: string): string {
	return readFileSync(join(root, "firmware/drivers", name, `${name}.ts`), "utf8");
}

/**
 * Loads a driver on a bus, with a clock that only waiting advances.
 * @param bus the SDK's SMBus class
 * @param SDKSensor the SDK's class for the sensor
 * @param isShort whether each delay is as short as it may be
 */
export async function loadDriver(
	name: string,
	bus: object,
	{
		SDKSensor,
		board = { data: 4, clock: 5 },
		clock = { now: 0 },
		isShort = false,
	}: {
		readonly SDKSensor?: SensorConstructor;
		readonly board?: object;
		readonly clock?: DriverClock;
		readonly isShort?: boolean;
	} = {},
): Promise<{ readonly Driver: SensorConstructor; readonly clock: DriverClock }> {
	const specifier = /from "(embedded:sensor[^"]+)"/.exec(driverSource(name))?.[1];
	const modules: ModuleStubs["modules"] = {
		"embedded:provider/builtin": { default: { I2C: { default: board }, io: { SMBus: bus } } },
		time: {
			default: {
				get ticks() {
					return clock.now;
				},
				delta: (start: number) => clock.now - start,
			},
		},
		timer: {
			default: {
				delay(ms: number) {
					assert.ok(Number.isInteger(ms) && ms > 0, `${ms} ms`);
					clock.now += isShort ? ms - TICK_MS : ms;
				},
			},
		},
		...(specifier === undefined ? {} : { [specifier]: { default: SDKSensor } }),
	};
	const { default: Driver } = await loadModule<{ default: SensorConstructor }>(
		`firmware/drivers/${name}/${name}`,
		{ modules },
	);
	return { Driver, clock };
}
