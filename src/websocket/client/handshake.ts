import { encodeBase64 } from "../../crypto/base64";
import { SHA1, SHA1_SIZE } from "../../crypto/sha1";
import { writeText } from "../../http/text";
import { GUID } from "../constants";
import { ResponseParser } from "./response-parser";

/** Bytes of the random value of a key (RFC 6455 §4.1). */
const NONCE_SIZE = 16;
const KEY_LENGTH = 24;
const ACCEPT_LENGTH = 28;

/** The opening handshake of a client (RFC 6455 §4.1): what is sent, and what must come back. */
export class Handshake {
	readonly request: Uint8Array;
	readonly parser: ResponseParser;

	/**
	 * @param host name or address, with the port unless it is the scheme's own
	 * @param path with the query
	 * @param random 32 random bits
	 */
	constructor(host: string, path: string, random: () => number) {
		const nonce = new Uint8Array(NONCE_SIZE);
		for (let i = 0; i < NONCE_SIZE; i++) nonce[i] = random();
		const key = new Uint8Array(KEY_LENGTH);
		encodeBase64(nonce, 0, NONCE_SIZE, key, 0);
		const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: `; // [MQTT-6.0.0-3]
		const request = new Uint8Array(head.length + KEY_LENGTH + 4);
		const at = writeText(request, 0, head);
		request.set(key, at);
		writeText(request, at + KEY_LENGTH, "\r\n\r\n");
		this.request = request;
		const digest = new Uint8Array(SHA1_SIZE);
		new SHA1().update(key, 0, KEY_LENGTH).update(GUID, 0, GUID.length).digest(digest, 0);
		const accept = new Uint8Array(ACCEPT_LENGTH);
		encodeBase64(digest, 0, SHA1_SIZE, accept, 0);
		this.parser = new ResponseParser(accept);
	}
}
