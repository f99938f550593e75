import { readWord } from "../sensirion-words";
import { type BusOptions, BusSensor, wait } from "../sensor-bus";

/** Commands, times and formulas: datasheet SHT4x, Sensirion. */

interface Options extends BusOptions {
	readonly precision?: "high" | "medium" | "low";
}

const RESET = 0x94;
/** Longest time of a soft reset. */
const RESET_MS = 1;

// Measurements, and their longest times
const MEASURE_HIGH = 0xfd;
const HIGH_MS = 8.3;
const MEASURE_MEDIUM = 0xf6;
const MEDIUM_MS = 4.5;
const MEASURE_LOW = 0xe0;
const LOW_MS = 1.6;

/** Temperature and humidity, each with its checksum. */
const ANSWER_BYTES = 6;

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent. Each sample is one measurement; the
 * sensor idles in between, at 0.08 µA.
 */
export default class extends BusSensor {
	readonly #sample = { thermometer: { temperature: 0 }, hygrometer: { humidity: 0 } };
	readonly #answer = new Uint8Array(ANSWER_BYTES);
	#measurement = MEASURE_HIGH;
	#ms = HIGH_MS;

	constructor(options: BusOptions) {
		super(options, 0x44);
	}

	configure({ precision = "high" }: Options): void {
		if (precision === "medium") {
			this.#measurement = MEASURE_MEDIUM;
			this.#ms = MEDIUM_MS;
		} else if (precision === "low") {
			this.#measurement = MEASURE_LOW;
			this.#ms = LOW_MS;
		}
		this.bus.sendByte(RESET);
		wait(RESET_MS);
	}

	/** Until the measurement has ended, the sensor does not acknowledge its address. */
	sample(): object {
		const answer = this.#answer;
		this.bus.sendByte(this.#measurement);
		wait(this.#ms);
		this.bus.read(answer);
		const { thermometer, hygrometer } = this.#sample;
		thermometer.temperature = -45 + (175 * readWord(answer, 0)) / 65_535;
		hygrometer.humidity = percent(-6 + (125 * readWord(answer, 1)) / 65_535);
		return this.#sample;
	}
}

/** At the ends of its range the formula leaves 0 … 100 %. */
function percent(humidity: number): number {
	return humidity < 0 ? 0 : humidity > 100 ? 100 : humidity;
}
