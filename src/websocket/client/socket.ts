import type { Device, TCP, TCPConstructor, TCPOptions, Timer, TimerId } from "../../device";
import type { ClientFault, ConnectionFailure } from "../../fault";
import {
	BINARY,
	CLOSE,
	type FailureStatus,
	MAXIMUM_CONTROL_PAYLOAD,
	NORMAL_CLOSURE,
	PONG,
	WEBSOCKET_PROTOCOL_ERROR,
} from "../constants";
import { validStatus } from "../frame";
import {
	CLOSE_RECEIVED,
	FrameReader,
	NOTHING_RECEIVED,
	PAYLOAD_RECEIVED,
	PING_RECEIVED,
} from "./frame-reader";
import { FrameWriter } from "./frame-writer";
import { Handshake } from "./handshake";

/** Longest payload of a frame that is sent, bytes: the size of the buffer for it. */
const FRAME_SIZE = 512;
/**
 * Room that is not announced to the user, so that a Pong or a Close can be sent: the longest control frame.
 */
const CONTROL_RESERVE = 6 + MAXIMUM_CONTROL_PAYLOAD;

// States
const CONNECTING = 0;
const AWAITING_ANSWER = 1;
const OPEN = 2;
/** Over: `onError` was called, or `close()`. */
const ENDED = 3;
type SocketState = typeof CONNECTING | typeof AWAITING_ANSWER | typeof OPEN | typeof ENDED;

/** What a WebSocket needs besides the options of a TCP socket. */
export interface WebSocketOptions extends TCPOptions {
	/** The socket below: its class, and further options for it. */
	readonly TCP?: Device["tcp"];
	/** For data that is left behind a message which the user did not read at once. */
	readonly timer?: Pick<Timer, "set" | "clear">;
	/** Path and query; "/" by default. */
	readonly path?: string;
	/** Default port of the URL's scheme, which the Host field leaves away; 80 by default. */
	readonly defaultPort?: number;
	/** 32 random bits; `Math.random` by default, which is the hardware's generator on an ESP32. */
	random?(): number;
}

/**
 * Client side of MQTT over WebSocket (RFC 6455, subprotocol `mqtt`), in the shape of the TCP socket below it:
 * `onWritable` is called first when the handshake is complete, and read() and write() transfer the payload of
 * binary frames. Payload stays in the socket below until the user reads it, straight into the user's buffer;
 * headers and control frames are read as they arrive, so that the end of the connection is seen.
 *
 * Memory: 512 bytes for a frame to send, 264 for what is received besides payload; nothing is allocated once
 * the connection is open, except where the user leaves data unread.
 */
export class WebSocket implements TCP {
	readonly #options: WebSocketOptions;
	readonly #tcp: TCP;
	readonly #writer: FrameWriter;
	readonly #reader: FrameReader;
	#handshake: Handshake | undefined;
	#state: SocketState = CONNECTING;
	/** Bytes that can be written to the socket below. */
	#socketRoom = 0;
	/** Payload announced to the user and not read yet, and room announced. */
	#announced = 0;
	#payloadRoom = 0;
	/** The user is being called. */
	#delivering = false;
	#timer: TimerId | undefined;

	/** @throws any error of the socket below */
	constructor(options: WebSocketOptions) {
		const { TCP, host = "", address, port = 0, path = "/", defaultPort = 80, random = random32 } = options;
		if (TCP === undefined) throw new Error("a WebSocket needs a socket below it: option TCP");
		this.#options = options;
		this.#writer = new FrameWriter(FRAME_SIZE, random);
		const name = host.includes(":") ? `[${host}]` : host; // RFC 3986 §3.2.2
		this.#handshake = new Handshake(port === defaultPort ? name : `${name}:${port}`, path, random);
		this.#tcp = new TCP.io({
			...TCP,
			host,
			port,
			...(address === undefined ? {} : { address }),
			nodelay: options.nodelay ?? true,
			onReadable: (bytes) => this.onSocketReadable(bytes),
			onWritable: (bytes) => this.onSocketWritable(bytes),
			onError: (failure) => this.onSocketError(failure),
		});
		this.#reader = new FrameReader(this.#tcp);
	}

	get remoteAddress(): string | undefined {
		return this.#tcp.remoteAddress;
	}

	read(buffer: Uint8Array): number | undefined {
		const { length } = buffer;
		const reader = this.#reader;
		const available = reader.availablePayload;
		if (this.#state !== OPEN || available === 0) return undefined;
		if (length === 0 || length > available) throw new Error("invalid");
		reader.readPayload(buffer);
		this.#announced -= length;
		if (reader.payloadLeft > 0) return length;
		this.#announced = 0;
		if (reader.unread > 0 && !this.#delivering) this.deliverLater();
		return length;
	}

	/** [MQTT-6.0.0-1] */
	write(buffer: Uint8Array): number | undefined {
		if (this.#state !== OPEN) return undefined;
		const { length } = buffer;
		if (length > this.#payloadRoom) throw new Error("would block");
		const writer = this.#writer;
		const { size } = writer;
		let room: number | undefined = this.#socketRoom;
		for (let at = 0; at < length && room !== undefined; at += size)
			room = writer.write(this.#tcp, BINARY, buffer, at, length - at < size ? length - at : size);
		if (room === undefined) return undefined;
		this.#socketRoom = room;
		return this.announceRoom();
	}

	/**
	 * Also sends a Close frame, unless the connection is over, and reads and drops what is unread, since
	 * closing with unread data makes the platform send a reset, which may overtake data already sent.
	 */
	close(): void {
		const state = this.#state;
		this.#state = ENDED;
		this.#options.timer?.clear(this.#timer);
		this.#timer = undefined;
		this.#handshake = undefined;
		try {
			if (state === OPEN) this.sendClose(NORMAL_CLOSURE);
			if (state !== ENDED) this.#reader.drain();
		} catch {
			// The socket is already closed.
		}
		this.#tcp.close();
	}

	private onSocketWritable(bytes: number): void {
		this.#socketRoom = bytes;
		if (this.#state === CONNECTING) this.sendRequest();
		else if (this.#state === OPEN) {
			this.answerPing();
			this.#options.onWritable?.(this.announceRoom());
		}
	}

	private onSocketReadable(bytes: number): void {
		this.#reader.unread = bytes;
		if (this.#state === AWAITING_ANSWER) this.readAnswer();
		this.deliver();
	}

	private onSocketError(failure: ConnectionFailure | undefined): void {
		if (failure === undefined && this.#state === AWAITING_ANSWER)
			this.endWith("transport", "the server closed before it answered the WebSocket request");
		else this.end(failure);
	}

	private sendRequest(): void {
		const { request } = this.#handshake!;
		if (request.length > this.#socketRoom) return;
		this.#state = AWAITING_ANSWER;
		let room: number | undefined;
		try {
			room = this.#tcp.write(request);
		} catch {
			// The peer has gone, and what it sent is not read yet: write() throws or returns undefined.
		}
		if (room === undefined) this.endWith("transport", "the connection ended before the WebSocket request");
		else this.#socketRoom = room;
	}

	private readAnswer(): void {
		const { parser } = this.#handshake!;
		this.#reader.readHead(parser);
		const { problem, status } = parser;
		// Only an overloaded server may answer otherwise the next time
		if (problem !== undefined)
			this.endWith(status >= 500 ? "resource" : "configuration", `no WebSocket: ${problem}`);
		else if (parser.isComplete) {
			this.#handshake = undefined;
			this.#state = OPEN;
			this.#options.onWritable?.(this.announceRoom());
		}
	}

	/** Announces payload as far as there are frames. */
	private deliver(): void {
		if (this.#delivering) return;
		this.#delivering = true;
		try {
			while (this.readFrames()) this.#options.onReadable?.(this.#announced); // [MQTT-6.0.0-2]
		} finally {
			this.#delivering = false;
		}
	}

	private deliverLater(): void {
		const { timer } = this.#options;
		if (timer === undefined || this.#timer !== undefined) return;
		this.#timer = timer.set(() => {
			this.#timer = undefined;
			this.deliver();
		}, 0);
	}

	/** Reads headers and control frames. @returns whether there is new payload to announce */
	private readFrames(): boolean {
		const reader = this.#reader;
		while (this.#state === OPEN) {
			const received = reader.next();
			switch (received) {
				case NOTHING_RECEIVED:
					return false;
				case PAYLOAD_RECEIVED: {
					const available = reader.availablePayload;
					if (available <= this.#announced) return false;
					this.#announced = available;
					return true;
				}
				case PING_RECEIVED:
					this.answerPing();
					break;
				case CLOSE_RECEIVED:
					this.onClose();
					break;
				default:
					this.fail(received);
			}
		}
		return false;
	}

	/** §5.5.2; a Pong without room besides what was announced to the user follows as soon as there is. */
	private answerPing(): void {
		const reader = this.#reader;
		const length = reader.pingLength;
		if (length < 0 || this.#socketRoom < 6 + length + this.#writer.framedSize(this.#payloadRoom)) return;
		reader.pingLength = -1;
		const room = this.#writer.write(this.#tcp, PONG, reader.control, 0, length);
		if (room !== undefined) this.#socketRoom = room;
	}

	/** The server ends the connection (§5.5.1). */
	private onClose(): void {
		const code = this.#reader.closeStatus;
		if (code !== 0 && !validStatus(code)) {
			this.fail(WEBSOCKET_PROTOCOL_ERROR); // §7.4.1
			return;
		}
		this.sendClose(code);
		if (code === 0 || code === NORMAL_CLOSURE) this.end(undefined);
		else this.endWith("transport", `the server closed the WebSocket with status ${code}`);
	}

	/** Fails the connection (§7.1.7). */
	private fail(code: FailureStatus): void {
		this.sendClose(code);
		this.endWith("peer", `the server violated RFC 6455: status ${code}`);
	}

	/** @param code 0 for none */
	private sendClose(code: number): void {
		const { control } = this.#reader;
		const length = code === 0 ? 0 : 2;
		if (this.#socketRoom < 6 + length) return;
		control[0] = code >> 8;
		control[1] = code;
		this.#writer.write(this.#tcp, CLOSE, control, 0, length);
	}

	private endWith(fault: ClientFault, message: string): void {
		this.end({ fault, message });
	}

	private end(failure: ConnectionFailure | undefined): void {
		if (this.#state === ENDED) return;
		this.#state = ENDED;
		this.#handshake = undefined;
		this.#options.onError?.(failure);
	}

	private announceRoom(): number {
		this.#payloadRoom = this.#writer.payloadRoom(this.#socketRoom - CONTROL_RESERVE);
		return this.#payloadRoom;
	}
}

function random32(): number {
	return ((Math.random() * 0x10000) << 16) | (Math.random() * 0x10000);
}

/** The class, for `tcp.io` of a device. */
export default WebSocket satisfies TCPConstructor;
