import { encodeBase64 } from "../crypto/base64";
import { SHA1, SHA1_SIZE } from "../crypto/sha1";
import type { TCPConstructor, Timer, TimerId } from "../device";
import { LONGEST_SENT, PAUSE, PIECE, REQUEST_STORE } from "./constants";
import type { Pages } from "./pages";
import { Policy, type PolicyOptions } from "./policy";
import type { Request } from "./request";
import { ACCEPTANCE, GUID, writeText } from "./response";
import { Wire } from "./wire";

export interface WebSocketOptions extends PolicyOptions {
	/** The socket that is taken over from a listener. */
	tcp: TCPConstructor;
	/** The most bytes for which the user of a stream waits before it reads: for MQTT, the largest packet. A stream that holds a part of that has a buffer of that size, of 512 at least. */
	size: number;
	/** Lets a long page be sent in turns; without it, it is sent as far as there is room. */
	timer?: Timer;
	/** Answers requests that ask for no WebSocket; without it they are told to upgrade. */
	pages?: Pages;
	/** A request was refused, with this HTTP status, for this reason. */
	onRefused?(status: number, reason: string): void;
	/** A stream failed, with this status code of RFC 6455 §7.4, and is being closed. */
	onFailed?(code: number): void;
	/** An exception where none should be: out of a host, of pages, or of a stream's user. Its stream is lost. */
	onException?(error: unknown): void;
}

/** What goes on when its turn comes; it throws nothing. */
export interface Waiting {
	turn(): void;
}

/** What the streams of one server share: the buffer for bytes in passing, the checks, one spare store, and the turns of long pages. */
export class Shared {
	readonly options: WebSocketOptions;
	readonly wire: Wire;
	readonly policy: Policy;
	/** Bytes of a store. */
	readonly storeSize: number;
	/** A store that nobody needs now. */
	#spare: Uint8Array | undefined;
	/** Who has had its turn and goes on when the timer rings. */
	readonly #waiting: Waiting[] = [];
	#timer: TimerId | undefined;

	constructor(options: WebSocketOptions) {
		this.options = options;
		this.policy = new Policy(options);
		this.wire = new Wire(Math.min(Math.max(options.size, PIECE), LONGEST_SENT));
		this.storeSize = Math.max(options.size, REQUEST_STORE);
	}

	/** A store: one that is given back is used again. */
	take(): Uint8Array {
		const spare = this.#spare;
		this.#spare = undefined;
		return spare ?? new Uint8Array(this.storeSize);
	}

	give(store: Uint8Array): void {
		this.#spare = store;
	}

	/** Lets one go on when others had their turn; false where the host lends no timer. */
	later(waiting: Waiting): boolean {
		const { timer } = this.options;
		if (timer === undefined) return false;
		this.#waiting.push(waiting);
		if (this.#timer === undefined) this.#timer = timer.set(() => this.ring(), PAUSE, PAUSE);
		else if (this.#waiting.length === 1) timer.schedule(this.#timer, PAUSE, PAUSE);
		return true;
	}

	private ring(): void {
		const waiting = this.#waiting;
		const first = waiting.shift();
		if (waiting.length === 0) this.options.timer!.schedule(this.#timer!);
		first?.turn();
	}

	/** Writes the answer that accepts a request to `bytes`. What it takes for that is made anew: a connection has one such answer. @returns its length */
	writeAcceptance(bytes: Uint8Array, request: Request): number {
		const digest = new Uint8Array(SHA1_SIZE);
		new SHA1().update(request.bytes, request.keyStart, request.keyEnd).update(GUID, 0, GUID.length).digest(digest, 0); // RFC 6455 §4.2.2
		bytes.set(ACCEPTANCE, 0);
		const at = encodeBase64(digest, 0, SHA1_SIZE, bytes, ACCEPTANCE.length);
		return writeText(bytes, at, "\r\n\r\n");
	}
}
