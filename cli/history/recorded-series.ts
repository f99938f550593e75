import type { Readings } from "../../sim/sensors/csv";
import { samplingStep } from "../../sim/sensors/sampling-step";

/** The readings of one sensor over time, as recorded. */
export interface RecordedSeries {
	readonly name: string;
	/** As the file tells it. */
	readonly unit?: string;
	/** ms since 1970, ascending. */
	readonly times: Float64Array;
	/** NaN: from then on there is no value. */
	readonly values: Float64Array;
	/** Usual time between two readings, ms. */
	readonly step: number;
	/** How long a reading counts if none follows, ms. */
	readonly holds: number;
}

/** Readings that are recorded one by one count for this many times their usual distance. */
const HOLD_STEPS = 5;

/** The series of a file, in the order of their names in it. */
export function recordedSeries(readings: Readings): readonly RecordedSeries[] {
	if ("table" in readings) {
		const { columns, units = [], rows } = readings.table;
		return columns.map((name, column) =>
			seriesOf(
				name,
				units[column],
				rows.map(({ time, values }) => ({ time, value: values[column] })),
				false,
			),
		);
	}
	const { points, held, units } = readings.series;
	const byName = new Map<string, { time: number; value: number | undefined }[]>();
	for (const { series, time, value } of points) {
		const list = byName.get(series);
		if (list === undefined) byName.set(series, [{ time, value }]);
		else list.push({ time, value });
	}
	return [...byName].map(([name, list]) =>
		seriesOf(
			name,
			units.get(name),
			list.sort((a, b) => a.time - b.time),
			held,
		),
	);
}

function seriesOf(
	name: string,
	unit: string | undefined,
	points: readonly { readonly time: number; readonly value: number | undefined }[],
	held: boolean,
): RecordedSeries {
	const distances: number[] = [];
	for (let i = 1; i < points.length; i++) {
		const distance = points[i].time - points[i - 1].time;
		if (distance > 0) distances.push(distance);
	}
	const step = samplingStep(distances);
	return {
		name,
		...(unit === undefined ? {} : { unit }),
		times: Float64Array.from(points, ({ time }) => time),
		values: Float64Array.from(points, ({ value = NaN }) => value),
		step,
		holds: held ? Infinity : HOLD_STEPS * step,
	};
}

/**
 * Reads a series at times that ascend: the reading before each time, as long as it counts.
 * @param convert to the sensor's unit
 */
export function readerOf(
	{ times, values, holds }: RecordedSeries,
	convert: (value: number) => number,
): (time: number) => number {
	let next = 0;
	return (time) => {
		while (next < times.length && times[next] <= time) next++;
		if (next === 0 || time - times[next - 1] > holds) return NaN;
		const value = values[next - 1];
		return Number.isNaN(value) ? NaN : convert(value);
	};
}
