/**
 * Copies `source` [start, end) to `target` from `at` on and returns the index after it; the two may overlap.
 * Within an array and from a whole one it is a native copy, the cheapest on XS. A part of another array is
 * copied byte by byte: a view of it would be an allocation.
 */
export function copyBytes(
	target: Uint8Array,
	at: number,
	source: Uint8Array,
	start: number,
	end: number,
): number {
	if (target === source) {
		target.copyWithin(at, start, end);
		return at + end - start;
	}
	if (start === 0 && end === source.length) {
		target.set(source, at);
		return at + end;
	}
	for (let i = start; i < end; i++) target[at++] = source[i];
	return at;
}

/** Writes a two byte integer (§1.5.2) and returns the index after it. */
export function writeUint16(bytes: Uint8Array, at: number, value: number): number {
	bytes[at++] = value >> 8;
	bytes[at++] = value;
	return at;
}

/** The four byte integer (§1.5.3) at `at`. */
export function readUint32(bytes: Uint8Array, at: number): number {
	return bytes[at] * 0x1000000 + ((bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]);
}

/** Writes a four byte integer (§1.5.3) and returns the index after it. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): number {
	bytes[at] = value >>> 24;
	bytes[at + 1] = value >>> 16;
	bytes[at + 2] = value >>> 8;
	bytes[at + 3] = value;
	return at + 4;
}

/** Writes a string or binary field (§1.5.4, §1.5.6), length first, and returns the index after it. */
export function writeLengthPrefixed(bytes: Uint8Array, at: number, field: Uint8Array): number {
	const length = field.length;
	bytes[at] = length >> 8;
	bytes[at + 1] = length;
	bytes.set(field, at + 2);
	return at + 2 + length;
}

/**
 * The end of the string or binary field at `at`, whose content starts at `at + 2`; -1 if it does not end by
 * `end`.
 */
export function fieldEnd(bytes: Uint8Array, at: number, end: number): number {
	if (at + 2 > end) return -1;
	const after = at + 2 + ((bytes[at] << 8) | bytes[at + 1]);
	return after > end ? -1 : after;
}
