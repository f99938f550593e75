import type { Sensor } from "../../../src/device";
import type { VoltageOptions } from "../analog-voltage";
import { AnalogVoltage } from "../analog-voltage";

interface AnalogOptions extends VoltageOptions {
	/** Attenuation before the converter, dB. */
	readonly attenuation?: number;
	/** Whether readings are corrected by the chip's own calibration. */
	readonly calibrated?: boolean;
	/** mV at the pin for a reading with all bits set; absent: to which the SDK scales calibrated readings. */
	readonly fullScale?: number;
}

/** mV of a calibrated reading with all bits set, by attenuation (SDK, modules/io/analog/esp32). */
function fullScaleOf(attenuation: number): number {
	switch (attenuation) {
		case 0:
			return 950;
		case 2.5:
			return 1250;
		case 6:
			return 1750;
		default:
			return 2450;
	}
}

/** `analog.voltage` in millivolts, from an analog pin; the sensor's `table` makes another quantity of it. */
export default class extends AnalogVoltage implements Sensor {
	constructor({
		pin,
		attenuation = 12,
		calibrated = true,
		fullScale = fullScaleOf(attenuation),
		divider = 1,
		averaging,
	}: AnalogOptions) {
		super(pin, fullScale * divider, averaging, { attenuation, calibrated });
	}

	sample(): object {
		return { analog: { voltage: this.read() } };
	}
}
