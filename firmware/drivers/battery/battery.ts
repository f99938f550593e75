import type { Sensor } from "../../../src/device";
import type { VoltageOptions } from "../analog-voltage";
import { AnalogVoltage } from "../analog-voltage";

/** Volts of a reading with all bits set, after the SDK's calibration (attenuation 12 dB, ESP32). */
const FULL_SCALE = 2.45;

interface BatteryOptions extends VoltageOptions {
	/** Volts at the pin for a reading with all bits set. */
	readonly fullScale?: number;
}

/** `battery.voltage` in volts, from an analog pin behind a voltage divider. */
export default class extends AnalogVoltage implements Sensor {
	constructor({ pin, divider = 2, fullScale = FULL_SCALE, averaging }: BatteryOptions) {
		super(pin, fullScale * divider, averaging);
	}

	sample(): object {
		return { battery: { voltage: this.read() } };
	}
}
