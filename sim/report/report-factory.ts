import { JSONReport } from "./json-report";
import { LineReport } from "./line-report";
import type { Report } from "./report";
import { TableReport } from "./table-report";

/**
 * Creates the report for a stream: JSON on request, a table on a terminal, otherwise lines.
 * @param packets whether packets are reported, which a table has no room for
 * @param keys whether keys can be read
 */
export function createReport(
	stream: NodeJS.WriteStream,
	json: boolean,
	packets: boolean,
	keys: boolean,
): Report {
	if (json) return new JSONReport(stream);
	return !packets && stream.isTTY && process.env.TERM !== "dumb"
		? new TableReport(stream, keys)
		: new LineReport(stream);
}
