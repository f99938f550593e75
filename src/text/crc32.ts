/** CRC of each single byte. Never written, so that it stays in flash in a preloaded module. */
const TABLE: Int32Array = table();

function table(): Int32Array {
	const entries = new Int32Array(256);
	for (let byte = 0; byte < 256; byte++) {
		let crc = byte;
		for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
		entries[byte] = crc;
	}
	return entries;
}

/**
 * CRC-32 (ISO 3309, polynomial 0x04c11db7, least significant bit first) of bytes [start, end); 0 … 2^32 − 1.
 */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
	const entries = TABLE;
	let crc = -1;
	for (let i = start; i < end; i++) crc = (crc >>> 8) ^ entries[(crc ^ bytes[i]) & 0xff];
	return ~crc >>> 0;
}
