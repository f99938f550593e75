/** XS has a native encoder, which produces no garbage; other engines lack it. */
interface XSArrayBuffer {
	fromString(text: string): ArrayBuffer;
}

/**
 * Encodes a string as UTF-8. Allocates: for use at start-up.
 * @throws {RangeError} for a lone surrogate or U+0000, which an MQTT string must not contain (§1.5.4).
 */
export function utf8(text: string): Uint8Array {
	const xs = ArrayBuffer as Partial<XSArrayBuffer>;
	if (xs.fromString !== undefined) {
		const bytes = new Uint8Array(xs.fromString(text));
		// Invalid text is encoded again below, which throws the right error.
		if (validUTF8(bytes, 0, bytes.length)) return bytes;
	}
	let length = 0;
	for (const character of text) {
		const code = character.codePointAt(0) as number;
		if (code === 0) throw new RangeError("U+0000 in an MQTT string"); // [MQTT-1.5.4-2]
		// [MQTT-1.5.4-1]
		if (code >= 0xd800 && code <= 0xdfff) throw new RangeError("lone surrogate in an MQTT string");
		length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	}
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const character of text) {
		const code = character.codePointAt(0) as number;
		if (code < 0x80) bytes[at++] = code;
		else {
			if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
			else {
				if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
				else {
					bytes[at++] = 0xf0 | (code >> 18);
					bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
				}
				bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
			}
			bytes[at++] = 0x80 | (code & 0x3f);
		}
	}
	return bytes;
}

/** As {@link utf8}, of a text that is known to be an MQTT string, such as the address of a chip. */
export function utf8OfValid(text: string): Uint8Array {
	const xs = ArrayBuffer as Partial<XSArrayBuffer>;
	return xs.fromString === undefined ? utf8(text) : new Uint8Array(xs.fromString(text));
}

/** Decodes valid UTF-8 in [start, end). Allocates: for use in messages only. */
export function decodeUTF8(bytes: Uint8Array, start: number, end: number): string {
	let result = "";
	let at = start;
	while (at < end) {
		const byte = bytes[at];
		if (byte < 0x80) {
			result += String.fromCharCode(byte);
			at += 1;
		} else if (byte < 0xe0) {
			result += String.fromCharCode(((byte & 0x1f) << 6) | (bytes[at + 1] & 0x3f));
			at += 2;
		} else if (byte < 0xf0) {
			result += String.fromCharCode(
				((byte & 0x0f) << 12) | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f),
			);
			at += 3;
		} else {
			result += String.fromCodePoint(
				((byte & 0x07) << 18) |
					((bytes[at + 1] & 0x3f) << 12) |
					((bytes[at + 2] & 0x3f) << 6) |
					(bytes[at + 3] & 0x3f),
			);
			at += 4;
		}
	}
	return result;
}

/**
 * Whether [start, end) is an MQTT string's content (§1.5.4): UTF-8 without overlong forms, surrogates or
 * U+0000. A byte order mark is an ordinary character [MQTT-1.5.4-3] [MQTT-3.1.1:1.5.3-3].
 */
export function validUTF8(bytes: Uint8Array, start: number, end: number): boolean {
	let at = start;
	for (;;) {
		// Plain ASCII, as nearly all text is
		while (at < end && (bytes[at] - 1) >>> 0 < 0x7f) at++;
		if (at >= end) return true;
		const byte = bytes[at++];
		if (byte === 0) return false; // [MQTT-1.5.4-2] [MQTT-3.1.1:1.5.3-2]
		// The second byte's range excludes overlong forms, surrogates and code points above U+10FFFF (RFC 3629
		// §4) [MQTT-1.5.4-1] [MQTT-3.1.1:1.5.3-1]
		let more = 0;
		let low = 0x80;
		let high = 0xbf;
		if (byte < 0xc2) return false;
		if (byte < 0xe0) more = 1;
		else if (byte < 0xf0) {
			more = 2;
			if (byte === 0xe0) low = 0xa0;
			else if (byte === 0xed) high = 0x9f;
		} else if (byte < 0xf5) {
			more = 3;
			if (byte === 0xf0) low = 0x90;
			else if (byte === 0xf4) high = 0x8f;
		} else return false;
		if (at + more > end) return false;
		if (bytes[at] < low || bytes[at] > high) return false;
		at++;
		for (; more > 1; more--) {
			if ((bytes[at] & 0xc0) !== 0x80) return false;
			at++;
		}
	}
}
