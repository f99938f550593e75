import { utf8 } from "../mqtt/utf8";
import { isDigit, SPACE, ZERO } from "../text/ascii";

// Never written, so that a device keeps it in flash
const HTTP_1 = utf8("HTTP/1.");
/** Index of the minor version, and of the first digit of the status. */
export const MINOR_VERSION = 7;
const STATUS = 9;

/**
 * Status of the answer that begins with the line [0, end) (RFC 9112 §4), such as `HTTP/1.1 200 OK`.
 * @returns 100 … 999; 0: this is not HTTP/1
 */
export function statusOf(line: Uint8Array, end: number): number {
	if (end < STATUS + 3 || !isDigit(line[MINOR_VERSION]) || line[STATUS - 1] !== SPACE) return 0;
	for (let i = 0; i < HTTP_1.length; i++) if (line[i] !== HTTP_1[i]) return 0;
	let status = 0;
	for (let i = STATUS; i < STATUS + 3; i++) {
		if (!isDigit(line[i])) return 0;
		status = status * 10 + line[i] - ZERO;
	}
	return status < 100 ? 0 : status;
}
