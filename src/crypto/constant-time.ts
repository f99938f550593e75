/**
 * Whether [start, end) of `a` equals the bytes of `b` from `otherStart` on. The work depends on the length
 * only, not on the position of the first difference, so that the timing reveals nothing about a secret.
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
