import {
	type DayOrder,
	dayOrderOf,
	isClockTime,
	isDate,
	isDateOnly,
	isLocal,
	needsDayOrder,
	parseTime,
} from "./csv-dates";
import type { CsvTable } from "./csv-table";
import { namesText } from "./names-text";
import { ReplayError } from "./replay-error";
import { timeInZone } from "./time-zone";

/** Usual names, in lower case, without units and with spaces for other characters. */
const NAMES = new Set(
	[
		"date, time, datetime, date time, timestamp, time stamp, last changed, last updated, datum, zeit",
		"datum zeit, zeitstempel, created at, recorded at, measured at, observed at, received at, ts",
		"utc, utc time, time utc, date utc, local time, unix time, epoch, unixtime, dateutc, fecha, heure",
	]
		.join(", ")
		.split(", "),
);

/** The column, or date and time of day in two, that says when each row was recorded. */
export interface TimeColumns {
	readonly indices: readonly number[];
	/** The times of the rows, ms since 1970. */
	readonly times: readonly number[];
}

/** @throws {ReplayError} */
export function readTimes(table: CsvTable, file: string, zone?: string): TimeColumns {
	const { header, rows } = table;
	const first = findTimeColumn(table);
	if (first < 0)
		throw new ReplayError(
			`${file}:${header.line}: no column is called date, time, timestamp or the like, and none has dates; there are ${namesText(header.fields)}`,
		);
	const indices = timeColumns(table, first);
	const texts = rows.map(({ fields }) => indices.map((index) => fields[index]!).join(" "));
	const order = dayOrderOf(texts);
	const name = indices.map((index) => header.fields[index]).join(" and ");
	const times: number[] = [];
	for (const [i, text] of texts.entries())
		times.push(readTime(text, order, `${file}:${rows[i]!.line}: ${name}`, zone, times[i - 1]));
	return { indices, times };
}

/**
 * @param zone IANA name of the time zone of times without one; undefined: UTC
 * @param before time of the row before it: when clocks are set back, two hours are alike otherwise
 * @throws {ReplayError}
 */
export function readTime(
	text: string,
	order: DayOrder,
	where: string,
	zone?: string,
	before?: number,
): number {
	if (order === undefined && needsDayOrder(text))
		throw new ReplayError(
			`${where} is ${JSON.stringify(text)}, and nothing in the file tells day and month apart; write dates such as 2015-02-03`,
		);
	const time = parseTime(text, order);
	if (time !== undefined && zone !== undefined && isLocal(text)) return timeInZone(time, zone, before);
	if (time !== undefined) return time;
	throw new ReplayError(`${where} is ${JSON.stringify(text)}, not a date such as 2015-02-02 14:19:00`);
}

/** A column by its name, else the first with dates; -1 if there is none. */
function findTimeColumn({ header, rows }: CsvTable): number {
	const named = header.fields.findIndex(isTimeName);
	if (named >= 0) return named;
	return header.fields.findIndex((_, index) => isDate(rows[0]!.fields[index]!));
}

function isTimeName(name: string): boolean {
	const plain = name
		.toLowerCase()
		.replace(/[([].*?[)\]]/g, "")
		.replace(/[^\p{L}\d]+/gu, " ")
		.trim();
	return NAMES.has(plain);
}

/** The column of times, or that of dates and that of times of day, in this order. */
function timeColumns({ header, rows }: CsvTable, first: number): readonly number[] {
	const { fields } = rows[0]!;
	const find = (fits: (text: string) => boolean): number =>
		header.fields.findIndex((_, index) => index !== first && fits(fields[index]!));
	if (isClockTime(fields[first]!)) {
		const date = find(isDateOnly);
		return date < 0 ? [first] : [date, first];
	}
	const clock = isDateOnly(fields[first]!) ? find(isClockTime) : -1;
	return clock < 0 ? [first] : [first, clock];
}
