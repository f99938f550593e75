import Sensor from "embedded:sensor/Temperature/TMP117";
import { busDriver } from "../sensor-bus";

/** `thermometer.temperature` in °C. */
export default class extends busDriver(Sensor) {
	override sample(): object | undefined {
		const sample = super.sample();
		return sample && { thermometer: sample };
	}
}
