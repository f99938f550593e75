/** FNV-1a over bytes [start, end), continued from `seed`; a signed 32-bit number. */
export function fnv1a(bytes: Uint8Array, start: number, end: number, seed: number): number {
	let value = seed;
	for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i], 0x01000193);
	return value;
}

/** Offset basis of FNV-1a: the seed of a new hash. */
export const FNV_SEED = 0x811c9dc5 | 0;

/** Whether bytes [start, end) of `a` equal those of `b` from `other` on. */
export function equalBytes(a: Uint8Array, start: number, end: number, b: Uint8Array, other: number): boolean {
	for (let i = start, j = other; i < end; i++, j++) if (a[i] !== b[j]) return false;
	return true;
}

/** The number of hash buckets for a number of entries: a power of two. */
export function bucketCount(entries: number): number {
	let size = 4;
	while (size < entries) size *= 2;
	return size;
}
