import type { SensorSettings } from "../../config/types";

/**
 * The value that a reading stands for: what the table has for it, times `scale`, plus `offset`. NaN if the
 * reading is NaN, or the result no finite number.
 */
export function calibrated(
	reading: number,
	sensor: Pick<SensorSettings, "table" | "scale" | "offset">,
): number {
	let value = reading;
	if (sensor.table !== undefined) value = interpolated(value, sensor.table);
	if (sensor.scale !== undefined) value *= sensor.scale;
	if (sensor.offset !== undefined) value += sensor.offset;
	return value - value === 0 ? value : NaN;
}

/**
 * Linear between the points of a table; before the first and after the last point, the nearest two go on as a
 * line. Exact at each point.
 * @param table x and y in turns, x ascending, two points at least
 */
export function interpolated(x: number, table: readonly number[]): number {
	const last = table.length - 2;
	let at = 2;
	while (at < last && x > table[at]) at += 2;
	const x1 = table[at];
	const y1 = table[at + 1];
	if (x === x1) return y1;
	const x0 = table[at - 2];
	const y0 = table[at - 1];
	return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}
