/*
 * Topics and filters in the broker's memory, compared and hashed four bytes at a time: on XS a byte costs as
 * much as a word. `words` is the view of the memory; the last word of a text overlaps the one before.
 */

/** Odd, and its bits are well mixed (2^32 ÷ the golden ratio). */
const FACTOR = 0x9e3779b1 | 0;

/** Whether the bytes [start, end) equal those from `other` on. */
export function equalText(words: DataView, start: number, end: number, other: number): boolean {
	const distance = other - start;
	let at = start;
	if (end - start < 4) {
		while (at < end && words.getUint8(at) === words.getUint8(at + distance)) at++;
		return at === end;
	}
	const last = end - 4;
	while (at < last && words.getInt32(at) === words.getInt32(at + distance)) at += 4;
	return at >= last && words.getInt32(last) === words.getInt32(last + distance);
}

/** A hash of the bytes [start, end), whose lowest bits depend on all of them; a signed 32-bit number. */
export function hashText(words: DataView, start: number, end: number): number {
	let hash = end - start;
	if (hash < 4) for (let at = start; at < end; at++) hash = Math.imul(hash ^ words.getUint8(at), FACTOR);
	else {
		const last = end - 4;
		for (let at = start; at < last; at += 4) hash = Math.imul(hash ^ words.getInt32(at), FACTOR);
		hash = Math.imul(hash ^ words.getInt32(last), FACTOR);
	}
	hash ^= hash >>> 16;
	return hash ^ (hash >>> 8);
}

/** As equalText(), for bytes [start, end) of `a` and those of `b` from `other` on. */
export function equalBytes(a: Uint8Array, start: number, end: number, b: Uint8Array, other: number): boolean {
	const distance = other - start;
	let at = start;
	while (at < end && a[at] === b[at + distance]) at++;
	return at === end;
}

/** The number of hash buckets for a number of entries: a power of two. */
export function bucketCount(entries: number): number {
	let size = 4;
	while (size < entries) size *= 2;
	return size;
}
