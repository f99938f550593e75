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
