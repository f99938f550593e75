import { readFileSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { commaOf, isNoValue, isNumeric } from "./csv-numbers";
import { type CsvRow, parseRecords, type Separator, tableOf } from "./csv-table";
import { decodeText } from "./csv-text";
import type { Export } from "./exports/export";
import { homeAssistantTable } from "./exports/home-assistant-csv";
import { isAnnotated, isInfluxColumn, readAnnotated } from "./exports/influx-annotated";
import { isInfluxCli, readInfluxCli } from "./exports/influx-cli";
import { exportOfInflux } from "./exports/influx-series";
import { isJSON, readJSONExport } from "./exports/json";
import { isLineProtocol, readLineProtocol } from "./exports/line-protocol";
import { namesText } from "./names-text";
import { type NumericSeries, numericSeries } from "./numeric-series";
import { readNumber } from "./read-number";
import type { RecordedRow, Recording } from "./recording";
import { ReplayError } from "./replay-error";
import { recordingOfSeries } from "./series";
import { readTimes } from "./time-column";
import { unitInName } from "./units";

const MEGABYTE = 2 ** 20;
/** Bytes of memory for a byte of a recording with short lines, at most: measured. */
const HEAP_FACTOR = 40;

/** How a recording is to be read where it does not tell by itself. */
export interface ReadingOptions {
	/** IANA name of the time zone of times without one; UTC by default. */
	readonly zone?: string;
}

/** What a file of readings holds: a table with a row per time, or series with times of their own. */
export type Readings = { readonly table: Recording } | { readonly series: NumericSeries };

/**
 * Reads a recording: a header of names, then one row per time, in any usual dialect of CSV; or a history of
 * Home Assistant or an answer of InfluxDB, with one value a row. If rows have one field more than the header,
 * the first is the row number and is ignored. Throws {@link ReplayError} for malformed input.
 */
export function readRecording(file: string, options: ReadingOptions = {}): Recording {
	return recordingOf(readReadings(file, options), file);
}

/** Like {@link readRecording}, from text. */
export function parseRecording(text: string, file: string, options: ReadingOptions = {}): Recording {
	return recordingOf(parseReadings(text, file, options), file);
}

/** Like {@link readRecording}; series keep the times that they have in the file. */
export function readReadings(file: string, options: ReadingOptions = {}): Readings {
	let bytes: Uint8Array;
	try {
		bytes = readFileSync(file);
	} catch (error) {
		throw new ReplayError(`${file}: ${readFailure(error as NodeJS.ErrnoException)}`);
	}
	requireMemory(bytes.length, file);
	return parseReadings(decodeText(bytes), file, options);
}

/** Refuses a file whose records would not fit this process, which would end it without a word of the file. */
function requireMemory(size: number, file: string): void {
	const { heap_size_limit: heap } = getHeapStatistics();
	const needed = size * HEAP_FACTOR;
	if (needed <= heap) return;
	const [has, limit, wanted] = [size, heap / HEAP_FACTOR, needed].map((bytes) => Math.ceil(bytes / MEGABYTE));
	throw new ReplayError(
		`${file}: ${has} MB are more than there is memory for, about ${limit} MB; use a part of it, or set NODE_OPTIONS=--max-old-space-size=${wanted}`,
	);
}

function readFailure({ code, message }: NodeJS.ErrnoException): string {
	switch (code) {
		case "ENOENT":
		case "ENOTDIR":
			return "no such file";
		case "EISDIR":
			return "is a directory";
		case "EACCES":
			return "cannot be read: permission denied";
		default:
			return message;
	}
}

/** Like {@link readReadings}, from text. */
export function parseReadings(content: string, file: string, { zone }: ReadingOptions = {}): Readings {
	const text = content.replace(/^\ufeff/, "");
	const nul = text.indexOf("\0");
	if (nul >= 0) throw new ReplayError(`${file}:${lineAt(text, nul)}: this is no text: it holds a byte 0`);
	const series = (exported: Export, warnings: readonly string[] = []): Readings => ({
		series: numericSeries(exported, file, warnings, zone),
	});
	if (isJSON(text)) return series(readJSONExport(text, file));
	if (isLineProtocol(text)) return series(exportOfInflux(readLineProtocol(text, file), "time"));
	const { separator, records } = parseRecords(text, file);
	const [header] = records;
	const last = records[records.length - 1];
	const warnings =
		last === undefined || /[\r\n]$/.test(text)
			? []
			: [`${file}:${last.line}: no line end after the last row: its last value may be cut off`];
	if (isAnnotated(header)) return series(exportOfInflux(readAnnotated(records), "_time"), warnings);
	if (isInfluxCli(header)) return series(exportOfInflux(readInfluxCli(records), "time"), warnings);
	const table = homeAssistantTable(separator, records, file);
	if (table !== undefined) return series(table, warnings);
	return { table: parseTable(separator, records, file, warnings, zone) };
}

function recordingOf(readings: Readings, file: string): Recording {
	return "table" in readings ? readings.table : recordingOfSeries(file, readings.series);
}

function parseTable(
	separator: Separator,
	records: readonly CsvRow[],
	file: string,
	warnings: readonly string[],
	zone: string | undefined,
): Recording {
	const written = tableOf(separator, records, file);
	const writtenTimes = readTimes(written, file, zone);
	// Some services write the newest row first; an hour that clocks show twice is then told apart from its end.
	const newestFirst = descend(writtenTimes.times);
	const table = newestFirst ? { ...written, rows: written.rows.toReversed() } : written;
	const names = table.header.fields;
	const { indices, times } = newestFirst ? readTimes(table, file, zone) : writtenTimes;
	const place = `${file}:${table.header.line}`;
	const timeName = indices.map((index) => names[index]).join(" and ");
	const ofInflux = indices.some((index) => names[index] === "_time");
	const candidates = names
		.map((name, index) => ({ name, index }))
		.filter(({ name, index }) => !indices.includes(index) && !(ofInflux && isInfluxColumn(name)));
	if (candidates.length === 0) throw new ReplayError(`${place}: no column besides "${timeName}"`);
	const seen = new Set<string>();
	for (const { name } of candidates) {
		if (name === "") throw new ReplayError(`${place}: a column has no name`);
		if (seen.has(name)) throw new ReplayError(`${place}: two columns are called "${name}"`);
		seen.add(name);
	}
	const [columns, texts] = separateTexts(candidates, table.rows);
	if (columns.length === 0)
		throw new ReplayError(`${place}: no column has numbers: ${namesText(texts.map(({ name }) => name))}`);
	const comma = commaOf(
		columns.flatMap(({ index }) => table.rows.map(({ fields }) => fields[index]!)),
		separator === ",",
	);
	const rows: RecordedRow[] = [];
	for (const [i, { line, fields }] of table.rows.entries()) {
		const time = times[i]!;
		const before = rows[rows.length - 1];
		if (before && time <= before.time) {
			const later = newestFirst ? table.rows[i - 1]! : { line, fields };
			const shown = indices.map((index) => later.fields[index]).join(" ");
			const order = newestFirst ? "before the row above it, as the others are" : "after the row before it";
			throw new ReplayError(`${file}:${later.line}: ${shown} is not ${order}`);
		}
		const values = columns.map(({ name, index }) =>
			readNumber(fields[index]!, comma, `${file}:${line}: ${name}`),
		);
		rows.push({ line, time, values });
	}
	const units = columns.map(({ name }) => unitInName(name));
	return {
		file,
		columns: columns.map(({ name }) => name),
		...(units.every((unit) => unit === undefined) ? {} : { units }),
		rows,
		warnings: [...warnings, ...texts.map(({ name }) => `${place}: ${name} has no numbers and is left out`)],
	};
}

/** Whether the times of most rows are before those of the rows above them. */
function descend(times: readonly number[]): boolean {
	let balance = 0;
	for (let i = 1; i < times.length; i++) balance += Math.sign(times[i - 1]! - times[i]!);
	return balance > 0;
}

interface Column {
	readonly name: string;
	readonly index: number;
}

/** Columns with numbers or nothing, and those with other texts only, such as the name of a device. */
function separateTexts(candidates: readonly Column[], rows: readonly CsvRow[]): [Column[], Column[]] {
	const columns: Column[] = [];
	const texts: Column[] = [];
	for (const column of candidates) {
		const fields = rows.map((row) => row.fields[column.index]!).filter((field) => !isNoValue(field));
		(fields.length === 0 || fields.some(isNumeric) ? columns : texts).push(column);
	}
	return [columns, texts];
}

/** Line of a position, from 1. */
function lineAt(text: string, position: number): number {
	let line = 1;
	for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) line++;
	return line;
}
