import type { CsvRow } from "../csv-table";
import type { InfluxPoint } from "./influx-series";

const TIME = "_time";
const VALUE = "_value";
const FIELD = "_field";
const MEASUREMENT = "_measurement";
/** Columns of each table that are no tags. */
const OWN_COLUMNS = new Set(["", "result", "table", "_start", "_stop", TIME, VALUE, FIELD, MEASUREMENT]);

/** Whether records are InfluxDB's annotated CSV with one value a row. */
export function isAnnotated(header: CsvRow | undefined): boolean {
	return header?.fields.includes(TIME) === true && header.fields.includes(VALUE);
}

/** Whether a column of a pivoted table of InfluxDB is about the query and not from a sensor. */
export function isInfluxColumn(name: string): boolean {
	return OWN_COLUMNS.has(name);
}

/** Reads the rows of all tables of an answer of Flux, each with a header of its own. */
export function readAnnotated(records: readonly CsvRow[]): InfluxPoint[] {
	const points: InfluxPoint[] = [];
	let header: readonly string[] | undefined;
	for (const { line, fields } of records) {
		if (fields[0]?.startsWith("#")) header = undefined;
		else if (header === undefined || fields[header.indexOf(TIME)] === TIME) header = fields;
		else {
			const names: readonly string[] = header;
			const of = (name: string): string => fields[names.indexOf(name)] ?? "";
			const tags = new Map<string, string>();
			for (const [index, name] of names.entries())
				if (!OWN_COLUMNS.has(name)) tags.set(name, fields[index] ?? "");
			const field = of(FIELD) === "" ? "value" : of(FIELD);
			points.push({ line, time: of(TIME), value: of(VALUE), field, measurement: of(MEASUREMENT), tags });
		}
	}
	return points;
}
