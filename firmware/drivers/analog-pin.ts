import Analog from "embedded:io/analog";

/** An analog input, with the `close` that the SDK's types leave out. */
export type AnalogPin = Analog & { close(): void };

export function openPin(pin: number): AnalogPin {
	return new Analog({ pin }) as AnalogPin;
}
