import Sensor from "embedded:sensor/Barometer-Humidity-Temperature/BME68x";
import Timer from "timer";
import { busDriver } from "../sensor-bus";

const POLLS = 20;
const POLL_INTERVAL_MS = 50;

interface Sample {
	readonly hygrometer: { humidity?: number };
}

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent, `barometer.pressure` in pascals; waits
 * up to a second for a reading.
 */
export default class extends busDriver(Sensor) {
	override sample(): object | undefined {
		for (let poll = 0; poll < POLLS; poll++) {
			const sample = super.sample() as Sample | undefined;
			if (sample) {
				// The SDK's driver returns a fraction.
				const { hygrometer } = sample;
				if (hygrometer.humidity !== undefined) hygrometer.humidity *= 100;
				return sample;
			}
			Timer.delay(POLL_INTERVAL_MS);
		}
		return undefined;
	}
}
