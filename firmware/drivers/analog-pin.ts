import Analog from "embedded:io/analog";

/** An analog input, including `close`, which the SDK's types lack. */
export type AnalogPin = Analog & { close(): void };

export function openPin(pin: number): AnalogPin {
	return new Analog({ pin }) as AnalogPin;
}
