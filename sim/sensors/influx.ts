import type { CsvRow } from "./csv-table";

const TIME = "_time";
const VALUE = "_value";
const FIELD = "_field";
const MEASUREMENT = "_measurement";
/** Columns of each table that are no tags. */
const OWN_COLUMNS = new Set(["", "result", "table", "_start", "_stop", TIME, VALUE, FIELD, MEASUREMENT]);

/** A row of InfluxDB's annotated CSV, whose tables have one series each. */
export interface InfluxRow {
	readonly line: number;
	readonly time: string;
	readonly value: string;
	readonly series: string;
}

/** Whether records are InfluxDB's annotated CSV with one value a row. */
export function isInflux(header: CsvRow | undefined): boolean {
	return header?.fields.includes(TIME) === true && header.fields.includes(VALUE);
}

/** Whether a column of a pivoted table of InfluxDB is about the query and not from a sensor. */
export function isInfluxColumn(name: string): boolean {
	return OWN_COLUMNS.has(name);
}

/**
 * Reads the rows of all tables, each with a header of its own. A series is named by its field, with its
 * measurement and tags if fields of the same name differ in these.
 */
export function readInflux(records: readonly CsvRow[]): InfluxRow[] {
	const rows: (InfluxRow & { readonly field: string; readonly tags: string })[] = [];
	let header: readonly string[] | undefined;
	for (const { line, fields } of records) {
		if (fields[0]?.startsWith("#")) header = undefined;
		else if (header === undefined || fields[header.indexOf(TIME)] === TIME) header = fields;
		else {
			const names: readonly string[] = header;
			const of = (name: string): string => fields[names.indexOf(name)] ?? "";
			const tags = names
				.map((name, index) => (OWN_COLUMNS.has(name) ? "" : (fields[index] ?? "")))
				.concat(of(MEASUREMENT))
				.filter((tag) => tag !== "")
				.join(".");
			const field = of(FIELD) === "" ? "value" : of(FIELD);
			rows.push({ line, time: of(TIME), value: of(VALUE), series: field, field, tags });
		}
	}
	const tagsOfField = new Map<string, Set<string>>();
	for (const { field, tags } of rows)
		tagsOfField.set(field, (tagsOfField.get(field) ?? new Set<string>()).add(tags));
	return rows.map((row) =>
		tagsOfField.get(row.field)!.size > 1 ? { ...row, series: `${row.field}.${row.tags}` } : row,
	);
}
