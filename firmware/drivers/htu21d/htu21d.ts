import { type BusOptions, BusSensor, wait } from "../sensor-bus";

// Commands, and how long they take at most (datasheet, TE Connectivity HTU21D(F), pages 3 and 10 to 12)
const RESET = 0xfe;
const RESET_MS = 15;
const MEASURE_HUMIDITY = 0xf5;
const HUMIDITY_MS = 16;
const MEASURE_TEMPERATURE = 0xf3;
const TEMPERATURE_MS = 50;

/** x⁸ + x⁵ + x⁴ + 1. */
const CRC_POLYNOMIAL = 0x131;

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent; a value with a wrong checksum is left
 * out. The class of the SDK 8.2.3 throws at each sample.
 */
export default class extends BusSensor {
	readonly #answer = new Uint8Array(3);

	constructor(options: BusOptions) {
		super(options, 0x40);
	}

	configure(): void {
		this.bus.sendByte(RESET);
		wait(RESET_MS);
	}

	sample(): object {
		const humidity = this.#measure(MEASURE_HUMIDITY, HUMIDITY_MS);
		const temperature = this.#measure(MEASURE_TEMPERATURE, TEMPERATURE_MS);
		return {
			hygrometer: humidity === undefined ? {} : { humidity: percent(humidity) },
			thermometer: temperature === undefined ? {} : { temperature: -46.85 + 175.72 * temperature },
		};
	}

	/** @returns the signal, 0 … 1; undefined if its checksum is wrong */
	#measure(command: number, ms: number): number | undefined {
		this.bus.sendByte(command);
		wait(ms);
		const answer = this.#answer;
		this.bus.read(answer);
		if (crc(answer[0], answer[1]) !== answer[2]) return undefined;
		// The last two bits are the status.
		return ((answer[0] << 8) | (answer[1] & 0xfc)) / 65_536;
	}
}

/** Beyond its range the sensor's formula leaves it, too. */
function percent(signal: number): number {
	const humidity = -6 + 125 * signal;
	return humidity < 0 ? 0 : humidity > 100 ? 100 : humidity;
}

function crc(high: number, low: number): number {
	let remainder = (high << 16) | (low << 8);
	for (let bit = 23; bit >= 8; bit--) if (remainder & (1 << bit)) remainder ^= CRC_POLYNOMIAL << (bit - 8);
	return remainder;
}
