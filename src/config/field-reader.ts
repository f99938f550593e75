import type { Field, Fields, Values } from "./fields/field";
import type { Section } from "./section";

/**
 * Reads the settings of an object of the configuration. An invalid value is traced, and its default is used;
 * a required text that is missing or invalid becomes empty.
 * @param commandLine `mc/config`, whose strings take precedence over the rows that name them
 */
export function readFields<Rows extends Fields>(
	section: Section,
	rows: Rows,
	commandLine?: Section,
): Values<Rows> {
	return readRows(section, rows, commandLine) as Values<Rows>;
}

function readRows(section: Section, rows: Fields, commandLine: Section | undefined): object {
	const values: { [key: string]: unknown } = {};
	for (const key of Object.keys(rows)) {
		const row: Field = rows[key];
		const value =
			row.kind === "section"
				? readSection(section, key, row, commandLine)
				: readField(section, key, row, commandLine, scaledDefault(row, rows, values));
		if (value !== undefined) values[key] = value;
	}
	return values;
}

function readSection(
	parent: Section,
	key: string,
	row: Field & { kind: "section" },
	commandLine: Section | undefined,
): object | undefined {
	if (row.optional && parent.value(key) === undefined) return undefined;
	return readRows(parent.section(key), row.fields, commandLine);
}

function readField(
	section: Section,
	key: string,
	row: Exclude<Field, { kind: "section" }>,
	commandLine: Section | undefined,
	fallback: number | undefined,
): unknown {
	switch (row.kind) {
		case "count":
			return section.integer(key, fallback, row);
		case "decimal":
			return section.number(key, fallback, row);
		case "duration":
			return section.duration(key, fallback, row);
		case "seconds":
			return section.seconds(key, fallback, row);
		case "choice":
			return section.choice(key, row.default, row.choices);
		case "text": {
			if (row.required && section.value(key) === undefined) return section.refuse(key, "is missing", "");
			const text = section.string(key, row.required ? "" : row.default, row.check, row.secret);
			return row.override === undefined || commandLine === undefined
				? text
				: commandLine.string(row.override, text, row.check, row.secret);
		}
		case "switchableText":
			return section.value(key) === false ? false : section.string(key, row.default, row.check);
		case "texts":
			return section.strings(key, row.maximum, row.check);
		case "points":
			return section.points(key, row.default, row.maximum);
		case "object":
			return section.object(key);
		default:
			return undefined;
	}
}

/** The default of a number; undefined if it has none. */
function scaledDefault(
	row: Field,
	rows: Fields,
	values: { readonly [key: string]: unknown },
): number | undefined {
	if (!("scalesWith" in row) || row.scalesWith === undefined || row.default === undefined)
		return "minimum" in row ? row.default : undefined;
	const other = rows[row.scalesWith];
	const base = "minimum" in other ? other.default : undefined;
	return base === undefined ? row.default : Math.ceil((Number(values[row.scalesWith]) * row.default) / base);
}
