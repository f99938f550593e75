import Sensor from "embedded:sensor/Temperature/TMP117";
import { busDriver } from "../sensor-bus";

/** A conversion takes up to 17.5 ms; the driver averages eight (datasheet §6.5, §7.3.2). */
const FIRST_CONVERSION_MS = 8 * 17.5;
/** After a reset (datasheet §7.6.3). */
const RESET_MS = 2;

interface Options {
	readonly shutdownMode?: boolean;
}

/** In shutdown mode each sample begins a conversion, and waits for it. */
function settlingMs({ shutdownMode }: Options): number {
	return shutdownMode ? RESET_MS : FIRST_CONVERSION_MS;
}

/** `thermometer.temperature` in °C. */
export default class extends busDriver(Sensor, settlingMs) {
	override sample(): object | undefined {
		const sample = super.sample();
		return sample && { thermometer: sample };
	}
}
