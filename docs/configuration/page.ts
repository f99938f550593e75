import type { Field, Fields } from "../../src/config/fields/field";
import { fireflyFields } from "../../src/config/fields/firefly";
import { defaultOf } from "../../src/config/schema/field-schema";
import { rangeText } from "../../src/config/schema/range-text";

const HEAD = `# Configuration

Every key of \`config.firefly\` in \`manifest.json\`, with its values, its default and what happens at its limit. This file is generated from
the rows in \`src/config/fields\` by \`node --import tsx docs/configuration/generate.ts\`, and a test fails where it is out of date; the reader on the
device, the schema for editors (\`manifest.schema.json\`) and \`firefly check\` come from the same rows.

- A duration is a number with a unit: \`250ms\`, \`60s\`, \`1.5m\`, \`1h\`, \`30d\`.
- An unknown key, a wrong value or what does not fit the device's memory is an error of \`firefly check\`. On a device a wrong value is traced with its path,
  and its default is used.
- **Override**: \`firefly.local.json\` beside the manifest may have the key too, and takes precedence; the variable of the environment precedes that, and for a
  board the key on mcconfig's command line does.
`;

/** Renders docs/configuration.md. */
export function renderPage(): string {
	return `${[HEAD, ...renderGroup("config.firefly", "", fireflyFields)].join("\n")}`;
}

/** A heading, a table of the rows, what there is to know beside it, and the groups in it. */
function renderGroup(title: string, path: string, rows: Fields): string[] {
	const entries = Object.entries(rows);
	const lines = [
		`## ${title}`,
		"",
		"| key | values | default | meaning |",
		"| --- | --- | --- | --- |",
		...entries.map(
			([key, row]) =>
				`| ${keyCell(path, key, row)} | ${values(row)} | ${fallback(row)} | ${cell(row.text)} |`,
		),
		"",
	];
	for (const [key, row] of entries) {
		const notes = [...(row.detail ?? []), ...overrideNote(row)];
		if (notes.length > 0) lines.push(`**\`${key}\`**: ${notes.join(" ")}`, "");
	}
	for (const [key, row] of entries)
		if ("fields" in row) {
			const inner = innerPath(path, key, row);
			lines.push(...renderGroup(inner, inner, row.fields));
		}
	return lines;
}

function innerPath(path: string, key: string, row: Field): string {
	return `${path === "" ? key : `${path}.${key}`}${row.kind === "list" ? "[]" : ""}`;
}

function keyCell(path: string, key: string, row: Field): string {
	if (!("fields" in row)) return `\`${key}\``;
	return `[\`${key}\`](#${innerPath(path, key, row)
		.replace(/[.[\]]/g, "")
		.toLowerCase()})`;
}

function values(row: Field): string {
	switch (row.kind) {
		case "count":
		case "decimal":
			return row.unit === undefined ? rangeText(row) : `${rangeText(row)} ${row.unit}`;
		case "duration":
		case "seconds":
			return rangeText(row);
		case "choice":
			return row.choices.map(code).join(", ");
		case "text":
			return row.secret ? "secret text" : "text";
		case "switchableText":
			return "text or `false`";
		case "texts":
			return `up to ${row.maximum} texts`;
		case "table":
			return `up to ${row.maximum} names, each with a text`;
		case "points":
			return `2 to ${row.maximum} points \`[x, y]\``;
		case "list":
			return `up to ${row.maximum} objects`;
		case "object":
		case "section":
			return "object";
		case "ignored":
			return "any";
	}
}

function fallback(row: Field): string {
	if ("required" in row) return "needed";
	const value = defaultOf(row);
	if (value === undefined) return "–";
	return "scalesWith" in row ? `${code(value)}, as \`${row.scalesWith}\`` : code(value);
}

function overrideNote(row: Field): string[] {
	if (row.kind !== "text" || row.override === undefined) return [];
	return [`Override: \`FIREFLY_${row.override.toUpperCase()}\`, mcconfig's \`${row.override}\`.`];
}

function code(value: unknown): string {
	return `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
	return text.replaceAll("|", "\\|");
}
