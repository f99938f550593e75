import type { Sensor } from "../../../src/device";
import type { AnalogPin } from "../analog-pin";
import { openPin } from "../analog-pin";

interface AnalogOptions {
	readonly pin: number;
	/** Attenuation before the converter, dB. */
	readonly attenuation?: number;
	/** Whether readings are corrected by the chip's own calibration. */
	readonly calibrated?: boolean;
	/** mV at the pin for a reading with all bits set; absent: to which the SDK scales calibrated readings. */
	readonly fullScale?: number;
	/** Measured voltage divided by pin voltage, as set by the resistors. */
	readonly divider?: number;
	/** Number of readings averaged, 1 … 64. */
	readonly averaging?: number;
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
export default class implements Sensor {
	#analog: AnalogPin;
	#scale: number;
	#averaging: number;

	constructor({
		pin,
		attenuation = 12,
		calibrated = true,
		fullScale = fullScaleOf(attenuation),
		divider = 1,
		averaging = 8,
	}: AnalogOptions) {
		const analog = openPin(pin, { attenuation, calibrated });
		this.#analog = analog;
		this.#averaging = averaging;
		this.#scale = (fullScale * divider) / ((2 ** analog.resolution - 1) * averaging);
	}

	configure(): void {}

	sample(): object {
		let sum = 0;
		for (let i = 0; i < this.#averaging; i++) sum += this.#analog.read();
		return { analog: { voltage: sum * this.#scale } };
	}

	close(): void {
		this.#analog.close();
	}
}
