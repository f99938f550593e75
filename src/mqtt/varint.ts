/** Size of a variable byte integer (§1.5.5), in bytes. */
export function varintSize(value: number): number {
	return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

/**
 * The variable byte integer at `at`, or -1 if it does not end before `end`, is longer than four bytes or
 * longer than it needs to be.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
	let value = 0;
	for (let shift = 0; shift < 28; shift += 7) {
		if (at >= end) return -1;
		const byte = bytes[at++];
		value |= (byte & 0x7f) << shift;
		if (byte < 128) return byte === 0 && shift > 0 ? -1 : value; // [MQTT-1.5.5-1]
	}
	return -1;
}

/** Writes a variable byte integer and returns the index after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
	let rest = value;
	while (rest > 127) {
		bytes[at++] = (rest & 0x7f) | 0x80;
		rest >>>= 7;
	}
	bytes[at++] = rest;
	return at;
}
