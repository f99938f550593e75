import { encodeBase64 } from "../crypto/base64";
import { SHA1, SHA1_SIZE } from "../crypto/sha1";
import type { TCPConstructor, Timer, TimerId } from "../device";
import { writeText } from "../http/text";
import {
	type FailureStatus,
	GUID,
	MAXIMUM_SENT_PAYLOAD,
	PAGE_PIECE_SIZE,
	REQUEST_STORE_SIZE,
	TURN_PAUSE_MS,
} from "./constants";
import { FrameBuffer } from "./frame-buffer";
import type { HttpRequest } from "./http-request";
import { ACCEPTANCE, type RefusalStatus } from "./http-response";
import { OriginPolicy, type OriginPolicyOptions } from "./origin-policy";
import type { Pages } from "./pages";

/** What the stream whose turn it is may still read, until others have had theirs. */
export interface TurnBudget {
	/** Packets; a control frame counts as one, another frame as {@link DATA_FRAME_COST}. */
	packetsLeft: number;
	/** Bytes of packets, frame headers and control frames. */
	bytesLeft: number;
	/** Restores both. */
	beginTurn(): void;
}

class UnlimitedTurn implements TurnBudget {
	packetsLeft = Number.POSITIVE_INFINITY;
	bytesLeft = Number.POSITIVE_INFINITY;
	beginTurn(): void {}
}

export interface WebSocketOptions extends OriginPolicyOptions {
	/** Socket class that takes over connections from a listener. */
	tcp: TCPConstructor;
	/**
	 * Maximum number of bytes that the user of a stream waits for before it reads: for MQTT, the largest
	 * packet. A stream that holds part of a packet has a buffer of that size, at least 512.
	 */
	size: number;
	/** Shared with the user of the streams; without it, a stream reads as far as there are frames. */
	turn?: TurnBudget;
	/** Lets a long page be sent in turns; without a timer, a page is sent as far as there is room. */
	timer?: Timer;
	/** Answers requests that are not for a WebSocket; without it they are refused with status 426. */
	pages?: Pages;
	/** A request was refused, with this HTTP status, for this reason. */
	onRefused?(status: RefusalStatus, reason: string): void;
	/** A stream failed, with this status code of RFC 6455 §7.4, and is being closed. */
	onFailed?(status: FailureStatus): void;
	/** Unexpected exception from the host, the pages, or a stream's user. It ends the stream. */
	onException?(error: unknown): void;
}

/** Work that continues in a later turn; it must not throw. */
export interface DeferredWork {
	onTurn(): void;
}

/**
 * State shared by the streams of one server: the transfer buffer, the origin policy, one spare store, and the
 * queue of long pages.
 */
export class WebSocketContext {
	readonly options: WebSocketOptions;
	readonly frameBuffer: FrameBuffer;
	readonly policy: OriginPolicy;
	readonly turn: TurnBudget;
	/** Bytes of a store. */
	readonly storeSize: number;
	/** A store that is not in use. */
	#spareStore: Uint8Array | undefined;
	/** Work that has had its turn and continues when the timer fires. */
	readonly #waiting: DeferredWork[] = [];
	#timer: TimerId | undefined;

	constructor(options: WebSocketOptions) {
		this.options = options;
		this.policy = new OriginPolicy(options);
		this.turn = options.turn ?? new UnlimitedTurn();
		this.frameBuffer = new FrameBuffer(
			Math.min(Math.max(options.size, PAGE_PIECE_SIZE), MAXIMUM_SENT_PAYLOAD),
		);
		this.storeSize = Math.max(options.size, REQUEST_STORE_SIZE);
	}

	/** Returns a store, a released one if there is any. */
	takeStore(): Uint8Array {
		const spare = this.#spareStore;
		this.#spareStore = undefined;
		return spare ?? new Uint8Array(this.storeSize);
	}

	releaseStore(store: Uint8Array): void {
		this.#spareStore = store;
	}

	/** Continues the work after others have had their turn; returns false if there is no timer. */
	deferWork(work: DeferredWork): boolean {
		const { timer } = this.options;
		if (timer === undefined) return false;
		this.#waiting.push(work);
		if (this.#timer === undefined)
			this.#timer = timer.set(() => this.onTimer(), TURN_PAUSE_MS, TURN_PAUSE_MS);
		else if (this.#waiting.length === 1) timer.schedule(this.#timer, TURN_PAUSE_MS, TURN_PAUSE_MS);
		return true;
	}

	private onTimer(): void {
		const waiting = this.#waiting;
		const first = waiting.shift();
		if (waiting.length === 0) this.options.timer!.schedule(this.#timer!);
		first?.onTurn();
	}

	/**
	 * Writes the answer that accepts a request to `bytes`. Allocates, as a connection has only one such answer.
	 * @returns its length
	 */
	writeAcceptance(bytes: Uint8Array, request: HttpRequest): number {
		const digest = new Uint8Array(SHA1_SIZE);
		// RFC 6455 §4.2.2
		new SHA1()
			.update(request.bytes, request.keyStart, request.keyEnd)
			.update(GUID, 0, GUID.length)
			.digest(digest, 0);
		bytes.set(ACCEPTANCE, 0);
		const at = encodeBase64(digest, 0, SHA1_SIZE, bytes, ACCEPTANCE.length);
		return writeText(bytes, at, "\r\n\r\n");
	}
}
