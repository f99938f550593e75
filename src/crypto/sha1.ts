import { writeWords } from "./sha256";

/** Bytes of a digest. */
export const SHA1_SIZE = 20;

const BLOCK = 64;

/** SHA-1 (FIPS 180-4 §6.1), for the WebSocket handshake only (RFC 6455 §4.2.2): it is not safe against collisions. Allocates nothing after construction. */
export class SHA1 {
	readonly #state = new Int32Array(5);
	readonly #words = new Int32Array(16);
	/** Bytes taken. */
	#length = 0;

	constructor() {
		this.reset();
	}

	/** Begins anew. */
	reset(): this {
		const state = this.#state;
		state[0] = 0x67452301;
		state[1] = 0xefcdab89;
		state[2] = 0x98badcfe;
		state[3] = 0x10325476;
		state[4] = 0xc3d2e1f0;
		this.#length = 0;
		return this;
	}

	/** Takes bytes [start, end). */
	update(bytes: Uint8Array, start: number, end: number): this {
		const words = this.#words;
		let position = this.#length % BLOCK;
		this.#length += end - start;
		for (let i = start; i < end; i++) {
			const at = position >> 2;
			words[at] = (words[at] << 8) | bytes[i];
			if (++position === BLOCK) {
				compress(this.#state, words);
				position = 0;
			}
		}
		return this;
	}

	/** Writes the digest, 20 bytes, to `target` from `at` on. What follows begins anew. */
	digest(target: Uint8Array, at: number): void {
		const words = this.#words;
		const state = this.#state;
		const position = this.#length % BLOCK;
		let word = position >> 2;
		const shift = (4 - (position & 3)) << 3;
		// A shift by 32 would be one by 0
		words[word] = shift === 32 ? 0x80000000 : (words[word] << shift) | (1 << (shift - 1)); // §5.1.1
		word++;
		if (word > 14) {
			while (word < 16) words[word++] = 0;
			compress(state, words);
			word = 0;
		}
		while (word < 14) words[word++] = 0;
		words[14] = this.#length / 0x20000000;
		words[15] = this.#length << 3;
		compress(state, words);
		writeWords(state, target, at);
		this.reset();
	}
}

/** Takes one block into the hash value, the schedule in 16 words as in §6.1.3. */
function compress(state: Int32Array, words: Int32Array): void {
	let a = state[0];
	let b = state[1];
	let c = state[2];
	let d = state[3];
	let e = state[4];
	for (let t = 0; t < 80; t++) {
		const s = t & 15;
		if (t >= 16) {
			const x = words[(s + 13) & 15] ^ words[(s + 8) & 15] ^ words[(s + 2) & 15] ^ words[s];
			words[s] = (x << 1) | (x >>> 31);
		}
		const f =
			t < 20
				? (d ^ (b & (c ^ d))) + 0x5a827999
				: t < 40
					? (b ^ c ^ d) + 0x6ed9eba1
					: t < 60
						? ((b & c) | (d & (b | c))) + 0x8f1bbcdc
						: (b ^ c ^ d) + 0xca62c1d6;
		const next = (((a << 5) | (a >>> 27)) + f + e + words[s]) | 0;
		e = d;
		d = c;
		c = (b << 30) | (b >>> 2);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}
