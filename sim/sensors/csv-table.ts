import { CsvError, parse } from "csv-parse/sync";
import { ReplayError } from "./replay-error";

/** The comma last: where another separator fits too, commas are in numbers or names. */
const SEPARATORS = ["\t", ";", "|", ","] as const;
export type Separator = (typeof SEPARATORS)[number];

export interface CsvRow {
	/** In the file, from 1. */
	readonly line: number;
	readonly fields: readonly string[];
}

/** Header and rows, with equally many fields. */
export interface CsvTable {
	readonly separator: Separator;
	readonly header: CsvRow;
	readonly rows: readonly CsvRow[];
}

interface Parsed {
	readonly record: string[];
	readonly info: { readonly lines: number };
}

/** Splits a text into records. Lines before the header that begin with `#` are left out. */
export function parseRecords(
	text: string,
	file: string,
): { readonly separator: Separator; readonly records: readonly CsvRow[] } {
	const { start, line, separator } = findHeader(text);
	try {
		const parsed = parse(text.slice(start), {
			delimiter: separator,
			info: true,
			relax_column_count: true,
			skip_empty_lines: true,
			trim: true,
		}) as unknown as Parsed[];
		return {
			separator,
			records: parsed.map(({ record, info }) => ({ line: info.lines + line, fields: record })),
		};
	} catch (error) {
		if (!(error instanceof CsvError)) throw error;
		const { lines } = error as CsvError & { lines?: number };
		const message =
			error.code === "CSV_QUOTE_NOT_CLOSED"
				? "a quoted field is not closed: the file is cut off here"
				: error.message;
		throw new ReplayError(`${file}:${lines === undefined ? "?" : lines + line}: ${message}`);
	}
}

/**
 * Checks the widths of the rows, and leaves out a column of row numbers, which has no name in the header or
 * none of its own, and the empty column behind separators at the ends of the lines.
 */
export function tableOf(separator: Separator, records: readonly CsvRow[], file: string): CsvTable {
	const [header, ...rows] = records;
	if (header === undefined || rows[0] === undefined)
		throw new ReplayError(`${file}:${header?.line ?? 1}: a header and at least one row are needed`);
	let names = header.fields.map((name) => name.trim());
	const longer = rows[0].fields.length === names.length + 1;
	if (longer) names = rows.every(endsEmpty) ? [...names, ""] : ["", ...names];
	for (const [index, row] of rows.entries()) {
		const count = row.fields.length;
		if (count === names.length) continue;
		const cut = index === rows.length - 1 && count < names.length ? ": the file is cut off here" : "";
		throw new ReplayError(`${file}:${row.line}: ${count} fields where ${names.length} are needed${cut}`);
	}
	const last = names.length - 1;
	const from = names[0] === "" && (longer || rows.every(({ fields }) => /^\d*$/.test(fields[0]!))) ? 1 : 0;
	const to = names[last] === "" && rows.every(endsEmpty) ? last : names.length;
	return {
		separator,
		header: { line: header.line, fields: names.slice(from, to) },
		rows: rows.map(({ line, fields }) => ({ line, fields: fields.slice(from, to) })),
	};
}

function endsEmpty({ fields }: CsvRow): boolean {
	return fields[fields.length - 1] === "";
}

/** Where the records begin, the number of lines before, and the separator. */
function findHeader(text: string): { start: number; line: number; separator: Separator } {
	let start = 0;
	let line = 0;
	for (;;) {
		const next = nextLine(text, start);
		const content = text.slice(start, next).trim();
		// Excel's own way to name the separator
		const named = /^sep=(.)$/i.exec(content)?.[1] as Separator | undefined;
		if (named !== undefined && SEPARATORS.includes(named))
			return { start: next, line: line + 1, separator: named };
		if (next === text.length || (content !== "" && !content.startsWith("#"))) break;
		start = next;
		line++;
	}
	const header = nextLine(text, start);
	return {
		start,
		line,
		separator: findSeparator(text.slice(start, header), text.slice(header, nextLine(text, header))),
	};
}

function nextLine(text: string, from: number): number {
	const end = text.slice(from).search(/\r\n|\n|\r/);
	if (end < 0) return text.length;
	return from + end + (text.startsWith("\r\n", from + end) ? 2 : 1);
}

/** The separator that header and first row have equally often, or the row once more. */
function findSeparator(header: string, row: string): Separator {
	const counts = SEPARATORS.map((separator) => {
		const count = countOutsideQuotes(header, separator);
		const inRow = countOutsideQuotes(row, separator);
		return { separator, count, fits: count > 0 && (inRow === count || inRow === count + 1) };
	});
	const fitting = counts.find(({ fits }) => fits);
	if (fitting !== undefined) return fitting.separator;
	return counts.reduce((best, each) => (each.count > best.count ? each : best), counts[3]!).separator;
}

function countOutsideQuotes(line: string, separator: string): number {
	return line.replace(/"[^"]*"/g, "").split(separator).length - 1;
}
