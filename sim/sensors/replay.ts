import type { Natives } from "../board/peripheral";
import type { SensorPort } from "../board/sensor-port";
import type { Scheduler } from "../clock/scheduler";
import { chooseColumn, namedColumn, type ReplayedSensor } from "./column-choice";
import { namesText } from "./names-text";
import type { Recording } from "./recording";
import { ReplayError } from "./replay-error";
import type { Timeline } from "./timeline";
import { unitConversion } from "./units";

/** Names of columns by the names of sensors, as a person chose them. */
export type ColumnNames = ReadonlyMap<string, string>;

/** Where the values of a sensor are in a recording. */
export interface ReplayedColumn {
	readonly index: number;
	/** From the recording's unit to the sensor's. */
	convert(value: number): number;
}

/** Sensors that replay a recording: each property reads the column of its name. */
export class ReplaySensors implements SensorPort {
	readonly natives: Natives;

	/**
	 * Throws {@link ReplayError} when a property has no column.
	 * @param sensors of the board, by number; `unit` is that of the driver's property
	 * @param names columns of those sensors that are not to be found by name
	 */
	constructor(
		scheduler: Scheduler,
		recording: Recording,
		timeline: Timeline,
		sensors: readonly ReplayedSensor[],
		names: ColumnNames = new Map(),
	) {
		const columns = replayedColumns(recording, sensors, names);
		this.natives = {
			sim_sensor_open: () => 0,
			sim_sensor_read: (_instance: number, path: number) => {
				const { index, convert } = columns[path]!;
				const value = timeline.at(scheduler.now)?.values[index];
				return value === undefined ? undefined : convert(value);
			},
		};
	}
}

/** The columns of a board's sensors. @throws {ReplayError} */
function replayedColumns(
	recording: Recording,
	sensors: readonly ReplayedSensor[],
	names: ColumnNames,
): readonly ReplayedColumn[] {
	const { file, columns, units = [] } = recording;
	const chosen = sensors.map((sensor) => columnOf(file, columns, sensor, names, (index) => units[index]));
	for (const [index, { name, property }] of sensors.entries()) {
		const other = sensors.findIndex(
			(each, i) =>
				each.property.join(".") === property.join(".") && chosen[i]!.index !== chosen[index]!.index,
		);
		if (other >= 0)
			throw new ReplayError(
				`${file}:1: ${name} and ${sensors[other]!.name} read the same property ${property.join(".")}, so they replay the same column`,
			);
	}
	return chosen;
}

/** The column of a sensor, and how its unit is converted. @throws {ReplayError} */
export function columnOf(
	file: string,
	columns: readonly string[],
	sensor: ReplayedSensor,
	names: ColumnNames,
	unitOf: (index: number) => string | undefined,
): ReplayedColumn {
	const named = names.get(sensor.name);
	const index = named === undefined ? chooseColumn(sensor, columns) : namedColumn(named, columns);
	if (index < 0) {
		const missing =
			named === undefined
				? `no column for ${sensor.property.join(".")}`
				: `no column ${JSON.stringify(named)}`;
		throw new ReplayError(
			`${file}:1: ${missing}; there are ${namesText(columns)}; choose one with --map ${sensor.name}=COLUMN`,
		);
	}
	const unit = unitOf(index);
	if (unit === undefined || sensor.unit === undefined || sensor.unit === "")
		return { index, convert: (value) => value };
	const convert = unitConversion(unit, sensor.unit);
	if (convert === undefined)
		throw new ReplayError(
			`${file}:1: ${columns[index]} is in ${unit}, and ${sensor.name} in ${sensor.unit}: they are not the same quantity`,
		);
	return { index, convert };
}
