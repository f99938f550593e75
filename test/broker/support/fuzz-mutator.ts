/** Pseudo-random numbers from a seed, the same on every engine: 32-bit xorshift. */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed | 0 || 1;
	}

	/** An integer from 0 to `bound` - 1. */
	below(bound: number): number {
		let state = this.#state;
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		this.#state = state;
		return (state >>> 0) % bound;
	}

	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)]!;
	}

	/** True once in `times` calls on average. */
	oneIn(times: number): boolean {
		return this.below(times) === 0;
	}
}

/** Bytes with a special meaning: ends of ranges, wildcards, separators, flags. */
const SPECIAL_BYTES = new Uint8Array([
	0x00, 0x01, 0x7f, 0x80, 0xff, 0x23, 0x24, 0x2b, 0x2f, 0x0d, 0x0a, 0xc0, 0xef,
]);

/** Damages packets. */
export class Mutator {
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	/**
	 * Damages bytes [0, length) in one to three places.
	 * @returns the new length, at most 15 more than before
	 */
	damage(bytes: Uint8Array, length: number): number {
		const random = this.#random;
		let end = length;
		for (let edits = random.oneIn(4) ? 3 : random.oneIn(2) ? 2 : 1; edits > 0; edits--)
			end = this.#mutate(bytes, end);
		return end;
	}

	/** Corrects the remaining length of an MQTT packet below 16 kB, so that its errors lie further inside. */
	fixRemainingLength(bytes: Uint8Array, length: number): void {
		if (length < 2) return;
		if (length < 130 && bytes[1] < 128) bytes[1] = length - 2;
		else if (length > 130 && bytes[1] >= 128 && bytes[2] < 128) {
			bytes[1] = ((length - 3) & 0x7f) | 0x80;
			bytes[2] = (length - 3) >> 7;
		}
	}

	#mutate(bytes: Uint8Array, length: number): number {
		const random = this.#random;
		const at = random.below(length);
		switch (random.below(9)) {
			case 0:
				bytes[at] = random.below(256);
				return length;
			case 1:
				bytes[at] = SPECIAL_BYTES[random.below(SPECIAL_BYTES.length)];
				return length;
			case 2:
				bytes[at] ^= 1 << random.below(8);
				return length;
			case 3:
				bytes[at] += random.oneIn(2) ? 1 : 255;
				return length;
			case 4:
				if (length < 2) return length;
				bytes.copyWithin(at, at + 1, length);
				return length - 1;
			case 5: {
				// repeats a few bytes
				const count = Math.min(1 + random.below(5), length - at);
				bytes.copyWithin(at + count, at, length);
				return length + count;
			}
			case 6:
				if (!random.oneIn(4)) return length;
				return 1 + at;
			default:
				bytes[at] = bytes[random.below(length)];
				return length;
		}
	}
}
