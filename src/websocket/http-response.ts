import { writeText } from "../http/text";
import { utf8 } from "../mqtt/utf8";

// Never written, so that a device keeps them in flash
/** The head of the answer that accepts a WebSocket (RFC 6455 §4.2.2), up to the value of its last field. */
export const ACCEPTANCE = utf8(
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: ", // [MQTT-6.0.0-4]
);

/** Status of an answer that refuses a request (RFC 9110 §15.5, §15.6, RFC 6585). */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 414 | 421 | 426 | 429 | 431 | 503 | 505;

/**
 * Writes the head of a page, which ends with the connection (RFC 9112 §6.3). A page loads nothing, and must
 * not be cached or framed.
 * @param sources further directives of its Content-Security-Policy, each with a semicolon in front
 */
export function writePageHead(bytes: Uint8Array, type: string, sources: string): number {
	let at = writeText(bytes, 0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: ");
	at = writeText(bytes, at, type);
	at = writeText(
		bytes,
		at,
		"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: ",
	);
	at = writeText(
		bytes,
		at,
		"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	);
	return writeText(bytes, writeText(bytes, at, sources), "\r\n\r\n");
}

/** Writes a refusal with `message` as its body. @returns its length, at most 350 bytes and the message */
export function writeRefusal(bytes: Uint8Array, status: RefusalStatus, message: string): number {
	let at = writeText(
		bytes,
		0,
		`HTTP/1.1 ${status} ${reason(status)}\r\nConnection: close\r\n${special(status)}`,
	);
	at = writeText(
		bytes,
		at,
		`Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${message.length + 1}\r\n\r\n`,
	);
	return writeText(bytes, writeText(bytes, at, message), "\n");
}

function reason(status: RefusalStatus): string {
	switch (status) {
		case 400:
			return "Bad Request";
		case 401:
			return "Unauthorized";
		case 403:
			return "Forbidden";
		case 404:
			return "Not Found";
		case 405:
			return "Method Not Allowed";
		case 414:
			return "URI Too Long";
		case 421:
			return "Misdirected Request";
		case 426:
			return "Upgrade Required";
		case 429:
			return "Too Many Requests";
		case 431:
			return "Request Header Fields Too Large";
		case 503:
			return "Service Unavailable";
		case 505:
			return "HTTP Version Not Supported";
	}
}

/** The header fields that a status requires. */
function special(status: RefusalStatus): string {
	switch (status) {
		case 401:
			// RFC 9110 §11.6.1, RFC 7617 §2.1
			return 'WWW-Authenticate: Basic realm="Firefly", charset="UTF-8"\r\n';
		case 405:
			return "Allow: GET\r\n"; // RFC 9110 §15.5.6
		case 426:
			// RFC 9110 §15.5.22, RFC 6455 §4.4
			return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
		default:
			return "";
	}
}
