/** FNV-1a, 32 bits: offset basis, the seed of a new hash, as a signed number. */
export const FNV_SEED = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** FNV-1a over bytes [start, end), continued from `seed`; a signed 32-bit number. */
export function fnv1a(bytes: Uint8Array, start: number, end: number, seed: number): number {
	let value = seed;
	for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i], FNV_PRIME);
	return value;
}

/** FNV-1a over the UTF-16 code units of a text; 0 … 2^32 − 1. For start-up: allocates. */
export function fnv1aOfText(text: string): number {
	let value = FNV_SEED;
	for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
	return value >>> 0;
}
