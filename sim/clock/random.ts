/** A seeded stream of numbers: the same seed and label give the same stream on every machine (sfc32). */
export class Random {
	#a: number;
	#b: number;
	#c: number;
	#counter = 1;

	/** @param seed any safe integer @param label separates the streams of one seed from each other */
	constructor(seed: number, label = "") {
		// FNV-1a over the label and both halves of the seed.
		let hash = 0x811c9dc5;
		const text = `${seed}/${label}`;
		for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
		this.#a = hash | 0;
		this.#b = seed | 0;
		this.#c = Math.floor(seed / 0x1_0000_0000) | 0;
		for (let i = 0; i < 15; i++) this.uint32();
	}

	/** 0 … 2^32 − 1 */
	uint32(): number {
		const sum = (this.#a + this.#b + this.#counter++) | 0;
		this.#a = this.#b ^ (this.#b >>> 9);
		this.#b = (this.#c + (this.#c << 3)) | 0;
		this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
		return sum >>> 0;
	}

	/** [0, 1) */
	number(): number {
		return this.uint32() / 0x1_0000_0000;
	}

	/** [low, high) */
	between(low: number, high: number): number {
		return low + (high - low) * this.number();
	}

	/** Normally distributed, mean 0, deviation 1 (Box and Muller). */
	normal(): number {
		return Math.sqrt(-2 * Math.log(1 - this.number())) * Math.cos(2 * Math.PI * this.number());
	}

	fill(bytes: Uint8Array): void {
		for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32();
	}
}
