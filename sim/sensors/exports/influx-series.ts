import { knownUnit } from "../units";
import type { Export } from "./export";

/** A value of InfluxDB: of a field in a measurement, with tags. */
export interface InfluxPoint {
	readonly line: number;
	readonly time: string;
	readonly value: string;
	readonly measurement: string;
	readonly field: string;
	readonly tags: ReadonlyMap<string, string>;
}

/** The field in which Home Assistant writes a state. */
const STATE_FIELD = "value";

/**
 * Names the series of InfluxDB: by Home Assistant's entity where it wrote them; else by the field, with tags
 * and measurement if fields of the same name differ in these. Home Assistant's measurement is the unit.
 */
export function exportOfInflux(points: readonly InfluxPoint[], timeName: string): Export {
	const sources = new Map<string, Set<string>>();
	for (const point of points)
		sources.set(point.field, (sources.get(point.field) ?? new Set<string>()).add(sourceOf(point)));
	const units = new Map<string, string>();
	const named = points.map((point) => {
		const { line, time, value, field, measurement } = point;
		const entity = entityOf(point);
		const source = sources.get(field)!.size > 1 ? `${field}.${sourceOf(point)}` : field;
		const series = entity === undefined ? source : field === STATE_FIELD ? entity : `${entity}.${field}`;
		if (field === STATE_FIELD && knownUnit(measurement) !== undefined) units.set(series, measurement);
		return { line, time, value, series };
	});
	return { points: named, timeName, held: false, units, warnings: [] };
}

function sourceOf({ tags, measurement }: InfluxPoint): string {
	return [...tags.values(), measurement].filter((part) => part !== "").join(".");
}

function entityOf({ tags }: InfluxPoint): string | undefined {
	const id = tags.get("entity_id");
	const domain = tags.get("domain");
	return id === undefined || domain === undefined ? undefined : `${domain}.${id}`;
}
