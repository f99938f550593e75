import { Random } from "../../sim/clock/random";

/** Draws from one stream of a seed. */
export class Draw {
	readonly #random: Random;

	/**
	 * @param label separates the streams of a seed, so that one more draw in one leaves the others as they
	 * are
	 */
	constructor(seed: number, label: string) {
		this.#random = new Random(seed, label);
	}

	chance(probability: number): boolean {
		return this.#random.number() < probability;
	}

	/** A whole number, low … high. */
	integer(low: number, high: number): number {
		return low + Math.floor(this.#random.number() * (high - low + 1));
	}

	pick<T>(values: readonly T[]): T {
		return values[this.integer(0, values.length - 1)]!;
	}

	bytes(count: number): Uint8Array {
		const bytes = new Uint8Array(count);
		this.#random.fill(bytes);
		return bytes;
	}
}
