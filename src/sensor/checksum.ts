/** Where {@link crc16} begins. */
export const CRC_START = 0xffff;

/** CRC-16/CCITT (polynomial 0x1021, most significant bit first) continued over bytes [start, end); computed without a table, which would be RAM. */
export function crc16(bytes: Uint8Array, start: number, end: number, crc: number): number {
	for (let i = start; i < end; i++) {
		let mixed = (crc >> 8) ^ bytes[i];
		mixed ^= mixed >> 4;
		crc = ((crc << 8) ^ (mixed << 12) ^ (mixed << 5) ^ mixed) & 0xffff;
	}
	return crc;
}

/**
 * A 32-bit checksum of words [start, end): each step is a bijection of the state, so that any change within one word is
 * found, and any other with odds of 2^32 to 1; a fifth of the work of a bytewise CRC-32, and done at every commit.
 */
export function mix32(words: Uint32Array, start: number, end: number): number {
	const { imul } = Math;
	let state = 0x2545f491;
	for (let i = start; i < end; i++) {
		state = imul(state ^ words[i], 0x9e3779b1);
		state ^= state >>> 15;
	}
	return state >>> 0;
}
