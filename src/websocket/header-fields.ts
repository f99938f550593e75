import { utf8 } from "../mqtt/utf8";
import { COLON } from "../text/ascii";

// Numbers of the header fields that are evaluated; any other field is 0
export const HOST = 1;
export const ORIGIN = 2;
export const UPGRADE = 3;
export const CONNECTION = 4;
export const SEC_WEBSOCKET_KEY = 5;
export const SEC_WEBSOCKET_VERSION = 6;
export const SEC_WEBSOCKET_PROTOCOL = 7;
export const AUTHORIZATION = 8;
export const CONTENT_LENGTH = 9;
export const TRANSFER_ENCODING = 10;

// Their names in order, each followed by a colon. Never written, so that a device keeps them in flash.
const NAMES = utf8(
	"host:origin:upgrade:connection:sec-websocket-key:sec-websocket-version:sec-websocket-protocol:authorization:content-length:transfer-encoding:",
);
const END = NAMES.length;

/** The number of the field whose name, in lower case, is [start, end); 0 for any other name. */
export function fieldOf(bytes: Uint8Array, start: number, end: number): number {
	const length = end - start;
	let field = 1;
	let at = 0;
	while (at < END) {
		let i = 0;
		while (i < length && NAMES[at + i] === bytes[start + i]) i++;
		if (i === length && NAMES[at + i] === COLON) return field;
		while (NAMES[at] !== COLON) at++;
		at++;
		field++;
	}
	return 0;
}
