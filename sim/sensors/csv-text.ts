const UTF16_UNIT = 2;

/**
 * Decodes a text file: UTF-8, UTF-16 with or without a byte order mark, else Windows-1252, as Excel writes
 * it.
 */
export function decodeText(bytes: Uint8Array): string {
	if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
	if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
	// The first character is ASCII, and no byte of a text is NUL otherwise.
	if (bytes.length >= UTF16_UNIT && bytes[0] !== 0 && bytes[1] === 0)
		return new TextDecoder("utf-16le").decode(bytes);
	if (bytes.length >= UTF16_UNIT && bytes[0] === 0 && bytes[1] !== 0)
		return new TextDecoder("utf-16be").decode(bytes);
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder("windows-1252").decode(bytes);
	}
}
