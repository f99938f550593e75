/** CRC-8 of Sensirion's datasheets, bit by bit over the sixteen bits of a word. */
export function wordWithChecksum(word: number): readonly number[] {
	let crc = 0xff;
	for (const byte of [word >> 8, word & 0xff])
		for (let bit = 7; bit >= 0; bit--) {
			const carry = ((crc >> 7) ^ (byte >> bit)) & 1;
			crc = ((crc << 1) & 0xff) ^ (carry ? 0x31 : 0);
		}
	return [word >> 8, word & 0xff, crc];
}
