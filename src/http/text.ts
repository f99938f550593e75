import { toLower } from "../text/ascii";

/** Whether [start, end) equals `other`, which must have no upper case, ignoring the case of ASCII letters. */
export function equalsIgnoringCase(
	bytes: Uint8Array,
	start: number,
	end: number,
	other: Uint8Array,
): boolean {
	if (end - start !== other.length) return false;
	for (let i = start, j = 0; i < end; i++, j++) if (toLower(bytes[i]) !== other[j]) return false;
	return true;
}

/**
 * Whether the comma-separated list in [start, end) (RFC 9110 §5.6.1) contains `token`. With `ignoreCase` it
 * may have any case; `token` must have no upper case then.
 */
export function hasToken(
	bytes: Uint8Array,
	start: number,
	end: number,
	token: Uint8Array,
	ignoreCase: boolean,
): boolean {
	const { length } = token;
	let at = start;
	while (at < end) {
		let stop = at;
		while (stop < end && bytes[stop] !== 0x2c) stop++;
		let from = at;
		let to = stop;
		while (from < to && isSpace(bytes[from])) from++;
		while (to > from && isSpace(bytes[to - 1])) to--;
		if (to - from === length) {
			let i = 0;
			while (i < length && (ignoreCase ? toLower(bytes[from + i]) : bytes[from + i]) === token[i]) i++;
			if (i === length) return true;
		}
		at = stop + 1;
	}
	return false;
}

/** Whether a byte is OWS, a space or a tab (RFC 9110 §5.6.3). */
export function isSpace(byte: number): boolean {
	return byte === 0x20 || byte === 0x09;
}

/** Whether a byte is a character of a token (RFC 9110 §5.6.2). */
export function isTokenCharacter(byte: number): boolean {
	if (byte >= 0x61) return byte <= 0x7a || byte === 0x7c || byte === 0x7e; // a-z | ~
	if (byte >= 0x41) return byte <= 0x5a || byte >= 0x5e; // A-Z ^ _ `
	if (byte >= 0x30) return byte <= 0x39;
	// ! # $ % & ' * + - .
	return (
		byte === 0x21 ||
		(byte >= 0x23 && byte <= 0x27) ||
		byte === 0x2a ||
		byte === 0x2b ||
		byte === 0x2d ||
		byte === 0x2e
	);
}

/** Whether [start, end) is this text. */
export function equalBytes(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
	if (end - start !== text.length) return false;
	for (let i = start, j = 0; i < end; i++, j++) if (bytes[i] !== text[j]) return false;
	return true;
}

/**
 * Writes ASCII text to `bytes` from `at` on and returns the index after it. Only for the one request or
 * answer of a connection: on XS it allocates for each character.
 */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
	const { length } = text;
	for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
	return at;
}
