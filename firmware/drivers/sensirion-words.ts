/** x⁸ + x⁵ + x⁴ + 1, without its first term. */
const POLYNOMIAL = 0x31;
const INITIAL = 0xff;
/** Two bytes and their checksum. */
const WORD_BYTES = 3;

/**
 * A word of an answer of Sensirion's sensors, which follow each with its checksum
 * ("Checksum Calculation" in the datasheets of SHT4x and SCD4x).
 * @param index 0 for the first one
 * @throws if its checksum is wrong
 */
export function readWord(answer: Uint8Array, index: number): number {
	const at = index * WORD_BYTES;
	const high = answer[at];
	const low = answer[at + 1];
	if (checksum(high, low) !== answer[at + 2]) throw new Error("wrong checksum");
	return (high << 8) | low;
}

/** CRC-8 of two bytes. */
export function checksum(high: number, low: number): number {
	return shift(shift(INITIAL ^ high) ^ low);
}

function shift(remainder: number): number {
	for (let bit = 0; bit < 8; bit++)
		remainder = ((remainder << 1) ^ (remainder & 0x80 ? POLYNOMIAL : 0)) & 0xff;
	return remainder;
}
