import { readFileSync } from "node:fs";
import { dayOrderOf } from "./csv-dates";
import { type Comma, commaOf, isNoValue, isNumber, isNumeric, parseNumber } from "./csv-numbers";
import { type CsvRow, parseRecords, type Separator, tableOf } from "./csv-table";
import { decodeText } from "./csv-text";
import { isInflux, isInfluxColumn, readInflux } from "./influx";
import type { RecordedRow, Recording } from "./recording";
import { ReplayError } from "./replay-error";
import { type Point, recordingOfSeries } from "./series";
import { readTime, readTimes } from "./time-column";

/**
 * Reads a recording: a header of names, then one row per time, in any usual dialect of CSV; or a history of
 * Home Assistant or an answer of InfluxDB, with one value a row. If rows have one field more than the header,
 * the first is the row number and is ignored. Throws {@link ReplayError} for malformed input.
 */
export function readRecording(file: string): Recording {
	let bytes: Uint8Array;
	try {
		bytes = readFileSync(file);
	} catch (error) {
		throw new ReplayError(
			`${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
		);
	}
	return parseRecording(decodeText(bytes), file);
}

/** Like {@link readRecording}, from text. */
export function parseRecording(text: string, file: string): Recording {
	const { separator, records } = parseRecords(text.replace(/^\ufeff/, ""), file);
	const [header] = records;
	const last = records[records.length - 1];
	const warnings =
		last === undefined || /[\r\n]$/.test(text)
			? []
			: [`${file}:${last.line}: no line end after the last row: its last value may be cut off`];
	if (isInflux(header)) return parseInflux(records, file, warnings);
	const history = historyColumns(header);
	if (history !== undefined) return parseHistory(records, history, file, warnings);
	return parseTable(separator, records, file, warnings);
}

function parseTable(
	separator: Separator,
	records: readonly CsvRow[],
	file: string,
	warnings: readonly string[],
): Recording {
	const table = tableOf(separator, records, file);
	const names = table.header.fields;
	const { indices, times } = readTimes(table, file);
	const place = `${file}:${table.header.line}`;
	const timeName = indices.map((index) => names[index]).join(" and ");
	const ofInflux = indices.some((index) => names[index] === "_time");
	const candidates = names
		.map((name, index) => ({ name, index }))
		.filter(({ name, index }) => !indices.includes(index) && !(ofInflux && isInfluxColumn(name)));
	if (candidates.length === 0) throw new ReplayError(`${place}: no column besides "${timeName}"`);
	for (const [position, { name }] of candidates.entries()) {
		if (name === "") throw new ReplayError(`${place}: a column has no name`);
		if (candidates.findIndex((other) => other.name === name) !== position)
			throw new ReplayError(`${place}: two columns are called "${name}"`);
	}
	const [columns, texts] = separateTexts(candidates, table.rows);
	if (columns.length === 0)
		throw new ReplayError(`${place}: no column has numbers: ${texts.map(({ name }) => name).join(", ")}`);
	const comma = commaOf(
		columns.flatMap(({ index }) => table.rows.map(({ fields }) => fields[index]!)),
		separator === ",",
	);
	const rows: RecordedRow[] = [];
	for (const [i, { line, fields }] of table.rows.entries()) {
		const time = times[i]!;
		const before = rows[rows.length - 1];
		if (before && time <= before.time) {
			const shown = indices.map((index) => fields[index]).join(" ");
			throw new ReplayError(`${file}:${line}: ${shown} is not after the row before it`);
		}
		const values = columns.map(({ name, index }) =>
			readNumber(fields[index]!, comma, `${file}:${line}: ${name}`),
		);
		rows.push({ line, time, values });
	}
	return {
		file,
		columns: columns.map(({ name }) => name),
		rows,
		warnings: [...warnings, ...texts.map(({ name }) => `${place}: ${name} has no numbers and is left out`)],
	};
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

/** Columns of a history of Home Assistant: which entity had which state since when. */
interface HistoryColumns {
	readonly entity: number;
	readonly state: number;
	readonly time: number;
}

function historyColumns(header: CsvRow | undefined): HistoryColumns | undefined {
	const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? [];
	const entity = names.indexOf("entity_id");
	const state = names.indexOf("state");
	const changed = names.indexOf("last_changed");
	const time = changed < 0 ? names.indexOf("last_updated") : changed;
	return entity < 0 || state < 0 || time < 0 ? undefined : { entity, state, time };
}

function parseHistory(
	records: readonly CsvRow[],
	{ entity, state, time }: HistoryColumns,
	file: string,
	warnings: readonly string[],
): Recording {
	const { header, rows } = tableOf(",", records, file);
	const points = rows.map(({ line, fields }) => ({
		line,
		series: fields[entity]!,
		time: fields[time]!,
		value: fields[state]!,
	}));
	return parsePoints(points, header.fields[time]!, file, true, warnings);
}

function parseInflux(records: readonly CsvRow[], file: string, warnings: readonly string[]): Recording {
	const rows = readInflux(records);
	if (rows.length === 0)
		throw new ReplayError(`${file}:${records[0]?.line ?? 1}: a header and at least one row are needed`);
	return parsePoints(rows, "_time", file, false, warnings);
}

type TextPoint = { readonly [key in keyof Point]: key extends "line" ? number : string };

function parsePoints(
	points: readonly TextPoint[],
	timeName: string,
	file: string,
	held: boolean,
	warnings: readonly string[],
): Recording {
	const order = dayOrderOf(points.map(({ time }) => time));
	const numeric = new Set(points.filter(({ value }) => isNumeric(value)).map(({ series }) => series));
	const others = [...new Set(points.map(({ series }) => series))].filter((series) => !numeric.has(series));
	if (numeric.size === 0)
		throw new ReplayError(`${file}:${points[0]!.line}: nothing has numbers: ${others.join(", ")}`);
	const read = points
		.filter(({ series }) => numeric.has(series))
		.map(({ line, series, time, value }) => ({
			line,
			series,
			time: readTime(time, order, `${file}:${line}: ${timeName}`),
			value: readNumber(value, undefined, `${file}:${line}: ${series}`),
		}));
	const left = others.map((series) => `${file}: ${series} has no numbers and is left out`);
	return recordingOfSeries(file, read, held, [...warnings, ...left]);
}

function readNumber(field: string, comma: Comma, where: string): number | undefined {
	if (isNoValue(field)) return undefined;
	const value = parseNumber(field, comma);
	if (value !== undefined) return value;
	throw new ReplayError(
		isNumber(field)
			? `${where} is ${JSON.stringify(field)}, and nothing in the file tells whether that separates decimals or thousands`
			: `${where} is ${JSON.stringify(field)}, not a number`,
	);
}
