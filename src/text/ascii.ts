/** Codes of ASCII characters that topics, numbers, times and header fields are made of. */
export const SPACE = 0x20;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;

/** The hexadecimal digit, in lower case, of a value 0 … 15. */
export function hexDigit(value: number): number {
	return value < 10 ? ZERO + value : 0x57 + value;
}

/** Converts a letter to lower case; returns any other byte unchanged. */
export function toLower(byte: number): number {
	return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

export function isDigit(byte: number): boolean {
	return byte >= ZERO && byte <= NINE;
}
