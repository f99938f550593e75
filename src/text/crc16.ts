/** Initial value of {@link crc16}. */
export const CRC_START = 0xffff;

/** Index of the second part of {@link TABLE}. */
const BEFORE_ZERO = 256;

/**
 * The CRC of each single byte, then that of each byte followed by a zero. In a preloaded module it lies in
 * flash; it is never written.
 */
const TABLE: Uint16Array = makeTable();

function makeTable(): Uint16Array {
	const entries = new Uint16Array(2 * BEFORE_ZERO);
	for (let i = 0; i < entries.length; i++) {
		const bits = i < BEFORE_ZERO ? 8 : 16;
		let crc = (i % BEFORE_ZERO) << 8;
		for (let bit = 0; bit < bits; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
		entries[i] = crc;
	}
	return entries;
}

/** CRC-16/CCITT (polynomial 0x1021, most significant bit first) continued over bytes [start, end). */
export function crc16(bytes: Uint8Array, start: number, end: number, crc: number): number {
	const entries = TABLE;
	const pairsEnd = end - 1;
	let at = start;
	// Two bytes at once: their CRC is the sum of that of the first before a zero, and that of the second.
	for (; at < pairsEnd; at += 2)
		crc = entries[BEFORE_ZERO + ((crc >> 8) ^ bytes[at])] ^ entries[(crc & 0xff) ^ bytes[at + 1]];
	return at < end ? ((crc & 0xff) << 8) ^ entries[(crc >> 8) ^ bytes[at]] : crc;
}
