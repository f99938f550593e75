import Sensor from "embedded:sensor/Barometer-Temperature/BMP280";
import { busDriver } from "../sensor-bus";

interface Options {
	readonly mode?: number;
	readonly temperatureSampling?: number;
	readonly pressureSampling?: number;
}

/** Mode of one measurement at a time. */
const FORCED = 1;

/** Times that a quantity is measured, by its sampling option of 0 … 5. */
function oversampling(option: number): number {
	return option === 0 ? 0 : 2 ** (option - 1);
}

/** Longest time of a measurement in ms (datasheet §3.8.1). */
function measurementMs({ temperatureSampling = 2, pressureSampling = 5 }: Options): number {
	return 1.25 + 2.3 * oversampling(temperatureSampling) + 2.3 * oversampling(pressureSampling) + 0.575;
}

/** `thermometer.temperature` in °C, `barometer.pressure` in pascals. */
export default class extends busDriver(Sensor, measurementMs) {
	#options: Options = {};
	#measured = false;

	override configure(options: Options): void {
		super.configure(options);
		this.#options = options;
	}

	override sample(): object | undefined {
		// The SDK's class begins one measurement, when the mode is set.
		if (this.#measured && this.#options.mode === FORCED) super.configure(this.#options);
		this.#measured = true;
		return super.sample();
	}
}
