import type { Contacts } from "../../sim/board/contacts";
import type { Natives } from "../../sim/board/peripheral";
import type { SensorPort } from "../../sim/board/sensor-port";
import type { Scheduler } from "../../sim/clock/scheduler";

/**
 * Sensors that never give the same reading twice: 1, 2, 3 …, so that a reading tells when it was taken; and
 * contacts at digital pins.
 */
export class TrackedSensors implements SensorPort {
	readonly natives: Natives;
	/** True time of each reading, ms since 1970, by its value; 0 is none. */
	readonly times: number[] = [0];

	constructor(scheduler: Scheduler, contacts: Contacts) {
		const options: object[] = [];
		this.natives = {
			sim_sensor_open: (text) => options.push(JSON.parse(String(text)) as object) - 1,
			sim_sensor_read: (instance) =>
				contacts.valueOf(options[Number(instance)] ?? {}) ?? this.times.push(scheduler.now) - 1,
		};
	}
}
