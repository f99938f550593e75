import type { NumericSeries, Point } from "./numeric-series";
import type { RecordedRow, Recording } from "./recording";
import { samplingStep } from "./sampling-step";

/** Rows that a recording of held values has at most. */
const MAX_ROWS = 500_000;

/** Puts series of values, each with its own times, on one grid. */
export function recordingOfSeries(file: string, { points, held, units, warnings }: NumericSeries): Recording {
	const columns = [...new Set(points.map(({ series }) => series))];
	const columnOf = new Map(columns.map((name, index) => [name, index]));
	const ordered = [...points].sort((a, b) => a.time - b.time);
	const distances = distancesOf(ordered);
	const span = (ordered.at(-1)?.time ?? 0) - (ordered[0]?.time ?? 0);
	const step = samplingStep(distances, held ? span / MAX_ROWS : 0);
	const rows: RecordedRow[] = [];
	const seen: (number | undefined)[] = columns.map(() => undefined);
	let values: (number | undefined)[] = columns.map(() => undefined);
	let slot = Number.NaN;
	let line = 0;
	let replaced = 0;
	const finishRow = (): void => {
		if (!Number.isNaN(slot)) rows.push({ line, time: slot * step, values });
	};
	for (const point of ordered) {
		const next = Math.round(point.time / step);
		if (next !== slot) {
			finishRow();
			for (let between = slot + 1; held && between < next; between++)
				rows.push({ line, time: between * step, values });
			values = held ? [...values] : columns.map(() => undefined);
			slot = next;
		}
		const column = columnOf.get(point.series)!;
		if (seen[column] === slot) replaced++;
		seen[column] = slot;
		values[column] = point.value;
		line = point.line;
	}
	finishRow();
	const dense =
		replaced === 0
			? []
			: [`${file}: ${replaced} values are left out: later ones follow within the same ${step / 1000} s`];
	const columnUnits = units.size === 0 ? {} : { units: columns.map((name) => units.get(name)) };
	return { file, columns, ...columnUnits, rows, warnings: [...warnings, ...dense], step };
}

/** Distances of the successive points of each series, ms. */
function distancesOf(ordered: readonly Point[]): number[] {
	const before = new Map<string, number>();
	const distances: number[] = [];
	for (const { series, time } of ordered) {
		const last = before.get(series);
		if (last !== undefined && time > last) distances.push(time - last);
		before.set(series, time);
	}
	return distances;
}
