import { ReplayError } from "../replay-error";
import type { InfluxPoint } from "./influx-series";

/*
 * InfluxDB's line protocol, `measurement,tag=value field=value,field=value time`, as `influx_inspect export`
 * and `influxd inspect export-lp` write it (docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol).
 */

const MEASUREMENT = /(?:\\[, ]|[^, \r\n])+/y;
const KEY = /(?:\\[,= ]|[^,= \r\n])+/y;
const TAG_VALUE = KEY;
const FIELD_VALUE = /"(?:\\[\s\S]|[^"\\])*"|[^,\s"]+/y;
const BLANKS = / +/y;
const TIME = /\d+/y;
const LINE_END = / *(?:\r\n|\n|\r|$)/y;
/** Comments, blank lines, and statements in front of the points of `influx_inspect export`. */
const OTHER_LINE = /[ \t]*(?:#[^\r\n]*|CREATE [^\r\n]*)?(?:\r\n|\n|\r|$)/y;
const SHAPE =
	/^(?:(?:#|CREATE )[^\r\n]*|\s)*(?:\\.|[^\s,"=#\\])(?:\\.|[^\s,"=\\])*(?:,(?:\\.|[^\s,=\\])+=(?:\\.|[^\s,=\\])+)* +(?:\\.|[^\s,="\\])+=[^\s]/;

export function isLineProtocol(text: string): boolean {
	return SHAPE.test(text);
}

/** Reads all points. @throws {ReplayError} */
export function readLineProtocol(text: string, file: string): InfluxPoint[] {
	const points: InfluxPoint[] = [];
	let at = 0;
	let line = 1;
	const match = (pattern: RegExp): string | undefined => {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0];
		if (found !== undefined) at += found.length;
		return found;
	};
	const take = (pattern: RegExp, what: string): string => {
		const found = match(pattern);
		if (found !== undefined && found !== "") return found;
		const cut = at >= text.length ? ": the file is cut off here" : "";
		throw new ReplayError(`${file}:${line}: no ${what} where InfluxDB's line protocol has one${cut}`);
	};
	const takeSign = (sign: string): boolean => {
		if (text[at] !== sign) return false;
		at++;
		return true;
	};
	const takeEquals = (what: string): void => {
		if (!takeSign("=")) throw new ReplayError(`${file}:${line}: ${what} has no value`);
	};
	while (at < text.length) {
		const other = match(OTHER_LINE);
		if (other !== undefined) {
			line++;
			continue;
		}
		const measurement = unescaped(take(MEASUREMENT, "measurement"));
		const tags = new Map<string, string>();
		while (takeSign(",")) {
			const key = unescaped(take(KEY, "name of a tag"));
			takeEquals(key);
			tags.set(key, unescaped(take(TAG_VALUE, "value of a tag")));
		}
		take(BLANKS, "field");
		const fields: (readonly [string, string])[] = [];
		const first = line;
		do {
			const key = unescaped(take(KEY, "name of a field"));
			takeEquals(key);
			const value = take(FIELD_VALUE, "value of a field");
			line += value.split("\n").length - 1;
			fields.push([key, numberText(value)]);
		} while (takeSign(","));
		const time = match(BLANKS) === undefined ? undefined : match(TIME);
		if (time === undefined) throw new ReplayError(`${file}:${line}: this point has no time`);
		if (match(LINE_END) === undefined)
			throw new ReplayError(`${file}:${line}: more follows where a point of InfluxDB ends`);
		for (const [field, value] of fields) points.push({ line: first, time, value, measurement, field, tags });
		line++;
	}
	return points;
}

function unescaped(text: string): string {
	return text.replace(/\\([,= ])/g, "$1");
}

/** A field's value, without the letter that tells an integer. */
function numberText(value: string): string {
	return /^-?\d+[iu]$/.test(value) ? value.slice(0, -1) : value;
}
