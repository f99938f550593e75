/** Initial value of {@link crc16}. */
export const CRC_START = 0xffff;

/** The CRC of each single byte. In a preloaded module it lies in flash; it is never written. */
const TABLE: Uint16Array = makeTable();

function makeTable(): Uint16Array {
	const entries = new Uint16Array(256);
	for (let byte = 0; byte < 256; byte++) {
		let crc = byte << 8;
		for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
		entries[byte] = crc;
	}
	return entries;
}

/** CRC-16/CCITT (polynomial 0x1021, most significant bit first) continued over bytes [start, end). */
export function crc16(bytes: Uint8Array, start: number, end: number, crc: number): number {
	const entries = TABLE;
	for (let i = start; i < end; i++) crc = ((crc & 0xff) << 8) ^ entries[(crc >> 8) ^ bytes[i]];
	return crc;
}
