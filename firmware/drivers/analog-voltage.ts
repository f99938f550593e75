import type { AnalogPin, ConverterOptions } from "./analog-pin";
import { openPin } from "./analog-pin";

/** Options that every driver of a voltage takes. */
export interface VoltageOptions {
	readonly pin: number;
	/** Measured voltage divided by pin voltage, as set by the resistors. */
	readonly divider?: number;
	/** Number of readings averaged, 1 … 64. */
	readonly averaging?: number;
}

/** A voltage at an analog pin, averaged over several readings. */
export class AnalogVoltage {
	#pin: AnalogPin;
	#scale: number;
	#averaging: number;

	/** @param maximum voltage of a reading with all bits set, in the unit that read() is to have */
	constructor(pin: number, maximum: number, averaging = 8, converter?: ConverterOptions) {
		const analog = openPin(pin, converter);
		this.#pin = analog;
		this.#averaging = averaging;
		this.#scale = maximum / ((2 ** analog.resolution - 1) * averaging);
	}

	configure(): void {}

	close(): void {
		this.#pin.close();
	}

	protected read(): number {
		let sum = 0;
		for (let i = 0; i < this.#averaging; i++) sum += this.#pin.read();
		return sum * this.#scale;
	}
}
