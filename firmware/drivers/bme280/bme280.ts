import { compensatedHumidity, compensatedPressure, fineTemperature } from "../bme280-compensation";
import { type BusOptions, BusSensor, wait } from "../sensor-bus";

/** Sections, tables and appendices: datasheet BME280, Bosch Sensortec, BST-BME280-DS002, revision 1.6. */

interface Options extends BusOptions {
	/** Times that each quantity is measured for a sample: 1, 2, 4, 8 or 16. */
	readonly oversampling?: number;
}

// Registers (§5.3, §5.4)
const CHIP_ID = 0xd0;
const RESET = 0xe0;
const CTRL_HUM = 0xf2;
const STATUS = 0xf3;
const CTRL_MEAS = 0xf4;
/** Trimming values: all but those of humidity, and its first one; then the rest (table 16). */
const CALIBRATION = 0x88;
const CALIBRATION_BYTES = 26;
const HUMIDITY_CALIBRATION = 0xe1;
const HUMIDITY_CALIBRATION_BYTES = 7;

const BME280_ID = 0x60;
/** Ids of a BMP280, samples of engineering included, and of a BME680 or BME688, at the same addresses. */
const FIRST_BMP280_ID = 0x56;
const BMP280_ID = 0x58;
const BME68X_ID = 0x61;

const RESET_COMMAND = 0xb6;
/** Start-up time (table 1). */
const START_UP_MS = 2;
const START_UP_TRIES = 5;
/** Bits of the status register (§5.4.4). */
const MEASURING = 0x08;
const COPYING_CALIBRATION = 0x01;
/** One measurement, after which the chip sleeps (§3.3.3). */
const FORCED_MODE = 1;

/** What is read after a measurement: from CTRL_HUM to the last byte of humidity, and where in it. */
const ANSWER_BYTES = 13;
const AT_STATUS = STATUS - CTRL_HUM;
const AT_CTRL_MEAS = CTRL_MEAS - CTRL_HUM;
const AT_PRESSURE = 0xf7 - CTRL_HUM;
const AT_TEMPERATURE = 0xfa - CTRL_HUM;
const AT_HUMIDITY = 0xfd - CTRL_HUM;

/** How often a measurement is asked for that takes longer than the datasheet says. */
const POLLS = 5;

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent, `barometer.pressure` in pascals. Each
 * sample is one measurement without filter, the datasheet's setting for weather (§3.5.1); the chip sleeps in
 * between.
 */
export default class extends BusSensor {
	readonly #sample = {
		thermometer: { temperature: 0 },
		hygrometer: { humidity: 0 },
		barometer: { pressure: 0 },
	};
	readonly #answer = new Uint8Array(ANSWER_BYTES);
	readonly #calibration = new DataView(new ArrayBuffer(CALIBRATION_BYTES + HUMIDITY_CALIBRATION_BYTES));
	/** Code of the oversampling in the registers. */
	#code = 1;

	constructor(options: BusOptions) {
		super(options, 0x76);
	}

	configure({ oversampling = 1 }: Options): void {
		const { bus } = this;
		const id = bus.readUint8(CHIP_ID);
		if (id !== BME280_ID) throw new Error(strangerText(id));
		// Whatever it was left in; by other firmware, say.
		bus.writeUint8(RESET, RESET_COMMAND);
		let tries = START_UP_TRIES;
		do {
			if (tries-- === 0) throw new Error("BME280: does not start");
			wait(START_UP_MS);
		} while (bus.readUint8(STATUS) & COPYING_CALIBRATION);
		const { buffer } = this.#calibration;
		bus.readBuffer(CALIBRATION, new Uint8Array(buffer, 0, CALIBRATION_BYTES));
		bus.readBuffer(HUMIDITY_CALIBRATION, new Uint8Array(buffer, CALIBRATION_BYTES));
		this.#code = Math.round(Math.log2(oversampling)) + 1;
		// It counts from the next write to CTRL_MEAS on (§5.4.3).
		bus.writeUint8(CTRL_HUM, this.#code);
	}

	sample(): object {
		const { bus } = this;
		const code = this.#code;
		const answer = this.#answer;
		// Without power it forgets; another chip in its place has other trimming values.
		if (bus.readUint8(CTRL_HUM) !== code) throw new Error("BME280: has lost its settings");
		const settings = (code << 5) | (code << 2);
		bus.writeUint8(CTRL_MEAS, settings | FORCED_MODE);
		wait(measurementMs(1 << (code - 1)));
		let polls = POLLS;
		for (;;) {
			bus.readBuffer(CTRL_HUM, answer);
			if (!(answer[AT_STATUS] & MEASURING)) break;
			if (--polls === 0) throw new Error("BME280: does not end its measurement");
			wait(1);
		}
		if (answer[0] !== code || answer[AT_CTRL_MEAS] !== settings)
			throw new Error("BME280: has lost its settings");

		const calibration = this.#calibration;
		const { thermometer, hygrometer, barometer } = this.#sample;
		const fine = fineTemperature(calibration, read20(answer, AT_TEMPERATURE));
		thermometer.temperature = fine / 5120;
		barometer.pressure = compensatedPressure(calibration, read20(answer, AT_PRESSURE), fine);
		const humidity = (answer[AT_HUMIDITY] << 8) | answer[AT_HUMIDITY + 1];
		hygrometer.humidity = compensatedHumidity(calibration, humidity, fine);
		return this.#sample;
	}
}

/** A value of 20 bits, the highest first (§5.4.7). */
function read20(bytes: Uint8Array, at: number): number {
	return (bytes[at] << 12) | (bytes[at + 1] << 4) | (bytes[at + 2] >> 4);
}

/** Longest time of a measurement in ms (§9.1). @param times that each of three quantities is measured */
function measurementMs(times: number): number {
	return 1.25 + 2.3 * times + (2.3 * times + 0.575) + (2.3 * times + 0.575);
}

function strangerText(id: number): string {
	if (id >= FIRST_BMP280_ID && id <= BMP280_ID)
		return 'BME280: the chip is a BMP280, which has no humidity; its driver is "bmp280"';
	if (id === BME68X_ID) return 'BME280: the chip is a BME680 or BME688; its driver is "bme68x"';
	return `BME280: the chip has the id 0x${id.toString(16)}, not 0x60`;
}
