/** Bytes of a payload that are shown. */
export const PAYLOAD_LIMIT = 200;

/**
 * The first bytes of a payload as text, or hexadecimal when they are not UTF-8.
 * @param head at most {@link PAYLOAD_LIMIT} bytes
 * @param size bytes of the whole payload: a character that is cut off at the end of `head` is left out
 */
export function describePayload(
	head: Uint8Array,
	size: number,
): { readonly payload: string } | { readonly payloadHex: string } {
	try {
		const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
		return { payload: decoder.decode(head, { stream: head.length < size }) };
	} catch {
		return { payloadHex: hexText(head) };
	}
}

/** Hexadecimal after `0x`. */
export function hexText(bytes: Uint8Array): string {
	return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** UTF-8 [start, end) as text. */
export function text(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.subarray(start, end)).toString();
}
