import Digital from "embedded:io/digital";
import Timer from "timer";
import type { Sensor } from "../../../src/device";

interface DigitalOptions {
	readonly pin: number;
	/** The chip's resistor at the pin. */
	readonly pull?: "none" | "up" | "down";
	/** Whether low stands for active. */
	readonly activeLow?: boolean;
	/** Time for which the level must stay the same, ms; 0: the first reading counts. */
	readonly debounce?: number;
}

/** A contact that bounces for longer than so many times `debounce` counts as it is then. */
const DEBOUNCE_LIMIT = 10;

/**
 * Level of a digital pin: `digital.active`, and the same under the names `contact.open` and
 * `motion.detected`; true or false.
 */
export default class implements Sensor {
	#input: Digital;
	#activeLevel: number;
	#debounce: number;

	constructor({ pin, pull = "up", activeLow = false, debounce = 10 }: DigitalOptions) {
		const mode =
			pull === "up" ? Digital.InputPullUp : pull === "down" ? Digital.InputPullDown : Digital.Input;
		this.#input = new Digital({ pin, mode });
		this.#activeLevel = activeLow ? 0 : 1;
		this.#debounce = debounce;
	}

	configure(): void {}

	sample(): object {
		const active = this.#stableLevel() === this.#activeLevel;
		return { digital: { active }, contact: { open: active }, motion: { detected: active } };
	}

	close(): void {
		this.#input.close();
	}

	#stableLevel(): number {
		let level = this.#input.read();
		const debounce = this.#debounce;
		for (let ms = 0, steady = 0; steady < debounce && ms < debounce * DEBOUNCE_LIMIT; ms++) {
			Timer.delay(1);
			const next = this.#input.read();
			steady = next === level ? steady + 1 : 0;
			level = next;
		}
		return level;
	}
}
