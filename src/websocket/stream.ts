import type { TCP, TCPOptions } from "../device";
import { BINARY, CLOSE, FIN, NORMAL_CLOSURE, PONG, PROTOCOL_ERROR, RESERVE } from "./constants";
import { Exchange, type Requester } from "./exchange";
import { FRAME_START, FrameHeader, validStatus } from "./frame";
import type { Shared } from "./shared";
import { CLOSED, ENDED, ENDING, OPEN, REQUEST } from "./states";

// What of a frame comes next, when no payload of a data frame is left
const START = 0;
const REST = 1;
const CONTROL = 2;

/** Longest header of a frame that is sent, bytes. */
const HEADER = 4;

/**
 * A WebSocket in the shape of the TCP socket that it takes over from a listener: `onWritable` comes first when the handshake is done, and what is read and
 * written is the payload of binary frames. A request that ends otherwise is answered, and all that its user sees is `onError`.
 *
 * Like its user, a stream reads ahead only headers. Payload stays in the platform's TCP until it is read, and goes to a store only where the user waits for
 * more than the frame at hand still has: MQTT packets may span frames. A ping stays there too, until there is room for its pong. So nothing is queued, and a
 * peer that does not read is not read from.
 *
 * read() and write() are for callbacks of the stream; write() also for any other time, and read() where resume() follows.
 */
export class WebSocketStream implements TCP, Requester {
	readonly #shared: Shared;
	readonly #options: TCPOptions;
	readonly #tcp: TCP;
	readonly #frame = new FrameHeader();
	/** Until the request is answered. */
	#exchange: Exchange | undefined;
	#state = REQUEST;
	/** Bytes that the socket has to read, and takes. */
	#raw = 0;
	#room = 0;
	/** Bytes of room that the user was told of, as payload and with their headers. */
	#payloadRoom = 0;
	#promised = 0;
	#stage = START;
	/** Payload of the data frame at hand that still lies in the socket or is to come. */
	#left = 0;
	/** Bytes in the store, before that; there is one as long as it holds any. */
	#held = 0;
	#store: Uint8Array | undefined;
	/** Bytes that the user was told of and has not read. */
	#told = 0;

	/** @throws {Error} without `options.from`, and what the host's socket throws */
	constructor(shared: Shared, options: TCPOptions) {
		const { from } = options;
		if (from === undefined) throw new Error("a WebSocket takes over a socket from a listener");
		this.#shared = shared;
		this.#options = options;
		// Closures that hold nothing but this stream are the smallest
		this.#tcp = new shared.options.tcp({
			from,
			nodelay: options.nodelay ?? true,
			onReadable: (bytes) => this.readable(bytes),
			onWritable: (bytes) => this.writable(bytes),
			onError: () => this.end(),
		});
		this.#exchange = new Exchange(shared, this, this.#tcp);
	}

	get state(): number {
		return this.#exchange?.state ?? this.#state;
	}

	/** As told when the connection was taken over. Undefined once the request is answered. */
	get remoteAddress(): string | undefined {
		return this.#exchange?.remoteAddress;
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
			const store = this.#store!;
			const count = Math.min(length, held);
			while (at < count) {
				buffer[at] = store[at];
				at++;
			}
			if (count < held) store.copyWithin(0, count, held);
			else this.dropStore();
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
		return this.promise();
	}

	/** After a read() that was not in a callback: goes on with what lies behind. */
	resume(): void {
		if (this.#state === OPEN) this.readable(this.#raw);
	}

	/** Also says goodbye, where the peer has not yet, and drops what lies unread, lest the platform's reset overtakes the last words. */
	close(): void {
		const state = this.#state;
		if (state === CLOSED) return;
		const tcp = this.#tcp;
		this.#state = CLOSED;
		if (this.#exchange !== undefined) this.part(this.#exchange, CLOSED);
		try {
			if (state === OPEN) this.sayClose(NORMAL_CLOSURE);
			const { wire } = this.#shared;
			while (this.#raw > 0) {
				const count = Math.min(this.#raw, wire.size);
				wire.read(tcp, count);
				this.#raw -= count;
			}
		} catch {
			// gone already
		}
		this.dropStore();
		tcp.close();
	}

	// Requester

	answered(accepted: boolean): void {
		this.part(this.#exchange!, ENDED);
		if (accepted) {
			this.#state = OPEN;
			this.offer();
		} else this.end();
	}

	/** Takes over what the exchange knows of the socket. */
	private part(exchange: Exchange, state: number): void {
		this.#raw = exchange.raw;
		this.#room = exchange.room;
		exchange.end(state);
		this.#shared.give(exchange.store);
		this.#exchange = undefined;
	}

	private readable(bytes: number): void {
		const exchange = this.#exchange;
		if (exchange !== undefined) {
			exchange.raw = bytes;
			exchange.run();
		} else this.#raw = bytes;
		this.carry();
	}

	private writable(bytes: number): void {
		const exchange = this.#exchange;
		if (exchange !== undefined) {
			exchange.room = bytes;
			exchange.run();
		} else {
			this.#room = bytes;
			this.offer();
		}
		this.carry();
	}

	/** Tells the user how much can be written. */
	private offer(): void {
		if (this.#state !== OPEN) return;
		try {
			this.#options.onWritable?.(this.promise());
		} catch (error) {
			this.broken(error);
		}
	}

	/** Reads on, as far as there are bytes. The user is called from here, where little is on the stack yet. */
	private carry(): void {
		try {
			while (this.advance()) this.#options.onReadable?.(this.#told); // [MQTT-6.0.0-2]
		} catch (error) {
			this.broken(error);
		}
		if (this.#state === ENDING) this.end();
	}

	private broken(error: unknown): void {
		this.#shared.options.onException?.(error);
		this.end();
	}

	/** Reads frame after frame, as long as they are there and can be answered, until the user is to be told of payload: then it returns true. */
	private advance(): boolean {
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
				if (this.#raw <= this.#left || this.#held + this.#left > this.#shared.storeSize) return false;
				this.keep();
			} else if (this.#stage === START) {
				if (this.#raw < FRAME_START) return false;
				const start = wire.read(tcp, FRAME_START);
				this.#raw -= FRAME_START;
				const code = frame.begin(start[0], start[1]);
				if (code !== 0) {
					this.fail(code);
					return false;
				}
				this.#stage = REST;
			} else if (this.#stage === REST) {
				const { rest } = frame;
				if (this.#raw < rest) return false;
				const code = frame.finish(wire.read(tcp, rest), 0, wire.word);
				this.#raw -= rest;
				if (code !== 0) {
					this.fail(code);
					return false;
				}
				if (frame.control) this.#stage = CONTROL;
				else {
					this.#stage = START;
					this.#left = frame.length;
				}
			} else {
				if (!this.control()) return false;
				this.#stage = START;
			}
		}
		return false;
	}

	/** The user waits for more than the frame at hand has: what is left of it goes to the store. */
	private keep(): void {
		const { wire } = this.#shared;
		this.#store ??= this.#shared.take();
		while (this.#left > 0) {
			const count = Math.min(this.#left, wire.size);
			this.#store.set(wire.unmask(this.#tcp, count, this.#frame), this.#held);
			this.#held += count;
			this.#raw -= count;
			this.#left -= count;
		}
	}

	private dropStore(): void {
		if (this.#store !== undefined) this.#shared.give(this.#store);
		this.#store = undefined;
	}

	/** Reads and answers a control frame, whose header is read; false while it is not all there or cannot be answered. */
	private control(): boolean {
		const { wire } = this.#shared;
		const frame = this.#frame;
		const { length, opcode } = frame;
		if (this.#raw < length) return false;
		if (opcode !== PONG && this.#room - this.#promised < 2 + length) {
			if (this.#room < 2 + length) return false;
			// Pongs have used up the reserve: it is set aside anew
			this.#options.onWritable?.(this.promise());
			if (this.#state !== OPEN || this.#room < 2 + length) return false;
		}
		const data = wire.unmask(this.#tcp, length, frame);
		this.#raw -= length;
		if (opcode === PONG) return true; // §5.5.3: one that was not asked for means nothing
		if (opcode === CLOSE) {
			this.closing(data, length);
			return true;
		}
		const room = wire.reply(this.#tcp, PONG); // §5.5.2
		if (room === undefined) this.#state = ENDING;
		else this.#room = room;
		return true;
	}

	/** The peer says goodbye: it is answered with its own status code (§5.5.1), and the server closes first (§7.1.1). */
	private closing(data: Uint8Array, length: number): void {
		const code = length === 0 ? 0 : (data[0] << 8) | data[1];
		if (length > 0 && !validStatus(code)) {
			this.fail(PROTOCOL_ERROR); // §7.4.1
			return;
		}
		this.sayClose(code);
		this.#state = ENDING;
	}

	/** Fails the connection (§7.1.7). */
	private fail(code: number): void {
		this.#shared.options.onFailed?.(code);
		this.sayClose(code);
		this.#state = ENDING;
	}

	/** @param code 0 for none */
	private sayClose(code: number): void {
		if (this.#room < HEADER) return;
		const { wire } = this.#shared;
		const bytes = wire.open();
		bytes[0] = FIN | CLOSE;
		bytes[1] = code === 0 ? 0 : 2;
		bytes[2] = code >> 8;
		bytes[3] = code;
		const room = wire.send(this.#tcp, code === 0 ? 2 : HEADER);
		if (room !== undefined) this.#room = room;
	}

	/** Nothing more comes or goes; the user is told so, once. */
	private end(): void {
		if (this.#state >= ENDED) return;
		this.#state = ENDED;
		if (this.#exchange !== undefined) this.part(this.#exchange, ENDED);
		try {
			this.#options.onError?.();
		} catch (error) {
			this.#shared.options.onException?.(error);
		}
	}

	/** Promises all room but the reserve: how much payload can be written, whose frames have a header for each full piece. */
	private promise(): number {
		const room = this.#room - RESERVE;
		this.#promised = Math.max(room, 0);
		const payload = room > 0 ? room - HEADER * Math.ceil(room / (this.#shared.wire.size + HEADER)) : 0;
		this.#payloadRoom = Math.max(payload, 0);
		return this.#payloadRoom;
	}
}
