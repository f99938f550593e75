import type { Natives } from "../board/peripheral";
import type { SensorPort } from "../board/sensor-port";
import type { Scheduler } from "../clock/scheduler";
import type { Recording } from "./recording";
import { ReplayError } from "./replay-error";
import type { Timeline } from "./timeline";

/** Sensors that replay a recording: each property reads the column of its name. */
export class ReplaySensors implements SensorPort {
	readonly natives: Natives;

	/**
	 * Throws {@link ReplayError} when a property has no column.
	 * @param paths properties that the drivers offer, by number
	 */
	constructor(
		scheduler: Scheduler,
		recording: Recording,
		timeline: Timeline,
		paths: readonly (readonly string[])[],
	) {
		const columns = paths.map((path) => columnOf(recording, path));
		this.natives = {
			sim_sensor_open: () => 0,
			sim_sensor_read: (_instance: number, path: number) => {
				const row = timeline.at(scheduler.now);
				if (!row) return undefined;
				return row.values[columns[path]!];
			},
		};
	}
}

/** Matches the whole name, else its last part; case is ignored. */
function columnOf(recording: Recording, path: readonly string[]): number {
	const names = recording.columns.map((name) => name.toLowerCase());
	const whole = names.indexOf(path.join(".").toLowerCase());
	const index = whole < 0 ? names.indexOf(path[path.length - 1]!.toLowerCase()) : whole;
	if (index < 0)
		throw new ReplayError(
			`${recording.file}:1: no column for ${path.join(".")}; there are ${recording.columns.join(", ")}`,
		);
	return index;
}
