import type { TCP, TCPConstructor, TCPOptions } from "../device";
import {
	BINARY,
	CLOSE,
	CONTROL_FRAME_RESERVE,
	DATA_FRAME_COST,
	DRAIN_BYTES,
	type FailureStatus,
	FIN,
	NORMAL_CLOSURE,
	PONG,
	WEBSOCKET_PROTOCOL_ERROR,
} from "./constants";
import type { WebSocketContext } from "./context";
import { FRAME_START_SIZE, FrameHeader, validStatus } from "./frame";
import { HttpExchange, type HttpExchangeHandler } from "./http-exchange";
import {
	CLOSED,
	DRAINING,
	ENDED,
	ENDING,
	type EndState,
	type ExchangeState,
	READING_REQUEST,
	STREAM_OPEN,
	type StreamState,
} from "./states";

// The next part of a frame, if no payload of a data frame is left
const FRAME_HEADER_START = 0;
const FRAME_HEADER_REST = 1;
const CONTROL_FRAME_PAYLOAD = 2;
type FramePart = typeof FRAME_HEADER_START | typeof FRAME_HEADER_REST | typeof CONTROL_FRAME_PAYLOAD;

/** Longest header of a frame that is sent, bytes. */
const LONGEST_SENT_HEADER = 4;

/** What callbacks get as `this` from a socket that has a target. */
interface TargetSocket {
	readonly target: WebSocketStream;
}

// Its callbacks: functions in flash, where three closures take 26 slots of memory

function targetOnReadable(this: TargetSocket, bytes: number): undefined {
	return this.target.onSocketReadable(bytes);
}

function targetOnWritable(this: TargetSocket, bytes: number): undefined {
	return this.target.onSocketWritable(bytes);
}

function targetOnError(this: TargetSocket): void {
	this.target.onSocketError();
}

/**
 * A WebSocket in the shape of the TCP socket that it takes over from a listener: `onWritable` is called first
 * when the handshake is complete, and read() and write() transfer the payload of binary frames. Any other
 * request is answered, and the user receives only `onError`.
 *
 * A stream reads ahead only frame headers. Payload stays in the platform's TCP until the user reads it, and
 * is copied to a store only if the user waits for more than the current frame still has, as MQTT packets may
 * span frames. A Ping stays there too, until there is room for its Pong. So nothing is queued, and nothing is
 * read from a peer that does not read.
 *
 * read() may be called in callbacks of the stream, or at any other time if resume() follows; write() may be
 * called at any time.
 */
export class WebSocketStream implements TCP, HttpExchangeHandler {
	readonly #context: WebSocketContext;
	readonly #options: TCPOptions;
	readonly #tcp: TCP;
	readonly #frame = new FrameHeader();
	/** Present until the request is answered. */
	#exchange: HttpExchange | undefined;
	#state: StreamState = READING_REQUEST;
	/** Bytes that can be read from the socket, and written to it. */
	#socketReadable = 0;
	#socketRoom = 0;
	/** Room announced to the user, in bytes: payload alone, and with frame headers. */
	#payloadRoom = 0;
	#announcedRoom = 0;
	#stage: FramePart = FRAME_HEADER_START;
	/** Payload of the current data frame that is still in the socket or has not arrived, in bytes. */
	#framePayloadLeft = 0;
	/** Bytes in the store, which precede that payload; a store exists only while it holds any. */
	#storedBytes = 0;
	#store: Uint8Array | undefined;
	/** Bytes announced to the user and not read yet. */
	#announcedReadable = 0;

	/**
	 * Set by a user that will read later what it could read now, or whose turn has ended: frames are read no
	 * further until resume() is called.
	 */
	paused = false;

	/** @throws {Error} without `options.from`, and any error of the host's socket */
	constructor(context: WebSocketContext, options: TCPOptions) {
		const { from } = options;
		if (from === undefined) throw new Error("a WebSocket takes over a socket from a listener");
		this.#context = context;
		this.#options = options;
		this.#tcp = this.takeOver(context.options.tcp, from, options.nodelay ?? true);
		this.#exchange = new HttpExchange(context, this, this.#tcp);
	}

	private takeOver(tcp: TCPConstructor, from: TCP, nodelay: boolean): TCP {
		if (tcp.hasTarget)
			return new tcp({
				from,
				nodelay,
				target: this,
				onReadable: targetOnReadable,
				onWritable: targetOnWritable,
				onError: targetOnError,
			});
		// Closures that capture only this stream are the smallest
		return new tcp({
			from,
			nodelay,
			onReadable: (bytes) => this.onSocketReadable(bytes),
			onWritable: (bytes) => this.onSocketWritable(bytes),
			onError: () => this.onSocketError(),
		});
	}

	/** Whether a request is complete, and its answer is not. */
	get answering(): boolean {
		const state = this.#exchange?.state ?? ENDED;
		return state > READING_REQUEST && state < ENDED;
	}

	get state(): ExchangeState | StreamState {
		return this.#exchange?.state ?? this.#state;
	}

	/** The address when the connection was taken over. Undefined once the request is answered. */
	get remoteAddress(): string | undefined {
		return this.#exchange?.remoteAddress;
	}

	/**
	 * Whether the peer has yet to read a last frame or a refusal: the stream discards input until it is closed.
	 */
	get drains(): boolean {
		return this.#state === DRAINING;
	}

	/**
	 * Whether frames are unread because the budget of the turn is used up. Each event of the socket begins a
	 * turn; a user that calls resume() has begun another one.
	 */
	get turnEnded(): boolean {
		const { turn } = this.#context;
		return (turn.packetsLeft <= 0 || turn.bytesLeft <= 0) && this.holdsBack;
	}

	/** Whether part of a frame header or of a control frame is unread in the socket. */
	get holdsBack(): boolean {
		return this.#state === STREAM_OPEN && this.#framePayloadLeft === 0 && this.#socketReadable > 0;
	}

	read(buffer: Uint8Array): number | undefined {
		const { length } = buffer;
		const left = this.#framePayloadLeft;
		const held = this.#storedBytes;
		const available = held + Math.min(left, this.#socketReadable);
		if (this.#state !== STREAM_OPEN || available === 0) return undefined;
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
			this.#storedBytes = held - count;
		}
		const { frameBuffer } = this.#context;
		while (at < length) {
			const count = Math.min(length - at, frameBuffer.size);
			buffer.set(frameBuffer.readUnmasked(this.#tcp, count, this.#frame), at);
			at += count;
			this.#socketReadable -= count;
			this.#framePayloadLeft -= count;
		}
		frameBuffer.restore();
		this.#announcedReadable -= length;
		return length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.#state !== STREAM_OPEN) return undefined;
		const { length } = buffer;
		if (length > this.#payloadRoom) throw new Error("would block");
		const { frameBuffer } = this.#context;
		let room: number | undefined = this.#socketRoom;
		if (length === 0)
			room = this.#tcp.write(buffer); // a probe
		else if (length <= frameBuffer.size)
			room = frameBuffer.writeFrame(this.#tcp, BINARY, buffer); // [MQTT-6.0.0-1]
		else {
			for (let at = 0; at < length && room !== undefined; at += frameBuffer.size) {
				frameBuffer.load(buffer, at, Math.min(length - at, frameBuffer.size));
				room = frameBuffer.writeLoadedFrame(this.#tcp, BINARY);
			}
		}
		if (room === undefined) return undefined;
		this.#socketRoom = room;
		return this.announceRoom();
	}

	/** Continues with the data after a read() outside a callback. */
	resume(): void {
		if (this.#state === STREAM_OPEN) this.deliver();
	}

	/**
	 * Also sends a Close frame unless one was sent before, and reads and discards unread data: closing with
	 * unread data makes the platform send a reset, which may overtake data already sent.
	 */
	close(): void {
		const state = this.#state;
		if (state === CLOSED) return;
		const tcp = this.#tcp;
		this.#state = CLOSED;
		if (this.#exchange !== undefined) this.detachExchange(this.#exchange, CLOSED);
		try {
			if (state === STREAM_OPEN) this.sendClose(NORMAL_CLOSURE);
			this.discardInput();
		} catch {
			// The socket is already closed.
		}
		this.#context.frameBuffer.restore();
		this.dropStore();
		tcp.close();
	}

	/** Reads and drops all bytes that have arrived. */
	private discardInput(): void {
		const { frameBuffer } = this.#context;
		while (this.#socketReadable > 0) {
			const count = Math.min(this.#socketReadable, frameBuffer.size);
			frameBuffer.read(this.#tcp, count);
			this.#socketReadable -= count;
		}
	}

	// HttpExchangeHandler

	onAnswered(accepted: boolean): void {
		// A page ends with the connection, and nothing may follow its request
		const refused = this.#exchange!.refused;
		this.detachExchange(this.#exchange!, ENDED);
		if (accepted) {
			this.#state = STREAM_OPEN;
			this.announceWritable();
		} else this.endStream(refused ? DRAINING : ENDED);
	}

	/** Ends the exchange and takes over its counts of the socket's bytes. */
	private detachExchange(exchange: HttpExchange, state: EndState): void {
		this.#socketReadable = exchange.socketReadable;
		this.#socketRoom = exchange.socketRoom;
		exchange.end(state);
		this.#context.releaseStore(exchange.store);
		this.#exchange = undefined;
	}

	// For the callbacks of the socket

	onSocketReadable(bytes: number): undefined {
		const exchange = this.#exchange;
		this.#context.turn.beginTurn();
		if (exchange !== undefined) {
			exchange.socketReadable = bytes;
			exchange.run();
		} else this.#socketReadable = bytes;
		return this.deliver(); // a tail call, which uses no stack on XS
	}

	/** Discards what has arrived, up to DRAIN_BYTES in total. */
	private drain(): void {
		try {
			this.#framePayloadLeft -= this.#socketReadable;
			this.discardInput();
			if (this.#framePayloadLeft < 0) this.onSocketError();
		} catch (error) {
			this.reportInternalError(error);
		}
	}

	onSocketWritable(bytes: number): undefined {
		const exchange = this.#exchange;
		this.#context.turn.beginTurn();
		if (exchange !== undefined) {
			exchange.socketRoom = bytes;
			exchange.run();
		} else {
			this.#socketRoom = bytes;
			this.announceWritable();
		}
		return this.deliver();
	}

	/** Announces to the user how much can be written. */
	private announceWritable(): void {
		if (this.#state !== STREAM_OPEN) return;
		try {
			this.#options.onWritable?.(this.announceRoom());
		} catch (error) {
			this.reportInternalError(error);
		}
	}

	/** Reads as far as there are bytes. The user is called from here, where the stack is still shallow. */
	private deliver(): undefined {
		try {
			while (this.readFrames()) this.#options.onReadable?.(this.#announcedReadable); // [MQTT-6.0.0-2]
		} catch (error) {
			this.reportInternalError(error);
		}
		return this.endOrDrain();
	}

	private endOrDrain(): undefined {
		if (this.#state === ENDING) this.endStream(DRAINING);
		else if (this.#state === DRAINING) this.drain();
		// The user does not see these bytes, but must know that the end of the connection may be held back
		else if (this.holdsBack) this.announceWritable();
	}

	private reportInternalError(error: unknown): void {
		this.#context.options.onException?.(error);
		this.endStream(ENDED);
	}

	/**
	 * Reads frames as long as they are available and can be answered, and the turn lasts. Returns true if there
	 * is new payload to announce to the user.
	 */
	private readFrames(): boolean {
		const { frameBuffer, turn } = this.#context;
		const frame = this.#frame;
		const tcp = this.#tcp;
		while (this.#state === STREAM_OPEN && !this.paused) {
			if (this.#framePayloadLeft > 0) {
				const available = this.#storedBytes + Math.min(this.#framePayloadLeft, this.#socketReadable);
				if (available > this.#announcedReadable) {
					this.#announcedReadable = available;
					return true;
				}
				if (
					this.#socketReadable <= this.#framePayloadLeft ||
					this.#storedBytes + this.#framePayloadLeft > this.#context.storeSize
				)
					return false;
				this.storePayload();
			} else if (this.#stage === FRAME_HEADER_START) {
				if (this.#socketReadable < FRAME_START_SIZE || this.turnEnded) return false;
				const start = frameBuffer.read(tcp, FRAME_START_SIZE);
				this.#socketReadable -= FRAME_START_SIZE;
				const code = frame.readStart(start[0], start[1]);
				frameBuffer.restore();
				if (code !== 0) {
					this.fail(code);
					return false;
				}
				// The payload of a data frame counts as packets, once these are read
				turn.packetsLeft -= frame.isControl ? 1 : DATA_FRAME_COST;
				turn.bytesLeft -= FRAME_START_SIZE + frame.restLength + (frame.isControl ? frame.length : 0);
				this.#stage = FRAME_HEADER_REST;
			} else if (this.#stage === FRAME_HEADER_REST) {
				const { restLength } = frame;
				if (this.#socketReadable < restLength) return false;
				const code = frame.readRest(frameBuffer.read(tcp, restLength), 0, frameBuffer.maskWord);
				frameBuffer.restore();
				this.#socketReadable -= restLength;
				if (code !== 0) {
					this.fail(code);
					return false;
				}
				if (frame.isControl) this.#stage = CONTROL_FRAME_PAYLOAD;
				else {
					this.#stage = FRAME_HEADER_START;
					this.#framePayloadLeft = frame.length;
				}
			} else {
				if (!this.answerControlFrame()) return false;
				this.#stage = FRAME_HEADER_START;
			}
		}
		return false;
	}

	/** Moves the rest of the current frame to the store, as the user waits for more than the frame has. */
	private storePayload(): void {
		const { frameBuffer } = this.#context;
		this.#store ??= this.#context.takeStore();
		while (this.#framePayloadLeft > 0) {
			const count = Math.min(this.#framePayloadLeft, frameBuffer.size);
			this.#store.set(frameBuffer.readUnmasked(this.#tcp, count, this.#frame), this.#storedBytes);
			this.#storedBytes += count;
			this.#socketReadable -= count;
			this.#framePayloadLeft -= count;
		}
		frameBuffer.restore();
	}

	private dropStore(): void {
		if (this.#store !== undefined) this.#context.releaseStore(this.#store);
		this.#store = undefined;
	}

	/**
	 * Reads and answers a control frame, whose header is read; returns false while it is incomplete or cannot
	 * be answered.
	 */
	private answerControlFrame(): boolean {
		const { frameBuffer } = this.#context;
		const frame = this.#frame;
		const { length, opcode } = frame;
		if (this.#socketReadable < length) return false;
		if (opcode !== PONG && this.#socketRoom - this.#announcedRoom < 2 + length) {
			if (this.#socketRoom < 2 + length) return false;
			// Pongs have used up the reserve: restore it
			this.#options.onWritable?.(this.announceRoom());
			if (this.#state !== STREAM_OPEN || this.paused || this.#socketRoom < 2 + length) return false;
		}
		const data = frameBuffer.readUnmasked(this.#tcp, length, frame);
		this.#socketReadable -= length;
		if (opcode === PONG) {
			frameBuffer.restore();
			return true; // §5.5.3: an unsolicited Pong needs no answer
		}
		if (opcode === CLOSE) {
			this.answerClose(data, length);
			return true;
		}
		const room = frameBuffer.writeLoadedFrame(this.#tcp, PONG); // §5.5.2
		if (room === undefined) this.#state = ENDING;
		else this.#socketRoom = room;
		return true;
	}

	/**
	 * Answers a Close frame with its own status code (§5.5.1); the server closes the connection first (§7.1.1).
	 */
	private answerClose(data: Uint8Array, length: number): void {
		const code = length === 0 ? 0 : (data[0] << 8) | data[1];
		if (length > 0 && !validStatus(code)) {
			this.fail(WEBSOCKET_PROTOCOL_ERROR); // §7.4.1
			return;
		}
		this.sendClose(code);
		this.#state = ENDING;
	}

	/** Fails the connection (§7.1.7). */
	private fail(code: FailureStatus): void {
		this.#context.options.onFailed?.(code);
		this.sendClose(code);
		this.#state = ENDING;
	}

	/** @param code 0 for none */
	private sendClose(code: number): void {
		if (this.#socketRoom < LONGEST_SENT_HEADER) return;
		const { frameBuffer } = this.#context;
		const bytes = frameBuffer.fullBuffer();
		bytes[0] = FIN | CLOSE;
		bytes[1] = code === 0 ? 0 : 2;
		bytes[2] = code >> 8;
		bytes[3] = code;
		const room = frameBuffer.writeRaw(this.#tcp, code === 0 ? 2 : LONGEST_SENT_HEADER);
		if (room !== undefined) this.#socketRoom = room;
	}

	/** The socket is lost. A user that lets the stream drain learns of that too. */
	onSocketError(): void {
		if (this.#state === DRAINING) this.#state = ENDING;
		this.endStream(ENDED);
	}

	/** Ends the stream and reports that to the user, once. */
	private endStream(state: typeof ENDED | typeof DRAINING): void {
		if (this.#state >= DRAINING) return;
		this.#state = state;
		if (this.#exchange !== undefined) this.detachExchange(this.#exchange, ENDED);
		if (state === DRAINING) this.#framePayloadLeft = DRAIN_BYTES;
		try {
			this.#options.onError?.();
		} catch (error) {
			this.#context.options.onException?.(error);
		}
	}

	/**
	 * Announces all room except the reserve. Returns the payload that can be written, with a frame header for
	 * each full piece.
	 */
	private announceRoom(): number {
		const room = this.#socketRoom - CONTROL_FRAME_RESERVE;
		this.#announcedRoom = Math.max(room, 0);
		const payload =
			room > 0
				? room -
					LONGEST_SENT_HEADER * Math.ceil(room / (this.#context.frameBuffer.size + LONGEST_SENT_HEADER))
				: 0;
		this.#payloadRoom = Math.max(payload, 0);
		return this.#payloadRoom;
	}
}
