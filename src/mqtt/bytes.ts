/**
 * Copies `source` [start, end) to `target` from `at` on and returns the index after it. Whole arrays go
 * through the native set(), the cheapest copy on XS.
 */
export function copyBytes(
	target: Uint8Array,
	at: number,
	source: Uint8Array,
	start: number,
	end: number,
): number {
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
