import { SLASH } from "../../text/ascii";

const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

/**
 * Whether a client identifier may replace `{id}`: it must neither add a topic level, nor contain a wildcard,
 * nor begin with `$`.
 */
export function canFillPlaceholder(bytes: Uint8Array, start: number, end: number): boolean {
	if (start < end && bytes[start] === DOLLAR) return false;
	for (let i = start; i < end; i++) {
		const byte = bytes[i];
		if (byte === SLASH || byte === PLUS || byte === HASH) return false;
	}
	return true;
}

/** Skips a leading `$SYS/last/`: the last value of a topic and its time are subject to that topic's rules. */
export function skipLastPrefix(bytes: Uint8Array, start: number, end: number): number {
	if (
		end - start > 10 &&
		bytes[start] === DOLLAR &&
		bytes[start + 1] === 0x53 &&
		bytes[start + 2] === 0x59 &&
		bytes[start + 3] === 0x53 &&
		bytes[start + 4] === SLASH &&
		bytes[start + 5] === 0x6c &&
		bytes[start + 6] === 0x61 &&
		bytes[start + 7] === 0x73 &&
		bytes[start + 8] === 0x74 &&
		bytes[start + 9] === SLASH
	)
		return start + 10;
	return start;
}
