import { formatDuration } from "../duration";
import type { Field } from "../fields/field";

type NumberRow = Field & { readonly kind: "count" | "decimal" | "duration" | "seconds" };

/** A number of a row in the manifest's notation, as text: `15m`, `512`. */
export function formatNumber(row: NumberRow, value: number): string {
	if (row.kind === "duration") return formatDuration(value);
	return row.kind === "seconds" ? formatDuration(value * 1000) : String(value);
}

/** `from 1s to 10m` */
export function rangeText(row: NumberRow): string {
	const range = `from ${formatNumber(row, row.minimum)} to ${formatNumber(row, row.maximum)}`;
	return row.kind === "seconds" ? `whole seconds, ${range}` : range;
}
