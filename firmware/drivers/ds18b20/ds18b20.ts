import OneWire from "onewire";
import Timer from "timer";
import type { Sensor } from "../../../src/device";

/** Quotations: headings of the datasheet DS18B20, Maxim Integrated, 19-7487, revision 6 (July 2019). */

interface Options {
	readonly pin: number;
	/** Bits of a temperature, 9 … 12. */
	readonly resolution?: number;
}

// Commands ("ROM Commands", "DS18B20 Function Commands")
const READ_ROM = 0x33;
const SKIP_ROM = 0xcc;
const CONVERT = 0x44;
const WRITE_SCRATCHPAD = 0x4e;
const READ_SCRATCHPAD = 0xbe;
const READ_POWER_SUPPLY = 0xb4;
const ALL_ONES = 0xff;

/** Families of a DS18B20, or one of its kind, and of a DS1822, which has the same registers. */
const DS18B20_FAMILY = 0x28;
const DS1822_FAMILY = 0x22;
const ROM_BYTES = 8;

/** Longest time of a conversion of twelve bits in ms; half of it a bit less ("Configuration Register"). */
const CONVERSION_MS = 750;
const MOST_BITS = 12;
const LEAST_BITS = 9;
const CONFIGURATION_ONES = 0x1f;
const CONFIGURATION_SHIFT = 5;

/** Bytes of the scratchpad ("Memory"), the last one its checksum. */
const SCRATCHPAD_BYTES = 9;
const AT_ALARMS = 2;
/** Alarms, which are not used: they show that the sensor had its supply since they were written. */
const HIGH_ALARM = 0x5a;
const LOW_ALARM = 0xa5;
const STEPS_PER_DEGREE = 16;

/** x⁸ + x⁵ + x⁴ + 1, the lowest bit first ("CRC Generation"). */
const CRC_POLYNOMIAL = 0x8c;

/**
 * `thermometer.temperature` in °C of the only sensor at a pin, with a supply of its own: nothing here holds
 * the line up while a sensor converts that takes its current from it.
 */
export default class implements Sensor {
	readonly #bus: OneWire;
	readonly #sample = { thermometer: { temperature: 0 } };
	readonly #bytes = new Uint8Array(SCRATCHPAD_BYTES);
	#bits = MOST_BITS;

	constructor({ pin }: Options) {
		this.#bus = new OneWire({ pin });
	}

	configure({ resolution = MOST_BITS }: Options): void {
		const bus = this.#bus;
		this.#bits = resolution;
		this.#reset();
		bus.write(READ_ROM);
		this.#read(ROM_BYTES);
		const [family] = this.#bytes;
		if (family !== DS18B20_FAMILY && family !== DS1822_FAMILY)
			throw new Error(`DS18B20: the chip is of the family 0x${family.toString(16)}, not 0x28`);
		this.#address(READ_POWER_SUPPLY);
		if (bus.read() !== ALL_ONES) throw new Error("DS18B20: its supply is not connected");
	}

	sample(): object {
		const bus = this.#bus;
		const bits = this.#bits;
		const configuration = ((bits - LEAST_BITS) << CONFIGURATION_SHIFT) | CONFIGURATION_ONES;
		this.#address(WRITE_SCRATCHPAD);
		bus.write(HIGH_ALARM);
		bus.write(LOW_ALARM);
		bus.write(configuration);
		this.#address(CONVERT);
		// A delay may be a tick of FreeRTOS too short.
		Timer.delay(Math.ceil(CONVERSION_MS / (1 << (MOST_BITS - bits))) + 1);
		this.#address(READ_SCRATCHPAD);
		this.#read(SCRATCHPAD_BYTES);
		const bytes = this.#bytes;
		// Without it, the temperature would be the 85 °C of a sensor that starts.
		if (
			bytes[AT_ALARMS] !== HIGH_ALARM ||
			bytes[AT_ALARMS + 1] !== LOW_ALARM ||
			bytes[AT_ALARMS + 2] !== configuration
		)
			throw new Error("DS18B20: has lost its settings");
		const unused = MOST_BITS - bits;
		const raw = ((bytes[1] << 24) | (bytes[0] << 16)) >> 16;
		this.#sample.thermometer.temperature = ((raw >> unused) << unused) / STEPS_PER_DEGREE;
		return this.#sample;
	}

	close(): void {
		this.#bus.close();
	}

	/** @throws if there is no sensor */
	#reset(): void {
		if (!this.#bus.reset()) throw new Error("DS18B20: no sensor at the pin");
	}

	/** Sends a command to whatever sensor there is. */
	#address(command: number): void {
		this.#reset();
		this.#bus.write(SKIP_ROM);
		this.#bus.write(command);
	}

	/** Reads bytes, of which the last one is the checksum of the others. */
	#read(count: number): void {
		const bytes = this.#bytes;
		let crc = 0;
		let any = 0;
		for (let i = 0; i < count; i++) {
			const byte = this.#bus.read();
			bytes[i] = byte;
			any |= byte;
			crc ^= byte;
			for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
		}
		// Zeros alone, as of a line at ground, have the right checksum.
		if (crc !== 0 || any === 0) throw new Error("DS18B20: wrong checksum");
	}
}
