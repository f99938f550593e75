import { writeWords } from "./block-hash";
import { HMAC } from "./hmac";
import { SHA256_SIZE } from "./sha256";
import { compress, SCHEDULE_WORDS } from "./sha256-block";

/** Bytes of a derived key. */
export const KEY_SIZE = SHA256_SIZE;

/**
 * PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2) for keys of 32 bytes, in steps, so that a device can do other work
 * between them. Allocates nothing after construction.
 *
 *     kdf.start(password, 0, password.length, salt, 0, salt.length, iterations);
 *     kdf.step(8); // from a timer, until it returns true
 *     kdf.digest(key, 0);
 */
export class PBKDF2 {
	readonly #hmac = new HMAC();
	readonly #words = new Int32Array(SCHEDULE_WORDS);
	readonly #state = new Int32Array(8);
	/** The exclusive or of all authentication codes so far. */
	readonly #sum = new Int32Array(8);
	readonly #bytes = new Uint8Array(SHA256_SIZE);
	#left = 0;

	/** Iterations left; each takes two compressions of SHA-256. */
	get left(): number {
		return this.#left;
	}

	/**
	 * Starts a derivation from password [passwordStart, passwordEnd) and salt [saltStart, saltEnd), which need
	 * not be kept. Runs the first iteration.
	 * @param iterations 1 … 2^31 − 1, as stored with the hash
	 * @throws {RangeError} for any other count
	 */
	start(
		password: Uint8Array,
		passwordStart: number,
		passwordEnd: number,
		salt: Uint8Array,
		saltStart: number,
		saltEnd: number,
		iterations: number,
	): void {
		if (!(iterations >= 1 && iterations <= 0x7fffffff) || iterations !== Math.floor(iterations))
			throw new RangeError("iterations of PBKDF2");
		const bytes = this.#bytes;
		const words = this.#words;
		const sum = this.#sum;
		const hmac = this.#hmac.key(password, passwordStart, passwordEnd).update(salt, saltStart, saltEnd);
		// The index of the only block, 4 bytes
		bytes[0] = 0;
		bytes[1] = 0;
		bytes[2] = 0;
		bytes[3] = 1;
		hmac.update(bytes, 0, 4).digest(bytes, 0);
		for (let i = 0; i < 8; i++) {
			const at = i << 2;
			sum[i] = words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
		}
		bytes.fill(0);
		this.#left = iterations - 1;
	}

	/** Runs at most `count` iterations. @returns whether the key is complete */
	step(count: number): boolean {
		const { inner, outer } = this.#hmac;
		const words = this.#words;
		const state = this.#state;
		const sum = this.#sum;
		let left = this.#left;
		const stop = left > count ? left - count : 0;
		for (; left > stop; left--) {
			// HMAC of the last code: each of its hashes takes one block, as the key's block was hashed before
			pad(words);
			state.set(inner);
			compress(state, words);
			words.set(state);
			pad(words);
			state.set(outer);
			compress(state, words);
			words.set(state);
			for (let i = 0; i < 8; i++) sum[i] ^= state[i];
		}
		this.#left = left;
		return left === 0;
	}

	/** Writes the key, 32 bytes, to `target` from `at` on, once step() has returned true, and erases it. */
	digest(target: Uint8Array, at: number): void {
		writeWords(this.#sum, target, at);
		this.clear();
	}

	/** Erases all state, also in the middle of a derivation. */
	clear(): void {
		this.#left = 0;
		this.#sum.fill(0);
		this.#state.fill(0);
		this.#words.fill(0);
		this.#hmac.clear();
	}
}

/** Pads 32 bytes that follow a block of 64 (FIPS 180-4 §5.1.1). */
function pad(words: Int32Array): void {
	words[8] = 0x80000000;
	words[9] = 0;
	words[10] = 0;
	words[11] = 0;
	words[12] = 0;
	words[13] = 0;
	words[14] = 0;
	words[15] = (64 + 32) * 8;
}
