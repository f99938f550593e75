import type { DriverClock } from "../driver-loader";
import { type Chip, Nack } from "./i2c-bus";

/** Start-up time in ms, and how long after it the trimming values are still being copied. */
const START_UP_MS = 2;
const COPY_MS = 2;

/**
 * A BME280 by its datasheet (BST-BME280-DS002). It answers nothing while it starts, has nothing but reset
 * values before its first measurement, and the old ones while it measures.
 */
export class Bme280Chip implements Chip {
	id = 0x60;
	/** What is measured: eight bytes as in the registers from 0xf7 on. */
	readings: readonly number[] = [0x65, 0x5a, 0xc0, 0x7e, 0xed, 0x00, 0x7a, 0x76];
	/** How much longer than the datasheet's maximum a measurement takes, in ms. */
	slownessMs = 0;
	readonly writes: number[][] = [];
	readonly #clock: DriverClock;
	readonly #trim: readonly number[];
	#registers = new Uint8Array(256);
	#pointer = 0;
	#startedAt = -Infinity;
	/** 0: it is not measuring. */
	#measuresUntil = 0;
	/** CTRL_HUM counts from the next write to CTRL_MEAS on. */
	#humidityCode = 0;

	/** @param trim trimming values, 26 bytes from 0x88 on and seven from 0xe1 on */
	constructor(clock: DriverClock, trim: readonly number[]) {
		this.#clock = clock;
		this.#trim = trim;
		this.losePower();
		this.#startedAt = -Infinity;
	}

	/** Without a supply for a moment. */
	losePower(): void {
		const registers = new Uint8Array(256);
		registers.set(this.#trim.slice(0, 26), 0x88);
		registers.set(this.#trim.slice(26), 0xe1);
		registers.set([0x80, 0, 0, 0x80, 0, 0, 0x80, 0], 0xf7);
		this.#registers = registers;
		this.#measuresUntil = 0;
		this.#humidityCode = 0;
		this.#startedAt = this.#clock.now;
	}

	write(bytes: readonly number[]): void {
		this.#live();
		const [register = 0, ...rest] = bytes;
		this.#pointer = register;
		if (rest.length === 0) return;
		this.writes.push([...bytes]);
		for (let i = 0; i + 1 < bytes.length; i += 2) this.#writeRegister(bytes[i]!, bytes[i + 1]!);
	}

	read(count: number): readonly number[] {
		this.#live();
		return Array.from({ length: count }, () => {
			const register = this.#pointer++;
			if (register === 0xd0) return this.id;
			if (register !== 0xf3) return this.#registers[register]!;
			const isCopying = this.#clock.now < this.#startedAt + START_UP_MS + COPY_MS;
			return (this.#measuresUntil > 0 ? 8 : 0) | (isCopying ? 1 : 0);
		});
	}

	#writeRegister(register: number, value: number): void {
		if (register === 0xe0 && value === 0xb6) this.losePower();
		if (register === 0xf2) this.#registers[0xf2] = value & 7;
		if (register !== 0xf4) return;
		this.#registers[0xf4] = value;
		this.#humidityCode = this.#registers[0xf2]!;
		const mode = value & 3;
		if (mode === 1 || mode === 2) this.#measuresUntil = this.#clock.now + this.#measurementMs(value);
	}

	#measurementMs(settings: number): number {
		const times = (code: number): number => (code === 0 ? 0 : 2 ** (Math.min(code, 5) - 1));
		const [t, p, h] = [settings >> 5, (settings >> 2) & 7, this.#humidityCode].map(times);
		const extra = (p! > 0 ? 0.575 : 0) + (h! > 0 ? 0.575 : 0);
		return 1.25 + 2.3 * (t! + p! + h!) + extra + this.slownessMs;
	}

	#live(): void {
		const { now } = this.#clock;
		if (now < this.#startedAt + START_UP_MS) throw new Nack();
		if (this.#measuresUntil === 0 || now < this.#measuresUntil) return;
		this.#measuresUntil = 0;
		const settings = this.#registers[0xf4]!;
		const skipped = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];
		const codes = [(settings >> 2) & 7, settings >> 5, this.#humidityCode];
		const from = (i: number) => (codes[i]! > 0 ? this.readings : skipped);
		this.#registers.set([...from(0).slice(0, 3), ...from(1).slice(3, 6), ...from(2).slice(6)], 0xf7);
		// Back to sleep
		this.#registers[0xf4] = settings & 0xfc;
	}
}
