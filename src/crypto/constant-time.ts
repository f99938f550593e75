/**
 * Whether [start, end) of `a` and the bytes of `b` from `other` on are the same. The work depends on the
 * length only, not on where the first difference is, so that the time it takes tells nothing about a secret.
 */
export function equalConstantTime(
	a: Uint8Array,
	start: number,
	end: number,
	b: Uint8Array,
	otherStart: number,
): boolean {
	let difference = 0;
	for (let i = start, j = otherStart; i < end; i++, j++) difference |= a[i] ^ b[j];
	return difference === 0;
}
