import type { CsvRow } from "../csv-table";
import type { InfluxPoint } from "./influx-series";

/*
 * What `influx -format csv` of InfluxDB 1.x prints: for each series a header, `name`, `tags` if the query
 * groups by some, `time` and the columns; then its rows, in which `tags` is `key=value,key=value`.
 */

const NAME = "name";
const TAGS = "tags";
const TIME = "time";

export function isInfluxCli(header: CsvRow | undefined): boolean {
	if (header === undefined) return false;
	const [first, second, third] = header.fields;
	return first === NAME && (second === TIME || (second === TAGS && third === TIME));
}

/** Reads the rows of all series. */
export function readInfluxCli(records: readonly CsvRow[]): InfluxPoint[] {
	const points: InfluxPoint[] = [];
	let header: readonly string[] = [];
	for (const record of records) {
		if (isInfluxCli(record)) header = record.fields;
		else {
			const { line, fields } = record;
			const at = header.indexOf(TIME);
			const tags = tagsOf(header[1] === TAGS ? (fields[1] ?? "") : "");
			for (let i = at + 1; i < header.length; i++)
				points.push({
					line,
					time: fields[at] ?? "",
					value: fields[i] ?? "",
					measurement: fields[0] ?? "",
					field: header[i]!,
					tags,
				});
		}
	}
	return points;
}

function tagsOf(text: string): ReadonlyMap<string, string> {
	const tags = new Map<string, string>();
	for (const pair of text.split(/,(?=[^,=]+=)/)) {
		const at = pair.indexOf("=");
		if (at > 0) tags.set(pair.slice(0, at), pair.slice(at + 1));
	}
	return tags;
}
