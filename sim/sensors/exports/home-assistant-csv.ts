import { type CsvRow, type Separator, tableOf } from "../csv-table";
import { type Export, NO_UNITS } from "./export";

/** Columns of a table of Home Assistant, by what they hold. */
interface Columns {
	readonly entity: number;
	readonly value: number;
	readonly time: number;
	/** -1: not told. */
	readonly unit: number;
	/** Of statistics: the mean of a period, not a reading. */
	readonly statistics: boolean;
}

const PERIODS = "statistics are means of hours or days: what changed within one is not in them";

/**
 * Reads what the history page of Home Assistant downloads, `entity_id,state,last_changed`, or statistics as a
 * table; undefined if it is neither.
 */
export function homeAssistantTable(
	separator: Separator,
	records: readonly CsvRow[],
	file: string,
): Export | undefined {
	const columns = columnsOf(records[0]);
	if (columns === undefined) return undefined;
	const { entity, value, time, unit, statistics } = columns;
	const { header, rows } = tableOf(separator, records, file);
	const units = new Map<string, string>();
	const points = rows.map(({ line, fields }) => {
		const series = fields[entity]!;
		if (unit >= 0 && fields[unit] !== "") units.set(series, fields[unit]!);
		return { line, series, time: fields[time]!, value: fields[value]! };
	});
	return {
		points,
		timeName: header.fields[time]!,
		held: true,
		units: units.size === 0 ? NO_UNITS : units,
		warnings: statistics ? [`${file}: ${PERIODS}`] : [],
	};
}

/** What statistics of Home Assistant leave out, in a warning. */
export function statisticsWarning(file: string): string {
	return `${file}: ${PERIODS}`;
}

function columnsOf(header: CsvRow | undefined): Columns | undefined {
	const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? [];
	const find = (...choices: string[]): number =>
		choices.map((name) => names.indexOf(name)).find((index) => index >= 0) ?? -1;
	const unit = find("unit", "unit_of_measurement");
	const history = {
		entity: find("entity_id"),
		value: find("state"),
		time: find("last_changed", "last_updated"),
	};
	if (complete(history)) return { ...history, unit, statistics: false };
	const statistics = {
		entity: find("statistic_id"),
		value: find("mean", "state"),
		time: find("start", "start_ts"),
	};
	return complete(statistics) ? { ...statistics, unit, statistics: true } : undefined;
}

function complete({ entity, value, time }: Pick<Columns, "entity" | "value" | "time">): boolean {
	return entity >= 0 && value >= 0 && time >= 0;
}
