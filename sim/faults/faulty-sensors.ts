import type { Natives } from "../board/peripheral";
import type { SensorPort } from "../board/sensor-port";

type Read = (instance: number, path: number) => number | undefined;

/** What drivers make of a broken wire, or of a register that was never written; by turns. */
const GARBLED_READINGS = [
	Number.NaN,
	Number.POSITIVE_INFINITY,
	-Number.MAX_VALUE,
	Number.MIN_VALUE,
	Number.NEGATIVE_INFINITY,
	-0,
	Number.MAX_VALUE,
	-123_456.789_012_345_67,
] as const;

/** The sensors of a board, whose readings can fail, stay the same, or be no sensible numbers. */
export class FaultySensors implements SensorPort {
	readonly natives: Natives;
	/** No reading succeeds: the driver throws. */
	failing = false;
	/** Every reading repeats the last one. */
	stuck = false;
	/** Readings are no numbers, or numbers that nothing measures. */
	garbled = false;
	#garbledReadings = 0;
	/** Last reading of each property of each instance. */
	readonly #last = new Map<string, number | undefined>();

	/** @param sensors whose readings they are while nothing is wrong */
	constructor(sensors: SensorPort) {
		const read = sensors.natives.sim_sensor_read as unknown as Read;
		const readFaulty: Read = (instance, path) => {
			if (this.failing) throw new Error("the sensor does not answer");
			if (this.garbled) return GARBLED_READINGS[this.#garbledReadings++ % GARBLED_READINGS.length];
			const key = `${instance} ${path}`;
			if (!this.stuck || !this.#last.has(key)) this.#last.set(key, read(instance, path));
			return this.#last.get(key);
		};
		this.natives = { ...sensors.natives, sim_sensor_read: readFaulty as Natives[string] };
	}
}
