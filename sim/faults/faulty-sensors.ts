import type { Natives } from "../board/peripheral";
import type { SensorPort } from "../board/sensor-port";

type Read = (instance: number, path: number) => number | undefined;

/** The sensors of a board, whose readings can fail or stay the same. */
export class FaultySensors implements SensorPort {
	readonly natives: Natives;
	/** No reading succeeds: the driver throws. */
	failing = false;
	/** Every reading repeats the last one. */
	stuck = false;
	/** Last reading of each property of each instance. */
	readonly #last = new Map<string, number | undefined>();

	/** @param sensors whose readings they are while nothing is wrong */
	constructor(sensors: SensorPort) {
		const read = sensors.natives.sim_sensor_read as unknown as Read;
		const readFaulty: Read = (instance, path) => {
			if (this.failing) throw new Error("the sensor does not answer");
			const key = `${instance} ${path}`;
			if (!this.stuck || !this.#last.has(key)) this.#last.set(key, read(instance, path));
			return this.#last.get(key);
		};
		this.natives = { ...sensors.natives, sim_sensor_read: readFaulty as Natives[string] };
	}
}
