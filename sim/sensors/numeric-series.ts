import { dayOrderOf } from "./csv-dates";
import { isNumeric } from "./csv-numbers";
import type { Export } from "./exports/export";
import { namesText } from "./names-text";
import { readNumber } from "./read-number";
import { ReplayError } from "./replay-error";
import { readTime } from "./time-column";

/** A value of one series, as a line of a file has it. */
export interface Point {
	readonly line: number;
	/** ms since 1970. */
	readonly time: number;
	readonly series: string;
	/** Undefined: from then on there is no value. */
	readonly value: number | undefined;
}

/** The series of an export that have numbers. */
export interface NumericSeries {
	readonly points: readonly Point[];
	/** Whether a value holds until the next one of its series. */
	readonly held: boolean;
	/** By series, where they are known. */
	readonly units: ReadonlyMap<string, string>;
	readonly warnings: readonly string[];
}

/** @param zone of times without one @throws {ReplayError} */
export function numericSeries(
	{ points, timeName, held, units, warnings }: Export,
	file: string,
	more: readonly string[],
	zone: string | undefined,
): NumericSeries {
	if (points[0] === undefined) throw new ReplayError(`${file}:1: a header and at least one row are needed`);
	const order = dayOrderOf(points.map(({ time }) => time));
	const numeric = new Set(points.filter(({ value }) => isNumeric(value)).map(({ series }) => series));
	const others = [...new Set(points.map(({ series }) => series))].filter((series) => !numeric.has(series));
	if (numeric.size === 0)
		throw new ReplayError(`${file}:${points[0].line}: nothing has numbers: ${namesText(others)}`);
	const read = points
		.filter(({ series }) => numeric.has(series))
		.map(({ line, series, time, value }) => ({
			line,
			series,
			time: readTime(time, order, `${file}:${line}: ${timeName}`, zone),
			value: readNumber(value, undefined, `${file}:${line}: ${series}`),
		}));
	const left = others.map((series) => `${file}: ${series} has no numbers and is left out`);
	return { points: read, held, units, warnings: [...more, ...left, ...warnings] };
}
