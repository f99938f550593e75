import type { TCP, TCPOptions } from "../device";
import { BINARY, CLOSE, NORMAL_CLOSURE, PIECE, PONG, PROTOCOL_ERROR, RESERVE } from "./constants";
import { FRAME_START, FrameHeader, validStatus } from "./frame";
import type { Reply } from "./pages";
import { PAGE, WEBSOCKET } from "./policy";
import { Request } from "./request";
import { writePageHead, writeRefusal } from "./response";
import type { Shared } from "./shared";

// States of a stream
/** Reading the request. */
export const REQUEST = 0;
/** The pages have the request and have not answered yet. */
export const JUDGING = 1;
/** An answer waits for room: that to a WebSocket, a refusal, the head of a page. */
export const ACCEPTING = 2;
export const REFUSING = 3;
export const HEADING = 4;
/** Sending a page. */
export const SENDING = 5;
/** Carrying frames. */
export const OPEN = 6;
/** Over, and told so: onError was called. */
export const ENDED = 7;
export const CLOSED = 8;

// What of a frame comes next, when no payload of a data frame is left
const START = 0;
const REST = 1;
const CONTROL = 2;

/** Longest header of a frame that is sent, bytes. */
const HEADER = 4;

/**
 * A WebSocket in the shape of the TCP socket that it takes over from a listener: `onWritable` comes first when the handshake is done, and what is read and
 * written is the payload of binary frames. A request that ends otherwise is answered here, and all that its user sees is `onError`.
 *
 * Like its user, a stream reads ahead only headers. Payload stays in the platform's TCP until it is read, and goes to the store only where the user waits for
 * more than the frame at hand still has: MQTT packets may span frames. A ping stays there too, until there is room for its pong. So nothing is queued, and a
 * peer that does not read is not read from.
 *
 * read() and write() are for callbacks of the stream; write() also for any other time, and read() where resume() follows.
 */
export class WebSocketStream implements TCP, Reply {
	place = 0;
	reader = 0;
	readonly #shared: Shared;
	readonly #options: TCPOptions;
	readonly #tcp: TCP;
	readonly remoteAddress: string | undefined;
	readonly store: Uint8Array;
	readonly #frame = new FrameHeader();
	#request: Request | undefined;
	#state = REQUEST;
	/** Status and message of a refusal; media type of a page. */
	#status = 0;
	#message = "";
	/** Bytes that the socket has to read, and takes. */
	#raw = 0;
	#room = 0;
	/** Bytes of room that the user was told of, as payload and with their headers. */
	#payloadRoom = 0;
	#promised = 0;
	#stage = START;
	/** Payload of the data frame at hand that still lies in the socket or is to come. */
	#left = 0;
	/** Bytes in the store, before that. */
	#held = 0;
	/** Bytes that the user was told of and has not read. */
	#told = 0;

	/** @throws {Error} without `options.from`, and what the host's socket throws */
	constructor(shared: Shared, options: TCPOptions) {
		const { from } = options;
		if (from === undefined) throw new Error("a WebSocket takes over a socket from a listener");
		this.#shared = shared;
		this.#options = options;
		this.store = shared.take();
		this.#request = new Request(this.store);
		this.#tcp = new shared.options.tcp({
			from,
			nodelay: options.nodelay ?? true,
			onReadable: (bytes) => {
				this.#raw = bytes;
				this.#run(false);
			},
			onWritable: (bytes) => {
				this.#room = bytes;
				this.#run(true);
			},
			onError: () => this.#end(),
		});
		// Here, as the SDK's getter must not be asked once the peer is gone
		this.remoteAddress = this.#tcp.remoteAddress;
	}

	get state(): number {
		return this.#state;
	}

	get closed(): boolean {
		return this.#state >= ENDED;
	}

	read(buffer: Uint8Array): number | undefined {
		const { length } = buffer;
		const left = this.#left;
		const held = this.#held;
		const available = held + Math.min(left, this.#raw);
		if (this.#state !== OPEN || available === 0) return undefined;
		if (length > available) throw new Error("invalid");
		let at = 0;
		if (held > 0) {
			const { store } = this;
			const count = Math.min(length, held);
			while (at < count) {
				buffer[at] = store[at];
				at++;
			}
			if (count < held) store.copyWithin(0, count, held);
			this.#held = held - count;
		}
		const { wire } = this.#shared;
		while (at < length) {
			const count = Math.min(length - at, wire.size);
			buffer.set(wire.unmask(this.#tcp, count, this.#frame), at);
			at += count;
			this.#raw -= count;
			this.#left -= count;
		}
		this.#told -= length;
		return length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.#state !== OPEN) return undefined;
		const { length } = buffer;
		if (length > this.#payloadRoom) throw new Error("would block");
		const { wire } = this.#shared;
		let room: number | undefined = this.#room;
		if (length > 0 && length <= wire.size)
			room = wire.frame(this.#tcp, BINARY, buffer); // [MQTT-6.0.0-1]
		else {
			for (let at = 0; at < length && room !== undefined; at += wire.size) {
				wire.load(buffer, at, Math.min(length - at, wire.size));
				room = wire.reply(this.#tcp, BINARY);
			}
		}
		if (room === undefined) return undefined;
		this.#room = room;
		return this.#promise();
	}

	/** After a read() that was not in a callback: goes on with what lies behind. */
	resume(): void {
		if (this.#state === OPEN) this.#run(false);
	}

	/** Also says goodbye, where the peer has not yet, and drops what lies unread, lest the platform's reset overtakes the last words. */
	close(): void {
		const state = this.#state;
		if (state === CLOSED) return;
		const tcp = this.#tcp;
		this.#state = CLOSED;
		this.#request = undefined;
		try {
			if (state === OPEN) this.#sayClose(NORMAL_CLOSURE);
			const { wire } = this.#shared;
			while (this.#raw > 0) {
				const count = Math.min(this.#raw, wire.size);
				wire.read(tcp, count);
				this.#raw -= count;
			}
		} catch {
			// gone already
		}
		this.#shared.give(this.store);
		tcp.close();
	}

	// Reply

	page(type = "text/html; charset=utf-8"): void {
		if (this.#state !== JUDGING) return;
		this.#message = type;
		this.#state = HEADING;
		this.#request = undefined;
		if (this.#room >= PIECE) this.#run(false);
	}

	refuse(status: number, message: string): void {
		if (this.#state !== JUDGING) return;
		this.#refuse(status, message);
		if (this.#room >= PIECE) this.#run(false);
	}

	/** Goes on as far as there are bytes and room. */
	#run(writable: boolean): void {
		try {
			if (this.#state === REQUEST) this.#head();
			if (this.#state >= ACCEPTING && this.#state <= SENDING) this.#answer();
			else if (writable && this.#state === OPEN) this.#options.onWritable?.(this.#promise());
			// The user is called from here, where little is on the stack yet
			while (this.#state === OPEN && this.#advance()) this.#options.onReadable?.(this.#told); // [MQTT-6.0.0-2]
		} catch (error) {
			this.#shared.options.onException?.(error);
			this.#end();
		}
	}

	#head(): void {
		const request = this.#request!;
		const { wire, policy, options } = this.#shared;
		while (!request.done && request.status === 0) {
			const count = Math.min(request.wanted, this.#raw);
			if (count <= 0) return;
			request.push(wire.read(this.#tcp, count), 0, count);
			this.#raw -= count;
		}
		const verdict = request.status === 0 ? policy.judge(request) : request.status;
		if (verdict === WEBSOCKET) this.#state = ACCEPTING;
		else if (verdict !== PAGE) this.#refuse(verdict, request.fault);
		else if (options.pages === undefined) this.#refuse(426, "this is an MQTT broker's WebSocket");
		else {
			this.#state = JUDGING;
			options.pages.get(request, this);
		}
	}

	#refuse(status: number, message: string): void {
		this.#status = status;
		this.#message = message;
		this.#state = REFUSING;
		this.#request = undefined;
		this.#shared.options.onRefused?.(status, message);
	}

	/** Sends the answer to the request, as far as there is room. */
	#answer(): void {
		const { wire, options } = this.#shared;
		const request = this.#request;
		while (this.#room >= PIECE) {
			const state = this.#state;
			const bytes = wire.open();
			let length = 0;
			if (state === SENDING) length = options.pages!.fill(this, bytes, 0, PIECE);
			else if (state === HEADING) length = writePageHead(bytes, this.#message);
			else if (state === REFUSING) length = writeRefusal(bytes, this.#status, this.#message);
			else length = this.#shared.writeAcceptance(bytes, request!);
			if (this.#state !== state) return;
			const room = length > 0 ? wire.send(this.#tcp, length) : this.#room;
			if (room !== undefined) this.#room = room;
			if (state === ACCEPTING && room !== undefined) {
				this.#state = OPEN;
				this.#request = undefined;
				this.#options.onWritable?.(this.#promise());
				return;
			}
			if (room === undefined || length === 0 || state === REFUSING) {
				this.#end();
				return;
			}
			this.#state = SENDING;
		}
	}

	/** Reads frame after frame, as long as they are there and can be answered, until the user is to be told of payload: then it returns true. */
	#advance(): boolean {
		const { wire } = this.#shared;
		const frame = this.#frame;
		const tcp = this.#tcp;
		while (this.#state === OPEN) {
			if (this.#left > 0) {
				const offer = this.#held + Math.min(this.#left, this.#raw);
				if (offer > this.#told) {
					this.#told = offer;
					return true;
				}
				if (this.#raw <= this.#left || this.#held + this.#left > this.store.length) return false;
				this.#keep();
			} else if (this.#stage === START) {
				if (this.#raw < FRAME_START) return false;
				const start = wire.read(tcp, FRAME_START);
				this.#raw -= FRAME_START;
				const code = frame.begin(start[0], start[1]);
				if (code !== 0) {
					this.#fail(code);
					return false;
				}
				this.#stage = REST;
			} else if (this.#stage === REST) {
				const { rest } = frame;
				if (this.#raw < rest) return false;
				const code = frame.finish(wire.read(tcp, rest), 0, wire.word);
				this.#raw -= rest;
				if (code !== 0) {
					this.#fail(code);
					return false;
				}
				if (frame.control) this.#stage = CONTROL;
				else {
					this.#stage = START;
					this.#left = frame.length;
				}
			} else {
				if (!this.#control()) return false;
				this.#stage = START;
			}
		}
		return false;
	}

	/** The user waits for more than the frame at hand has: what is left of it goes to the store. */
	#keep(): void {
		const { wire } = this.#shared;
		const { store } = this;
		while (this.#left > 0) {
			const count = Math.min(this.#left, wire.size);
			store.set(wire.unmask(this.#tcp, count, this.#frame), this.#held);
			this.#held += count;
			this.#raw -= count;
			this.#left -= count;
		}
	}

	/** Reads and answers a control frame, whose header is read; false while it is not all there or cannot be answered. */
	#control(): boolean {
		const { wire } = this.#shared;
		const frame = this.#frame;
		const { length, opcode } = frame;
		if (this.#raw < length) return false;
		if (opcode !== PONG && this.#room - this.#promised < 2 + length) {
			if (this.#room < 2 + length) return false;
			// Pongs have used up the reserve: it is set aside anew
			this.#options.onWritable?.(this.#promise());
			if (this.#state !== OPEN || this.#room < 2 + length) return false;
		}
		const data = wire.unmask(this.#tcp, length, frame);
		this.#raw -= length;
		if (opcode === PONG) return true; // §5.5.3: one that was not asked for means nothing
		if (opcode === CLOSE) {
			this.#closing(data, length);
			return true;
		}
		const room = wire.reply(this.#tcp, PONG); // §5.5.2
		if (room === undefined) this.#end();
		else this.#room = room;
		return true;
	}

	/** The peer says goodbye: it is answered with its own status code (§5.5.1), and the server closes first (§7.1.1). */
	#closing(data: Uint8Array, length: number): void {
		const code = length === 0 ? 0 : (data[0] << 8) | data[1];
		if (length > 0 && !validStatus(code)) {
			this.#fail(PROTOCOL_ERROR); // §7.4.1
			return;
		}
		this.#sayClose(code);
		this.#end();
	}

	/** Fails the connection (§7.1.7). */
	#fail(code: number): void {
		this.#shared.options.onFailed?.(code);
		this.#sayClose(code);
		this.#end();
	}

	/** @param code 0 for none */
	#sayClose(code: number): void {
		if (this.#room < HEADER) return;
		const { wire } = this.#shared;
		const bytes = wire.open();
		bytes[0] = 0x80 | CLOSE;
		bytes[1] = code === 0 ? 0 : 2;
		bytes[2] = code >> 8;
		bytes[3] = code;
		const room = wire.send(this.#tcp, code === 0 ? 2 : HEADER);
		if (room !== undefined) this.#room = room;
	}

	/** Nothing more comes or goes; the user is told so, once. */
	#end(): void {
		if (this.#state >= ENDED) return;
		this.#state = ENDED;
		this.#request = undefined;
		try {
			this.#options.onError?.();
		} catch (error) {
			this.#shared.options.onException?.(error);
		}
	}

	/** Promises all room but the reserve: how much payload can be written, whose frames have a header for each full piece. */
	#promise(): number {
		const room = this.#room - RESERVE;
		this.#promised = Math.max(room, 0);
		const payload = room > 0 ? room - HEADER * Math.ceil(room / (this.#shared.wire.size + HEADER)) : 0;
		this.#payloadRoom = Math.max(payload, 0);
		return this.#payloadRoom;
	}
}
