const PAD = 0x3d;

/**
 * Writes bytes [start, end) in base64 with padding (RFC 4648 §4) to `target` from `at` on, and returns the
 * index after it.
 */
export function encodeBase64(
	bytes: Uint8Array,
	start: number,
	end: number,
	target: Uint8Array,
	at: number,
): number {
	for (let i = start; i < end; i += 3) {
		const more = end - i;
		const group = (bytes[i] << 16) | (more > 1 ? bytes[i + 1] << 8 : 0) | (more > 2 ? bytes[i + 2] : 0);
		target[at] = letter(group >> 18);
		target[at + 1] = letter((group >> 12) & 63);
		target[at + 2] = more > 1 ? letter((group >> 6) & 63) : PAD;
		target[at + 3] = more > 2 ? letter(group & 63) : PAD;
		at += 4;
	}
	return at;
}

/**
 * Decodes the base64 text in [start, end) to `target` from `at` on, which may be the same place, and returns
 * the index after it; -1 unless the text is what encodeBase64() writes: padding is required, and unused bits
 * must be 0 (RFC 4648 §3.2, §3.5).
 */
export function decodeBase64(
	bytes: Uint8Array,
	start: number,
	end: number,
	target: Uint8Array,
	at: number,
): number {
	if (((end - start) & 3) !== 0) return -1;
	for (let i = start; i < end; i += 4) {
		const last = i + 4 === end;
		const count = last && bytes[i + 3] === PAD ? (bytes[i + 2] === PAD ? 1 : 2) : 3;
		const first = value(bytes[i]);
		const second = value(bytes[i + 1]);
		const third = count > 1 ? value(bytes[i + 2]) : 0;
		const fourth = count > 2 ? value(bytes[i + 3]) : 0;
		if ((first | second | third | fourth) < 0) return -1;
		if ((count === 1 && (second & 15) !== 0) || (count === 2 && (third & 3) !== 0)) return -1;
		target[at++] = (first << 2) | (second >> 4);
		if (count > 1) target[at++] = (second << 4) | (third >> 2);
		if (count > 2) target[at++] = (third << 6) | fourth;
	}
	return at;
}

function letter(value: number): number {
	return value < 26
		? value + 0x41
		: value < 52
			? value + 0x47
			: value < 62
				? value - 4
				: value === 62
					? 0x2b
					: 0x2f;
}

function value(letter: number): number {
	if (letter >= 0x61) return letter <= 0x7a ? letter - 0x47 : -1;
	if (letter >= 0x41) return letter <= 0x5a ? letter - 0x41 : -1;
	if (letter >= 0x30) return letter <= 0x39 ? letter + 4 : -1;
	return letter === 0x2b ? 62 : letter === 0x2f ? 63 : -1;
}
