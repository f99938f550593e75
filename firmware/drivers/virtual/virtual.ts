import type { Sensor } from "../../../src/device";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Time of day, in ms, of the highest temperature. */
const WARMEST_MS = 15 * 60 * MINUTE_MS;

interface VirtualOptions {
	/** Each seed yields different noise. */
	readonly seed?: number;
	/** °C, the mean of a day. */
	readonly mean?: number;
	/** °C, from the mean to the day's extremes. */
	readonly swing?: number;
}

/** −1 … 1, a function of its arguments only. */
function noise(seed: number, minute: number, channel: number): number {
	let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(minute + channel * 0x27d4eb2f, 0xc2b2ae35);
	hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
	hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
	return ((hash ^ (hash >>> 15)) >>> 0) / 0x7fffffff - 1;
}

/**
 * A sensor without hardware: a daily curve with a little noise that changes every minute, always the same for
 * the same time and options. `thermometer.temperature` in °C, `hygrometer.humidity` in percent,
 * `barometer.pressure` in pascals, `battery.voltage` in volts.
 */
export default class implements Sensor {
	#seed: number;
	#mean: number;
	#swing: number;

	constructor({ seed = 1, mean = 20, swing = 4 }: VirtualOptions) {
		this.#seed = seed;
		this.#mean = mean;
		this.#swing = swing;
	}

	configure(): void {}

	sample(): object {
		const now = Date.now();
		const minute = Math.floor(now / MINUTE_MS);
		const warmth = Math.cos(((now - WARMEST_MS) / DAY_MS) * 2 * Math.PI);
		const seed = this.#seed;
		return {
			thermometer: { temperature: this.#mean + this.#swing * warmth + 0.15 * noise(seed, minute, 0) },
			hygrometer: { humidity: 55 - 12 * warmth + 0.5 * noise(seed, minute, 1) },
			barometer: { pressure: 101_325 + 300 * Math.cos((now / DAY_MS) * 0.9) + 12 * noise(seed, minute, 2) },
			battery: { voltage: 3.9 + 0.01 * noise(seed, minute, 3) },
		};
	}

	close(): void {}
}
