import type { SensorSettings } from "../../src/config/settings";
import { roundTo } from "../../src/sensor/measure/filter";
import { addSample, clearWindow, windowSize, windowValue } from "../../src/sensor/retained/sample-window";
import type { SensorSchedule } from "./schedule";

/**
 * The values of a sensor, each from its samples, as the node computes them; NaN: no sample succeeded.
 * @param read the sample at a time, called in the order of time; NaN: it fails
 */
export function valuesOf(
	{ samples, aggregate, decimals }: SensorSettings,
	schedule: SensorSchedule,
	read: (time: number) => number,
): Float64Array {
	const values = new Float64Array(schedule.values.length);
	const window = new Float64Array(windowSize(Math.max(2, samples), aggregate));
	for (let i = 0; i < values.length; i++) {
		clearWindow(window, 0);
		for (let k = i * samples; samples > 1 && k < (i + 1) * samples; k++)
			addSample(window, 0, aggregate, read(schedule.samples[k]));
		const value = samples > 1 ? windowValue(window, 0, aggregate) : read(schedule.samples[i]);
		values[i] = decimals === undefined ? value : roundTo(value, decimals);
	}
	return values;
}
