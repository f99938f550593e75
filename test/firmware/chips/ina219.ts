import type { DriverClock } from "../driver-loader";
import { type Chip, Nack } from "./i2c-bus";

/** An INA219 by its datasheet. */
export class Ina219Chip implements Chip {
	busVolts = 11.98;
	shuntVolts = 0.02;
	slownessMs = 0;
	readonly #clock: DriverClock;
	#registers: number[] = [];
	#pointer = 0;
	#readyAt = Infinity;

	constructor(clock: DriverClock) {
		this.#clock = clock;
		this.losePower();
	}

	get configuration(): number {
		return this.#registers[0]!;
	}

	losePower(): void {
		this.#registers = [0x399f, 0, 0, 0, 0, 0];
		this.#readyAt = Infinity;
	}

	write(bytes: readonly number[]): void {
		this.#live();
		this.#pointer = bytes[0]!;
		if (this.#pointer > 5) throw new Nack();
		if (bytes.length < 3) return;
		const value = (bytes[1]! << 8) | bytes[2]!;
		if (this.#pointer !== 0) return;
		if (value & 0x8000) {
			this.losePower();
			return;
		}
		this.#registers[0] = value;
		const mode = value & 7;
		if (mode === 0 || mode === 4) {
			this.#readyAt = Infinity;
			return;
		}
		this.#registers[2]! &= ~2;
		this.#readyAt = this.#clock.now + conversionMs(value >> 7) + conversionMs(value >> 3) + this.slownessMs;
	}

	read(count: number): readonly number[] {
		this.#live();
		const value = this.#registers[this.#pointer]!;
		return Array.from({ length: count }, (_, i) => (value >> (8 * (1 - i))) & 0xff);
	}

	#live(): void {
		if (this.#clock.now < this.#readyAt) return;
		this.#readyAt = Infinity;
		const gain = (this.configuration >> 11) & 3;
		const limit = 4000 * 2 ** gain;
		const shunt = Math.round(this.shuntVolts / 0.000_01);
		this.#registers[1] = Math.max(-limit, Math.min(limit, shunt)) & 0xffff;
		this.#registers[2] = (Math.round(this.busVolts / 0.004) << 3) | 2;
	}
}

/** Longest time of a conversion in ms, by a converter's field; typical ones are a tenth shorter. */
function conversionMs(field: number): number {
	const code = field & 0xf;
	return code & 8 ? 0.586 * 2 ** (code & 7) : [0.093, 0.163, 0.304, 0.586][code & 3]!;
}
