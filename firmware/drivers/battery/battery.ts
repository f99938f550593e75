import type { Sensor } from "../../../src/device";
import type { AnalogPin } from "../analog-pin";
import { openPin } from "../analog-pin";

/** Volts of a reading with all bits set, after the SDK's calibration (attenuation 12 dB, ESP32). */
const FULL_SCALE = 2.45;

interface BatteryOptions {
	readonly pin: number;
	/** Battery voltage divided by pin voltage, as set by the resistors. */
	readonly divider?: number;
	/** Volts at the pin for a reading with all bits set. */
	readonly fullScale?: number;
	/** Number of readings averaged, 1 … 64. */
	readonly averaging?: number;
}

/** `battery.voltage` in volts, from an analog pin behind a voltage divider. */
export default class implements Sensor {
	#analog: AnalogPin;
	#scale: number;
	#averaging: number;

	constructor({ pin, divider = 2, fullScale = FULL_SCALE, averaging = 8 }: BatteryOptions) {
		const analog = openPin(pin);
		this.#analog = analog;
		this.#averaging = averaging;
		this.#scale = (fullScale * divider) / ((2 ** analog.resolution - 1) * averaging);
	}

	configure(): void {}

	sample(): object {
		let sum = 0;
		for (let i = 0; i < this.#averaging; i++) sum += this.#analog.read();
		return { battery: { voltage: sum * this.#scale } };
	}

	close(): void {
		this.#analog.close();
	}
}
