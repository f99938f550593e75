import type { DriverClock } from "../driver-loader";
import { type Chip, Nack } from "./i2c-bus";

/** A BH1750FVI by its datasheet: what it measures is in its register only after the longest time. */
export class Bh1750Chip implements Chip {
	/** Light in lx. */
	lux = 100;
	readonly #clock: DriverClock;
	#time = 69;
	#isOn = false;
	#register = 0;
	#next: { readonly at: number; readonly value: number } | undefined;

	constructor(clock: DriverClock) {
		this.#clock = clock;
	}

	get isOn(): boolean {
		this.#live();
		return this.#isOn;
	}

	losePower(): void {
		this.#time = 69;
		this.#isOn = false;
		this.#register = 0;
		this.#next = undefined;
	}

	write(bytes: readonly number[]): void {
		this.#live();
		const [command = 0] = bytes;
		if (bytes.length !== 1) throw new Nack();
		if ((command & 0xf8) === 0x40) this.#time = ((command & 7) << 5) | (this.#time & 0x1f);
		else if ((command & 0xe0) === 0x60) this.#time = (this.#time & 0xe0) | (command & 0x1f);
		else if (command === 0x20 || command === 0x21) {
			const counts = this.lux * 1.2 * (command === 0x21 ? 2 : 1) * (this.#time / 69);
			const value = Math.min(0xffff, Math.floor(counts));
			this.#isOn = true;
			this.#next = { at: this.#clock.now + 180 * (this.#time / 69), value };
		} else if (command > 1 && command !== 7) throw new Nack();
	}

	read(count: number): readonly number[] {
		this.#live();
		return Array.from({ length: count }, (_, i) => (this.#register >> (8 * (1 - i))) & 0xff);
	}

	#live(): void {
		if (this.#next === undefined || this.#clock.now < this.#next.at) return;
		this.#register = this.#next.value;
		this.#next = undefined;
		this.#isOn = false;
	}
}
