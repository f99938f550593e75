/** Size of a variable byte integer (§1.5.5), in bytes. */
export function varintSize(value: number): number {
	return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

/** Size of a packet with this remaining length (§2.1.4), bytes. */
export function packetSize(remaining: number): number {
	return remaining < 128 ? remaining + 2 : 1 + varintSize(remaining) + remaining;
}

/*
 * Where its bytes arrive one by one, the state of reading one is an integer, which takes one field: the value
 * so far in bits 0 to 27, the number of bytes so far in bits 28 and 29, bit 30 once it is complete. A
 * negative state is an error.
 */

/** State before the first byte. */
export const VARINT_START = 0;
/** States from here on are complete. */
export const VARINT_COMPLETE = 0x4000_0000;
/** It is longer than four bytes. */
export const VARINT_TOO_LONG = -1;
/** It has more bytes than its value needs. */
export const VARINT_NOT_MINIMAL = -2;
const COUNT_SHIFT = 28;
const VALUE_MASK = 0x0fff_ffff;

/** The state of a variable byte integer (§1.5.5) after another byte. @param state incomplete, and no error */
export function readVarintByte(state: number, byte: number): number {
	const count = state >> COUNT_SHIFT;
	const value = (state & VALUE_MASK) | ((byte & 0x7f) << (7 * count));
	if (byte > 127) return count === 3 ? VARINT_TOO_LONG : ((count + 1) << COUNT_SHIFT) | value;
	if (byte === 0 && count > 0) return VARINT_NOT_MINIMAL; // [MQTT-1.5.5-1]
	return VARINT_COMPLETE | value;
}

/** The value of a complete state. */
export function varintValue(state: number): number {
	return state & VALUE_MASK;
}

/**
 * The variable byte integer at `at`, or -1 if it does not end before `end`, is longer than four bytes or
 * longer than it needs to be.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
	if (at < end && bytes[at] < 128) return bytes[at];
	let state = VARINT_START;
	while (at < end) {
		state = readVarintByte(state, bytes[at++]);
		if (state < 0) return -1;
		if (state >= VARINT_COMPLETE) return varintValue(state);
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
