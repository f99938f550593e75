import Time from "time";
import { checksum, readWord } from "../sensirion-words";
import { type BusOptions, BusSensor, wait } from "../sensor-bus";

/** Commands as the datasheet SCD4x, Sensirion, names them. */

interface Options extends BusOptions {
	readonly mode?: "periodic" | "lowPower" | "singleShot";
	/** In m above sea level. */
	readonly altitude?: number;
	/** How much warmer than the air the sensor is, in °C. */
	readonly temperatureOffset?: number;
}

// Commands, and their longest times in ms
const START_PERIODIC = 0x21b1;
const START_LOW_POWER = 0x21ac;
const STOP = 0x3f86;
const STOP_MS = 500;
const SINGLE_SHOT = 0x219d;
const SINGLE_SHOT_MS = 5000;
const WAKE_UP = 0x36f6;
const WAKE_UP_MS = 30;
const READ_MEASUREMENT = 0xec05;
const DATA_READY = 0xe4b8;
const GET_VARIANT = 0x202f;
const SET_TEMPERATURE_OFFSET = 0x241d;
const SET_ALTITUDE = 0x2427;
/** Of all other commands. */
const COMMAND_MS = 1;

/** Bits of the answer to DATA_READY, one of which is set if there is a measurement. */
const READY_BITS = 0x7ff;
/** Variant: the highest four bits. An SCD40 has no single shot. */
const VARIANT_BITS = 0xf000;
const SCD40 = 0x0000;

/** Time between measurements in ms. */
const PERIODIC_MS = 5000;
const LOW_POWER_MS = 30_000;
/** A sensor that has measured nothing for so many of them does not measure any more. */
const MISSED_MEASUREMENTS = 3;

/**
 * `airQuality.CO2` in ppm, `thermometer.temperature` in °C, `hygrometer.humidity` in percent. In periodic
 * modes the sensor goes on measuring while the node sleeps, and readings fail until the first measurement has
 * ended.
 */
export default class extends BusSensor {
	readonly #sample = {
		airQuality: { CO2: 0 },
		thermometer: { temperature: 0 },
		hygrometer: { humidity: 0 },
	};
	/** A command, and one with a word and its checksum. */
	readonly #argument = new Uint8Array(5);
	readonly #command = this.#argument.subarray(0, 2);
	readonly #answer = new Uint8Array(9);
	readonly #word = this.#answer.subarray(0, 3);
	/** Time between measurements in ms; 0: each sample begins one. */
	#intervalMs = 0;
	/** Ticks of the latest measurement, or of the start. */
	#measuredAt = 0;
	#hasMeasured = false;

	constructor(options: BusOptions) {
		super(options, 0x62);
	}

	configure(options: Options): void {
		const { mode = "periodic" } = options;
		this.#measuredAt = Time.ticks;
		if (mode === "singleShot") {
			const variant = this.#tryWord(GET_VARIANT) ?? this.#makeIdle();
			if ((variant & VARIANT_BITS) === SCD40)
				throw new Error('SCD4x: an SCD40 has no single shot; its modes are "periodic" and "lowPower"');
			this.#adjust(options);
			return;
		}
		this.#intervalMs = mode === "lowPower" ? LOW_POWER_MS : PERIODIC_MS;
		const status = this.#tryWord(DATA_READY);
		if (status === undefined) this.#makeIdle();
		// While it measures it refuses what is for an idle sensor, and goes on through the node's sleep.
		else if (status & READY_BITS || this.#tryWord(GET_VARIANT) === undefined) return;
		this.#adjust(options);
		this.#send(mode === "lowPower" ? START_LOW_POWER : START_PERIODIC);
	}

	sample(): object | undefined {
		if (this.#intervalMs === 0) {
			this.#send(SINGLE_SHOT);
			wait(SINGLE_SHOT_MS);
		}
		if (!(this.#askWord(DATA_READY) & READY_BITS)) {
			if (Time.delta(this.#measuredAt) > this.#intervalMs * MISSED_MEASUREMENTS)
				throw new Error("SCD4x: does not measure");
			return this.#hasMeasured ? this.#sample : undefined;
		}
		const answer = this.#answer;
		this.#ask(READ_MEASUREMENT, answer);
		const { airQuality, thermometer, hygrometer } = this.#sample;
		const ppm = readWord(answer, 0);
		// What it answers without a supply for its lamp.
		if (ppm === 0) throw new Error("SCD4x: measures 0 ppm");
		thermometer.temperature = -45 + (175 * readWord(answer, 1)) / 65_535;
		hygrometer.humidity = (100 * readWord(answer, 2)) / 65_535;
		airQuality.CO2 = ppm;
		this.#measuredAt = Time.ticks;
		this.#hasMeasured = true;
		return this.#sample;
	}

	/** Settings, which an idle sensor takes, and has until it loses its supply. */
	#adjust({ altitude, temperatureOffset }: Options): void {
		if (altitude !== undefined) this.#set(SET_ALTITUDE, altitude);
		if (temperatureOffset !== undefined)
			this.#set(SET_TEMPERATURE_OFFSET, (temperatureOffset * 65_535) / 175);
	}

	/** Ends its sleep, or its measurements. @returns the variant */
	#makeIdle(): number {
		// It does not acknowledge this one ("wake_up").
		this.#trySend(WAKE_UP);
		wait(WAKE_UP_MS);
		const variant = this.#tryWord(GET_VARIANT);
		if (variant !== undefined) return variant;
		// A sensor that has its supply since a moment gets its time to start, too.
		this.#trySend(STOP);
		wait(STOP_MS);
		return this.#askWord(GET_VARIANT);
	}

	#send(command: number): void {
		this.#command[0] = command >> 8;
		this.#command[1] = command;
		this.bus.write(this.#command);
	}

	#trySend(command: number): void {
		try {
			this.#send(command);
		} catch {}
	}

	#set(command: number, value: number): void {
		const bytes = this.#argument;
		const word = Math.round(value);
		bytes[0] = command >> 8;
		bytes[1] = command;
		bytes[2] = word >> 8;
		bytes[3] = word;
		bytes[4] = checksum(bytes[2], bytes[3]);
		this.bus.write(bytes);
		wait(COMMAND_MS);
	}

	/** Fills `answer`. */
	#ask(command: number, answer: Uint8Array): void {
		this.#send(command);
		wait(COMMAND_MS);
		this.bus.read(answer);
	}

	#askWord(command: number): number {
		this.#ask(command, this.#word);
		return readWord(this.#word, 0);
	}

	/** @returns undefined: the sensor refuses the command */
	#tryWord(command: number): number | undefined {
		try {
			return this.#askWord(command);
		} catch {
			return undefined;
		}
	}
}
