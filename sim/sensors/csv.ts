import { readFileSync } from "node:fs";
import { CsvError, parse } from "csv-parse/sync";

/** A recording that cannot be used; the message names file and line. */
export class ReplayError extends Error {
	override readonly name = "ReplayError";
}

/** Recorded readings. */
export interface Recording {
	readonly file: string;
	/** Column names, without row number and date. */
	readonly columns: readonly string[];
	readonly rows: readonly RecordedRow[];
	/** Anomalies of the file that do not prevent its use. */
	readonly warnings: readonly string[];
}

export interface RecordedRow {
	/** In the file, from 1. */
	readonly line: number;
	/** ms since 1970. */
	readonly time: number;
	/** By column; undefined where the field is empty. */
	readonly values: readonly (number | undefined)[];
}

const DATE_NAME = /^(date|time|datetime|date_time|timestamp)$/i;
/** Without a zone: UTC. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?(Z|[+-]\d\d:?\d\d)?$/;

interface Parsed {
	readonly record: string[];
	readonly info: { readonly lines: number };
}

/**
 * Reads a recording: a header of names, then one row per time. If rows have one field more than the header,
 * the first is the row number and is ignored. Throws {@link ReplayError} for malformed input.
 */
export function readRecording(file: string): Recording {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (error) {
		throw new ReplayError(
			`${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
		);
	}
	return parseRecording(text, file);
}

/** Like {@link readRecording}, from text. */
export function parseRecording(text: string, file: string): Recording {
	const records = parseRecords(text, file);
	const header = records[0]?.record;
	if (!header || records.length < 2)
		throw new ReplayError(`${file}:1: a header and at least one row are needed`);
	const numbered = records[1]!.record.length === header.length + 1;
	const width = header.length + (numbered ? 1 : 0);
	const names = header.map((name) => name.trim());
	const date = names.findIndex((name) => DATE_NAME.test(name));
	if (date < 0) throw new ReplayError(`${file}:1: no column is called date, time, datetime or timestamp`);
	const columns = names.filter((_, index) => index !== date);
	if (columns.length === 0) throw new ReplayError(`${file}:1: no column besides "${names[date]}"`);
	const invalidName = columns.find((name, index) => name === "" || columns.indexOf(name) !== index);
	if (invalidName !== undefined)
		throw new ReplayError(
			`${file}:1: ${invalidName === "" ? "a column has no name" : `two columns are called "${invalidName}"`}`,
		);
	const rows: RecordedRow[] = [];
	for (let i = 1; i < records.length; i++) {
		const { record, info } = records[i]!;
		const where = `${file}:${info.lines}`;
		if (record.length !== width) {
			const cut = i === records.length - 1 && record.length < width ? ": the file is cut off here" : "";
			throw new ReplayError(`${where}: ${record.length} fields where ${width} are needed${cut}`);
		}
		const fields = numbered ? record.slice(1) : record;
		const time = readDate(fields[date]!, `${where}: ${names[date]}`);
		const before = rows[rows.length - 1];
		if (before && time <= before.time)
			throw new ReplayError(`${where}: ${fields[date]} is not after the row before it`);
		const values = fields
			.filter((_, index) => index !== date)
			.map((field, index) => readNumber(field, `${where}: ${columns[index]}`));
		rows.push({ line: info.lines, time, values });
	}
	const warnings = /[\r\n]$/.test(text)
		? []
		: [
				`${file}:${rows[rows.length - 1]!.line}: no line end after the last row: its last value may be cut off`,
			];
	return { file, columns, rows, warnings };
}

function parseRecords(text: string, file: string): Parsed[] {
	try {
		return parse(text, {
			bom: true,
			info: true,
			relax_column_count: true,
			skip_empty_lines: true,
			trim: true,
		}) as unknown as Parsed[];
	} catch (error) {
		if (!(error instanceof CsvError)) throw error;
		const { lines } = error as CsvError & { lines?: number };
		const message =
			error.code === "CSV_QUOTE_NOT_CLOSED"
				? "a quoted field is not closed: the file is cut off here"
				: error.message;
		throw new ReplayError(`${file}:${lines ?? "?"}: ${message}`);
	}
}

function readDate(field: string, where: string): number {
	const match = DATE.exec(field);
	if (match) {
		const [, year, month, day, hour = "00", minute = "00", second = "00", zone = "Z"] = match;
		const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
		if (!Number.isNaN(time)) return time;
	}
	const seconds = field === "" ? Number.NaN : Number(field);
	// Seconds or milliseconds since 1970; 1e11 s is the year 5138, 1e11 ms is 1973.
	if (Number.isFinite(seconds) && seconds > 0) return seconds < 1e11 ? seconds * 1000 : seconds;
	throw new ReplayError(`${where} is ${JSON.stringify(field)}, not a date such as 2015-02-02 14:19:00`);
}

function readNumber(field: string, where: string): number | undefined {
	if (field === "") return undefined;
	const value = Number(field);
	if (!Number.isFinite(value)) throw new ReplayError(`${where} is ${JSON.stringify(field)}, not a number`);
	return value;
}
