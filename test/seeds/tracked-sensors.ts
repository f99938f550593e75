import type { Natives } from "../../sim/board/peripheral";
import type { SensorPort } from "../../sim/board/sensor-port";
import type { Scheduler } from "../../sim/clock/scheduler";

/** Sensors that never give the same reading twice: 1, 2, 3 …, so that a reading tells when it was taken. */
export class TrackedSensors implements SensorPort {
	readonly natives: Natives;
	/** True time of each reading, ms since 1970, by its value; 0 is none. */
	readonly times: number[] = [0];

	constructor(scheduler: Scheduler) {
		this.natives = {
			sim_sensor_open: () => 0,
			sim_sensor_read: () => this.times.push(scheduler.now) - 1,
		};
	}
}
