import Sensor from "embedded:sensor/Temperature/TMP102";
import { busDriver } from "../sensor-bus";

/** The longest conversion (datasheet §6.5). */
const FIRST_CONVERSION_MS = 35;

/** `thermometer.temperature` in °C. */
export default class extends busDriver(Sensor, () => FIRST_CONVERSION_MS) {
	override sample(): object | undefined {
		const sample = super.sample();
		return sample && { thermometer: sample };
	}
}
