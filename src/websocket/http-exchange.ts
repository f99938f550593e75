import type { TCP } from "../device";
import { PAGE_PIECE_SIZE, PIECES_PER_TURN } from "./constants";
import type { WebSocketContext } from "./context";
import { type RefusalStatus, writePageHead, writeRefusal } from "./http-response";
import { ACCEPT_WEBSOCKET, SERVE_PAGE } from "./origin-policy";
import type { Reply } from "./pages";
import { RequestParser } from "./request-parser";
import {
	AWAITING_PAGES,
	ENDED,
	type EndState,
	type ExchangeState,
	READING_REQUEST,
	SENDING_ACCEPTANCE,
	SENDING_PAGE,
	SENDING_PAGE_HEAD,
	SENDING_REFUSAL,
} from "./states";

/** Owner of an exchange. */
export interface HttpExchangeHandler {
	/**
	 * The request was answered, and the exchange has ended.
	 * @param accepted whether a WebSocket was opened; if not, the connection ends
	 */
	onAnswered(accepted: boolean): void;
}

/** The first HTTP request of a connection, and its answer. */
export class HttpExchange implements Reply {
	position = 0;
	reader = 0;
	readonly remoteAddress: string | undefined;
	readonly store: Uint8Array;
	/** Bytes that can be read from the socket, and written to it. */
	socketReadable = 0;
	socketRoom = 0;
	state: ExchangeState = READING_REQUEST;
	readonly #context: WebSocketContext;
	readonly #handler: HttpExchangeHandler;
	readonly #tcp: TCP;
	#parser: RequestParser | undefined;
	/** Status and message of a refusal; the message of a page is its media type. */
	#status: RefusalStatus | 0 = 0;
	#message = "";
	/** run() is active and will process an answer of the pages itself, or it waits for its next turn. */
	#running = false;

	constructor(context: WebSocketContext, handler: HttpExchangeHandler, tcp: TCP) {
		this.#context = context;
		this.#handler = handler;
		this.#tcp = tcp;
		// Read here, as the SDK's getter is not safe once the peer is gone
		this.remoteAddress = tcp.remoteAddress;
		this.store = context.takeStore();
		this.#parser = new RequestParser(this.store);
	}

	/** Whether the answer was a refusal, which may leave part of the request unread. */
	get refused(): boolean {
		return this.#status !== 0;
	}

	get closed(): boolean {
		return this.state >= ENDED;
	}

	page(type = "text/html; charset=utf-8"): void {
		if (this.state !== AWAITING_PAGES) return;
		this.#message = type;
		this.state = SENDING_PAGE_HEAD;
		this.#parser = undefined;
		this.run();
	}

	refuse(status: RefusalStatus, message: string): void {
		if (this.state !== AWAITING_PAGES) return;
		this.stageRefusal(status, message);
		this.run();
	}

	/** Continues as far as bytes and room allow. Does not throw. */
	run(): void {
		if (this.#running) return;
		this.#running = true;
		let waits = false;
		try {
			if (this.state === READING_REQUEST) this.readRequest();
			if (this.state >= SENDING_ACCEPTANCE && this.state <= SENDING_PAGE) waits = this.sendAnswer();
		} catch (error) {
			this.#context.options.onException?.(error);
			this.finish(false);
		}
		this.#running = waits;
	}

	/** Continues after others have had their turn. */
	onTurn(): void {
		this.#running = false;
		this.run();
	}

	/** Ends the exchange. */
	end(state: EndState): void {
		this.state = state;
		this.#parser = undefined;
	}

	private readRequest(): void {
		const parser = this.#parser!;
		const { request } = parser;
		const { frameBuffer, policy, options } = this.#context;
		while (parser.wantsMore) {
			const count = Math.min(parser.wantedBytes, this.socketReadable);
			if (count <= 0) return;
			parser.push(frameBuffer.read(this.#tcp, count), 0, count);
			frameBuffer.restore();
			this.socketReadable -= count;
		}
		const outcome = request.status === 0 ? policy.check(request) : request.status;
		if (outcome === ACCEPT_WEBSOCKET) this.state = SENDING_ACCEPTANCE;
		else if (outcome !== SERVE_PAGE) this.stageRefusal(outcome, request.refusalReason);
		else if (options.pages === undefined) this.stageRefusal(426, "this is an MQTT broker's WebSocket");
		else {
			this.state = AWAITING_PAGES;
			options.pages.get(request, this);
		}
	}

	private stageRefusal(status: RefusalStatus, message: string): void {
		this.#status = status;
		this.#message = message;
		this.state = SENDING_REFUSAL;
		this.#parser = undefined;
		this.#context.options.onRefused?.(status, message);
	}

	/**
	 * Sends the answer to the request as far as there is room, a page at most as far as one turn allows.
	 * @returns whether onTurn() will be called
	 */
	private sendAnswer(): boolean {
		for (let pieces = 0; this.socketRoom >= PAGE_PIECE_SIZE; pieces++) {
			if (pieces === PIECES_PER_TURN && this.#context.deferWork(this)) return true;
			const { frameBuffer } = this.#context;
			const { state } = this;
			const length = this.writePiece(frameBuffer.fullBuffer());
			if (this.state !== state) return false;
			const room = length > 0 ? frameBuffer.writeRaw(this.#tcp, length) : this.socketRoom;
			if (room !== undefined) this.socketRoom = room;
			if (room === undefined || length === 0 || state === SENDING_REFUSAL || state === SENDING_ACCEPTANCE) {
				this.finish(state === SENDING_ACCEPTANCE && room !== undefined);
				return false;
			}
			this.state = SENDING_PAGE;
		}
		return false;
	}

	/** Writes the next piece. @returns its length, 0 after the last one */
	private writePiece(bytes: Uint8Array): number {
		switch (this.state) {
			case SENDING_PAGE:
				return this.#context.options.pages!.writePiece(this, bytes, 0, PAGE_PIECE_SIZE);
			case SENDING_PAGE_HEAD:
				return writePageHead(bytes, this.#message, this.#context.options.pages!.sources ?? "");
			case SENDING_REFUSAL:
				return writeRefusal(bytes, this.#status as RefusalStatus, this.#message);
			default:
				return this.#context.writeAcceptance(bytes, this.#parser!.request);
		}
	}

	private finish(accepted: boolean): void {
		if (this.closed) return;
		this.end(ENDED);
		this.#handler.onAnswered(accepted);
	}
}
