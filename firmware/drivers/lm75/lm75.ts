import Sensor from "embedded:sensor/Temperature/LM75";
import { busDriver } from "../sensor-bus";

/** Time from one conversion to the next (NXP LM75B, datasheet §7.1; LM75A likewise). */
const FIRST_CONVERSION_MS = 100;

/** `thermometer.temperature` in °C. */
export default class extends busDriver(Sensor, () => FIRST_CONVERSION_MS) {
	override sample(): object | undefined {
		const sample = super.sample();
		return sample && { thermometer: sample };
	}
}
