import { JSONReport } from "./json-report";
import { LineReport } from "./line-report";
import type { Report } from "./report";
import { TableReport } from "./table-report";

/** The report that suits a stream: JSON where asked for, a table on a terminal, lines elsewhere. */
export function createReport(stream: NodeJS.WriteStream, json: boolean, speed: number | "max"): Report {
	if (json) return new JSONReport(stream);
	return stream.isTTY && process.env.TERM !== "dumb"
		? new TableReport(stream, speed)
		: new LineReport(stream);
}
