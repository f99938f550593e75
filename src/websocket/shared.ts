import { encodeBase64 } from "../crypto/base64";
import { SHA1, SHA1_SIZE } from "../crypto/sha1";
import type { TCPConstructor } from "../device";
import { utf8 } from "../mqtt/utf8";
import { LONGEST_SENT, PIECE, REQUEST_STORE } from "./constants";
import type { Pages } from "./pages";
import { Policy, type PolicyOptions } from "./policy";
import type { Request } from "./request";
import { ACCEPTANCE, GUID, writeText } from "./response";
import { Wire } from "./wire";

export interface WebSocketOptions extends PolicyOptions {
	/** The socket that is taken over from a listener. */
	tcp: TCPConstructor;
	/** The most bytes for which the user of a stream waits before it reads: for MQTT, the largest packet. Each stream has a buffer of that size, of 512 at least. */
	size: number;
	/** Answers requests that ask for no WebSocket; without it they are told to upgrade. */
	pages?: Pages;
	/** A request was refused, with this HTTP status, for this reason. */
	onRefused?(status: number, reason: string): void;
	/** A stream failed, with this status code of RFC 6455 §7.4, and is being closed. */
	onFailed?(code: number): void;
	/** An exception where none should be: out of a host, of pages, or of a stream's user. Its stream is lost. */
	onException?(error: unknown): void;
}

/** What the streams of one server share: the buffer for bytes in passing, the checks, and the stores of streams that have ended. */
export class Shared {
	readonly options: WebSocketOptions;
	readonly wire: Wire;
	readonly policy: Policy;
	readonly #sha1 = new SHA1();
	readonly #digest = new Uint8Array(SHA1_SIZE);
	readonly #acceptance = utf8(ACCEPTANCE);
	readonly #guid = utf8(GUID);
	readonly #storeSize: number;
	readonly #stores: Uint8Array[] = [];

	constructor(options: WebSocketOptions) {
		this.options = options;
		this.policy = new Policy(options);
		this.wire = new Wire(Math.min(Math.max(options.size, PIECE), LONGEST_SENT));
		this.#storeSize = Math.max(options.size, REQUEST_STORE);
	}

	/** A store for a stream: one that is given back is used again. */
	take(): Uint8Array {
		return this.#stores.pop() ?? new Uint8Array(this.#storeSize);
	}

	give(store: Uint8Array): void {
		this.#stores.push(store);
	}

	/** Writes the answer that accepts a request to `bytes`. @returns its length */
	writeAcceptance(bytes: Uint8Array, request: Request): number {
		const digest = this.#digest;
		const guid = this.#guid;
		this.#sha1.update(request.bytes, request.keyStart, request.keyEnd).update(guid, 0, guid.length).digest(digest, 0); // RFC 6455 §4.2.2
		bytes.set(this.#acceptance, 0);
		const at = encodeBase64(digest, 0, SHA1_SIZE, bytes, this.#acceptance.length);
		return writeText(bytes, at, "\r\n\r\n");
	}
}
