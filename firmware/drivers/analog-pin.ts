import Analog from "embedded:io/analog";

/** An analog input, including `close`, which the SDK's types lack. */
export type AnalogPin = Analog & { close(): void };

/** The SDK's options of the ESP32's converter. */
export interface ConverterOptions {
	/** Attenuation before the converter, dB: 0, 2.5, 6 or 12. */
	readonly attenuation?: number;
	/** Whether readings are corrected by the chip's own calibration. */
	readonly calibrated?: boolean;
}

export function openPin(pin: number, esp32: ConverterOptions = {}): AnalogPin {
	// In a constant, as the SDK's types do not know all options.
	const options = { pin, esp32 };
	return new Analog(options) as AnalogPin;
}
