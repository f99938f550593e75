import type { TCP } from "../device";
import { PIECE, TURN } from "./constants";
import type { Reply } from "./pages";
import { PAGE, WEBSOCKET } from "./policy";
import { Request } from "./request";
import { writePageHead, writeRefusal } from "./response";
import type { Shared } from "./shared";
import { ACCEPTING, ENDED, HEADING, JUDGING, REFUSING, REQUEST, SENDING } from "./states";

/** Whose request it is. */
export interface Requester {
	/** The request is answered, and the exchange over. @param accepted with a WebSocket; else nothing more comes */
	answered(accepted: boolean): void;
}

/** The HTTP request that a connection begins with, and its answer. */
export class Exchange implements Reply {
	place = 0;
	reader = 0;
	readonly remoteAddress: string | undefined;
	readonly store: Uint8Array;
	/** Bytes that the socket has to read, and takes. */
	raw = 0;
	room = 0;
	state = REQUEST;
	readonly #shared: Shared;
	readonly #requester: Requester;
	readonly #tcp: TCP;
	#request: Request | undefined;
	/** Status and message of a refusal; media type of a page. */
	#status = 0;
	#message = "";
	/** It is running, and goes on by itself with what the pages answer; or it waits for its turn. */
	#busy = false;

	constructor(shared: Shared, requester: Requester, tcp: TCP) {
		this.#shared = shared;
		this.#requester = requester;
		this.#tcp = tcp;
		// Here, as the SDK's getter must not be asked once the peer is gone
		this.remoteAddress = tcp.remoteAddress;
		this.store = shared.take();
		this.#request = new Request(this.store);
	}

	get closed(): boolean {
		return this.state >= ENDED;
	}

	page(type = "text/html; charset=utf-8"): void {
		if (this.state !== JUDGING) return;
		this.#message = type;
		this.state = HEADING;
		this.#request = undefined;
		this.run();
	}

	refuse(status: number, message: string): void {
		if (this.state !== JUDGING) return;
		this.turnDown(status, message);
		this.run();
	}

	/** Goes on as far as there are bytes and room. Throws nothing. */
	run(): void {
		if (this.#busy) return;
		this.#busy = true;
		let waits = false;
		try {
			if (this.state === REQUEST) this.head();
			if (this.state >= ACCEPTING && this.state <= SENDING) waits = this.answer();
		} catch (error) {
			this.#shared.options.onException?.(error);
			this.finish(false);
		}
		this.#busy = waits;
	}

	/** Goes on after others have had their turn. */
	turn(): void {
		this.#busy = false;
		this.run();
	}

	/** The connection has ended. @param state ENDED or CLOSED */
	end(state: number): void {
		this.state = state;
		this.#request = undefined;
	}

	private head(): void {
		const request = this.#request!;
		const { wire, policy, options } = this.#shared;
		while (!request.done && request.status === 0) {
			const count = Math.min(request.wanted, this.raw);
			if (count <= 0) return;
			request.push(wire.read(this.#tcp, count), 0, count);
			this.raw -= count;
		}
		const verdict = request.status === 0 ? policy.judge(request) : request.status;
		if (verdict === WEBSOCKET) this.state = ACCEPTING;
		else if (verdict !== PAGE) this.turnDown(verdict, request.fault);
		else if (options.pages === undefined) this.turnDown(426, "this is an MQTT broker's WebSocket");
		else {
			this.state = JUDGING;
			options.pages.get(request, this);
		}
	}

	private turnDown(status: number, message: string): void {
		this.#status = status;
		this.#message = message;
		this.state = REFUSING;
		this.#request = undefined;
		this.#shared.options.onRefused?.(status, message);
	}

	/** Sends the answer to the request, as far as there is room; of a page no more than its turn. @returns whether turn() is going to be called */
	private answer(): boolean {
		for (let pieces = 0; this.room >= PIECE; pieces++) {
			if (pieces === TURN && this.#shared.later(this)) return true;
			const { wire } = this.#shared;
			const { state } = this;
			const length = this.write(wire.open());
			if (this.state !== state) return false;
			const room = length > 0 ? wire.send(this.#tcp, length) : this.room;
			if (room !== undefined) this.room = room;
			if (room === undefined || length === 0 || state === REFUSING || state === ACCEPTING) {
				this.finish(state === ACCEPTING && room !== undefined);
				return false;
			}
			this.state = SENDING;
		}
		return false;
	}

	/** Writes the next piece. @returns its length, 0 after the last one */
	private write(bytes: Uint8Array): number {
		switch (this.state) {
			case SENDING:
				return this.#shared.options.pages!.fill(this, bytes, 0, PIECE);
			case HEADING:
				return writePageHead(bytes, this.#message);
			case REFUSING:
				return writeRefusal(bytes, this.#status, this.#message);
			default:
				return this.#shared.writeAcceptance(bytes, this.#request!);
		}
	}

	private finish(accepted: boolean): void {
		if (this.closed) return;
		this.end(ENDED);
		this.#requester.answered(accepted);
	}
}
