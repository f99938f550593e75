import { toLower } from "../text/ascii";
import { LABEL_SIZE } from "./constants";

/** Bytes of a name at most (RFC 1035 §3.1). */
const NAME_SIZE = 255;
const POINTER = 0xc0;

/** Index of the label that a name at `at` begins with, behind pointers; −1: it is malformed. */
export function labelAt(bytes: Uint8Array, at: number): number {
	while ((bytes[at] & POINTER) === POINTER) {
		if (at + 1 >= bytes.length) return -1;
		const target = ((bytes[at] & ~POINTER) << 8) | bytes[at + 1];
		// Pointers lead back only (RFC 1035 §4.1.4), so that there are no circles of them.
		if (target >= at) return -1;
		at = target;
	}
	return at < bytes.length && bytes[at] <= LABEL_SIZE && at + bytes[at] < bytes.length ? at : -1;
}

/** Index after a name; −1: it is malformed. */
export function skipName(bytes: Uint8Array, at: number): number {
	for (let start = at; at - start < NAME_SIZE && at < bytes.length; at += bytes[at] + 1) {
		if ((bytes[at] & POINTER) === POINTER) return at + 2 <= bytes.length ? at + 2 : -1;
		if (bytes[at] > LABEL_SIZE) return -1;
		if (bytes[at] === 0) return at + 1;
	}
	return -1;
}

/**
 * Order of two names byte for byte, uncompressed (RFC 6762 §8.2): negative, 0 or positive; NaN if one is
 * malformed.
 * @param fold 1: an ASCII letter and its capital are the same, as in all comparisons but this order (§16)
 */
export function compareNames(a: Uint8Array, atA: number, b: Uint8Array, atB: number, fold: 0 | 1): number {
	for (let size = 0; size < NAME_SIZE; ) {
		atA = labelAt(a, atA);
		atB = labelAt(b, atB);
		if (atA < 0 || atB < 0) return NaN;
		const length = a[atA];
		if (length !== b[atB]) return length - b[atB];
		if (length === 0) return 0;
		for (let i = 1; i <= length; i++) {
			const byteA = a[atA + i];
			const byteB = b[atB + i];
			const order = fold === 1 ? toLower(byteA) - toLower(byteB) : byteA - byteB;
			if (order !== 0) return order;
		}
		atA += length + 1;
		atB += length + 1;
		size += length + 1;
	}
	return NaN;
}
