/** The most bytes that {@link peerProtocol} looks at. */
export const FIRST_BYTES = 4;

/** Content types of TLS: alert and handshake. The version that follows begins with 3 (RFC 8446 §5.1). */
const TLS_ALERT = 0x15;
const TLS_HANDSHAKE = 0x16;
const TLS_VERSION = 3;

/**
 * What a peer speaks that is no MQTT broker, by the first bytes that it sent: a wrong port is the usual
 * cause. Call it only after a failure: allocates.
 * @param firstBytes the first `length` bytes, at most FIRST_BYTES, as a big-endian number
 * @returns undefined: it may be MQTT, or nothing is known
 */
export function peerProtocol(firstBytes: number, length: number): string | undefined {
	let text = "";
	let printable = length > 0;
	for (let i = 0; i < length; i++) {
		const byte = byteAt(firstBytes, length, i);
		// CR and LF end a line; a space begins CONNACK (0x20).
		if (byte === 0x0d || byte === 0x0a || (byte === 0x20 && i > 0)) continue;
		if (byte <= 0x20 || byte > 0x7e) printable = false;
		text += String.fromCharCode(byte);
	}
	const type = byteAt(firstBytes, length, 0);
	if (
		(type === TLS_ALERT || type === TLS_HANDSHAKE) &&
		(length === 1 || byteAt(firstBytes, length, 1) === TLS_VERSION)
	)
		return "TLS";
	if (!printable) return undefined;
	if ("HTTP".startsWith(text)) return "HTTP";
	if ("SSH-".startsWith(text)) return "SSH";
	return `a text protocol ("${text}…")`;
}

function byteAt(firstBytes: number, length: number, index: number): number {
	return (firstBytes >>> (8 * (length - 1 - index))) & 0xff;
}
