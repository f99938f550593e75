import { type BusOptions, BusSensor, wait } from "../sensor-bus";

/** Quotations: headings of the datasheet BH1750FVI, Rohm. */

// Measurements after which the sensor switches itself off ("Instruction Set Architecture")
const ONCE_FINE = 0x21;
const ONCE_COARSE = 0x20;
/** Longest time of either in ms, with the usual measurement time ("Electrical Characteristics"). */
const MEASUREMENT_MS = 180;

/** Measurement time, in commands of three and five bits. */
const SET_TIME_HIGH = 0x40;
const SET_TIME_LOW = 0x60;
/** As it is when the sensor starts. */
const USUAL_TIME = 69;
const LEAST_TIME = 31;

/** Counts a lux with the usual measurement time. */
const COUNTS_PER_LUX = 1.2;
/** Counts in the fine resolution for one in the coarse one. */
const FINENESS = 2;
const SATURATED = 0xffff;

/**
 * `lightmeter.illuminance` in lx, in steps of 0.4 up to 27,306 lx. In light that is brighter, a second and
 * shorter measurement has steps of 1.9, up to 121,557 lx.
 */
export default class extends BusSensor {
	readonly #sample = { lightmeter: { illuminance: 0 } };
	readonly #answer = new Uint8Array(2);

	constructor(options: BusOptions) {
		super(options, 0x23);
	}

	configure(): void {
		this.#setTime(USUAL_TIME);
	}

	sample(): object {
		const { lightmeter } = this.#sample;
		const fine = this.#measure(ONCE_FINE, MEASUREMENT_MS);
		if (fine < SATURATED) {
			lightmeter.illuminance = fine / COUNTS_PER_LUX / FINENESS;
			return this.#sample;
		}
		this.#setTime(LEAST_TIME);
		const coarse = this.#measure(ONCE_COARSE, (MEASUREMENT_MS * LEAST_TIME) / USUAL_TIME);
		this.#setTime(USUAL_TIME);
		lightmeter.illuminance = (coarse / COUNTS_PER_LUX) * (USUAL_TIME / LEAST_TIME);
		return this.#sample;
	}

	#measure(command: number, ms: number): number {
		const answer = this.#answer;
		this.bus.sendByte(command);
		wait(ms);
		this.bus.read(answer);
		return (answer[0] << 8) | answer[1];
	}

	#setTime(time: number): void {
		this.bus.sendByte(SET_TIME_HIGH | (time >> 5));
		this.bus.sendByte(SET_TIME_LOW | (time & 0x1f));
	}
}
