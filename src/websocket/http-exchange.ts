import type { TCP } from "../device";
import { PAGE_PIECE_SIZE, PIECES_PER_TURN } from "./constants";
import type { WebSocketContext } from "./context";
import { HttpRequest } from "./http-request";
import { writePageHead, writeRefusal } from "./http-response";
import { ACCEPT_WEBSOCKET, SERVE_PAGE } from "./origin-policy";
import type { Reply } from "./pages";
import {
	AWAITING_PAGES,
	ENDED,
	READING_REQUEST,
	SENDING_ACCEPTANCE,
	SENDING_PAGE,
	SENDING_PAGE_HEAD,
	SENDING_REFUSAL,
} from "./states";

/** Whose request it is. */
export interface HttpExchangeHandler {
	/**
	 * The request is answered, and the exchange over.
	 * @param accepted with a WebSocket; else nothing more comes
	 */
	onAnswered(accepted: boolean): void;
}

/** The HTTP request that a connection begins with, and its answer. */
export class HttpExchange implements Reply {
	position = 0;
	reader = 0;
	readonly remoteAddress: string | undefined;
	readonly store: Uint8Array;
	/** Bytes that the socket has to read, and takes. */
	socketReadable = 0;
	socketRoom = 0;
	state = READING_REQUEST;
	readonly #context: WebSocketContext;
	readonly #handler: HttpExchangeHandler;
	readonly #tcp: TCP;
	#request: HttpRequest | undefined;
	/** Status and message of a refusal; media type of a page. */
	#status = 0;
	#message = "";
	/** It is running, and goes on by itself with what the pages answer; or it waits for its turn. */
	#running = false;

	constructor(context: WebSocketContext, handler: HttpExchangeHandler, tcp: TCP) {
		this.#context = context;
		this.#handler = handler;
		this.#tcp = tcp;
		// Here, as the SDK's getter must not be asked once the peer is gone
		this.remoteAddress = tcp.remoteAddress;
		this.store = context.takeStore();
		this.#request = new HttpRequest(this.store);
	}

	get closed(): boolean {
		return this.state >= ENDED;
	}

	page(type = "text/html; charset=utf-8"): void {
		if (this.state !== AWAITING_PAGES) return;
		this.#message = type;
		this.state = SENDING_PAGE_HEAD;
		this.#request = undefined;
		this.run();
	}

	refuse(status: number, message: string): void {
		if (this.state !== AWAITING_PAGES) return;
		this.stageRefusal(status, message);
		this.run();
	}

	/** Goes on as far as there are bytes and room. Throws nothing. */
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

	/** Goes on after others have had their turn. */
	onTurn(): void {
		this.#running = false;
		this.run();
	}

	/** The connection has ended. @param state ENDED or CLOSED */
	end(state: number): void {
		this.state = state;
		this.#request = undefined;
	}

	private readRequest(): void {
		const request = this.#request!;
		const { frameBuffer, policy, options } = this.#context;
		while (!request.done && request.status === 0) {
			const count = Math.min(request.wantedBytes, this.socketReadable);
			if (count <= 0) return;
			request.push(frameBuffer.read(this.#tcp, count), 0, count);
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

	private stageRefusal(status: number, message: string): void {
		this.#status = status;
		this.#message = message;
		this.state = SENDING_REFUSAL;
		this.#request = undefined;
		this.#context.options.onRefused?.(status, message);
	}

	/**
	 * Sends the answer to the request, as far as there is room; of a page no more than its turn.
	 * @returns whether turn() is going to be called
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
				return writePageHead(bytes, this.#message);
			case SENDING_REFUSAL:
				return writeRefusal(bytes, this.#status, this.#message);
			default:
				return this.#context.writeAcceptance(bytes, this.#request!);
		}
	}

	private finish(accepted: boolean): void {
		if (this.closed) return;
		this.end(ENDED);
		this.#handler.onAnswered(accepted);
	}
}
