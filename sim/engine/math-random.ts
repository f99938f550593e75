const UINT64_MASK = 0xffff_ffff_ffff_ffffn;
const MAX_UINT32 = 0xffff_ffff;

/**
 * The numbers that XS's Math.random returns for the same seed, so that both engines produce the same run
 * (splitmix64; sim/xs/native/clock.c).
 */
export class MathRandom {
	#state: bigint;

	/** @param seed any safe integer */
	constructor(seed: number) {
		this.#state = BigInt.asUintN(64, BigInt(seed));
	}

	/** [0, 1) */
	next(): number {
		let value = this.#uint32();
		while (value === MAX_UINT32) value = this.#uint32();
		return value / MAX_UINT32;
	}

	#uint32(): number {
		this.#state = (this.#state + 0x9e3779b97f4a7c15n) & UINT64_MASK;
		let z = this.#state;
		z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & UINT64_MASK;
		z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & UINT64_MASK;
		return Number((z ^ (z >> 31n)) >> 32n);
	}
}
