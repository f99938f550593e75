import { BlockHash } from "./block-hash";

/** Bytes of a digest. */
export const SHA1_SIZE = 20;

/**
 * SHA-1 (FIPS 180-4 §6.1), for the WebSocket handshake only (RFC 6455 §4.2.2): it is not safe against
 * collisions.
 */
export class SHA1 extends BlockHash {
	constructor() {
		super(new Int32Array(5), new Int32Array(16));
	}

	protected initialise(): void {
		const { state } = this;
		state[0] = 0x67452301;
		state[1] = 0xefcdab89;
		state[2] = 0x98badcfe;
		state[3] = 0x10325476;
		state[4] = 0xc3d2e1f0;
	}

	protected compress(): void {
		compress(this.state, this.words);
	}
}

/** Updates the hash value with one block; the schedule takes 16 words as in §6.1.3. */
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
