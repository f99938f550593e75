import type { Device, TCP, TCPConstructor, TCPOptions, Timer, TimerId } from "../../device";
import type { ClientFault, ConnectionFailure } from "../../fault";
import {
	BINARY,
	CLOSE,
	type FailureStatus,
	MAXIMUM_CONTROL_PAYLOAD,
	NORMAL_CLOSURE,
	PING,
	PONG,
	WEBSOCKET_PROTOCOL_ERROR,
} from "../constants";
import { FRAME_START_SIZE, FrameHeader, validStatus } from "../frame";
import { FrameWriter } from "./frame-writer";
import { Handshake } from "./handshake";

/** Longest payload of a frame that is sent, bytes: the size of the buffer for it. */
const FRAME_SIZE = 512;
/** Bytes of the longest header of a server's frame. */
const LONGEST_HEADER = 10;
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
	readonly #frame = new FrameHeader();
	/** What is read besides payload; as long as what is read next. */
	readonly #input: Uint8Array<ArrayBuffer>;
	readonly #header = new Uint8Array(LONGEST_HEADER);
	/** Payload of the control frame that is being read, or of the last Ping until it is answered. */
	readonly #control = new Uint8Array(MAXIMUM_CONTROL_PAYLOAD);
	#handshake: Handshake | undefined;
	#state: SocketState = CONNECTING;
	/** Bytes that can be read from the socket below, and written to it. */
	#socketReadable = 0;
	#socketRoom = 0;
	/** Payload announced to the user and not read yet, and room announced. */
	#announced = 0;
	#payloadRoom = 0;
	/** Bytes read of the header, and of a control frame's payload. */
	#headerLength = 0;
	#controlLength = 0;
	/** Payload of the current data frame that is still to be read, in bytes. */
	#payloadLeft = 0;
	/** Length of the Ping that waits for its Pong; −1: none does. */
	#pingLength = -1;
	/** The user is being called. */
	#delivering = false;
	#timer: TimerId | undefined;

	/** @throws any error of the socket below */
	constructor(options: WebSocketOptions) {
		const { TCP, host = "", address, port = 0, path = "/", defaultPort = 80, random = random32 } = options;
		if (TCP === undefined) throw new Error("a WebSocket needs a socket below it: option TCP");
		this.#options = options;
		this.#writer = new FrameWriter(FRAME_SIZE, random);
		const input = new ArrayBuffer(MAXIMUM_CONTROL_PAYLOAD, { maxByteLength: MAXIMUM_CONTROL_PAYLOAD });
		this.#input = new Uint8Array(input);
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
	}

	get remoteAddress(): string | undefined {
		return this.#tcp.remoteAddress;
	}

	read(buffer: Uint8Array): number | undefined {
		const { length } = buffer;
		const available = this.availablePayload;
		if (this.#state !== OPEN || available === 0) return undefined;
		if (length === 0 || length > available) throw new Error("invalid");
		this.#tcp.read(buffer);
		this.#socketReadable -= length;
		this.#payloadLeft -= length;
		this.#announced -= length;
		if (this.#payloadLeft === 0 && this.#socketReadable > 0 && !this.#delivering) this.deliverLater();
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
			if (state !== ENDED) while (this.#socketReadable > 0) this.readInput(this.#socketReadable);
		} catch {
			// The socket is already closed.
		}
		this.#tcp.close();
	}

	private get availablePayload(): number {
		return this.#payloadLeft < this.#socketReadable ? this.#payloadLeft : this.#socketReadable;
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
		this.#socketReadable = bytes;
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
		while (!parser.isComplete && parser.problem === undefined && this.#socketReadable > 0) {
			const count = this.readInput(parser.wantedBytes);
			parser.push(this.#input, 0, count);
			this.restoreInput();
		}
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
		while (this.#state === OPEN) {
			if (this.#payloadLeft > 0) {
				const available = this.availablePayload;
				if (available <= this.#announced) return false;
				this.#announced = available;
				return true;
			}
			if (this.#socketReadable === 0) return false;
			const frame = this.#frame;
			const headerSize =
				this.#headerLength < FRAME_START_SIZE ? FRAME_START_SIZE : FRAME_START_SIZE + frame.restLength;
			if (this.#headerLength < headerSize) this.readHeader(headerSize);
			else if (frame.isControl) this.readControl();
		}
		return false;
	}

	/** Reads what has arrived of a header, and what it says once it is complete. */
	private readHeader(size: number): void {
		const header = this.#header;
		const input = this.#input;
		const count = this.readInput(size - this.#headerLength);
		for (let i = 0; i < count; i++) header[this.#headerLength++] = input[i];
		this.restoreInput();
		if (this.#headerLength < size) return;
		const frame = this.#frame;
		const code =
			size === FRAME_START_SIZE
				? frame.readStart(header[0], header[1], 0)
				: frame.readRest(header, FRAME_START_SIZE, undefined);
		if (code !== 0) this.fail(code);
		else if (size === FRAME_START_SIZE + frame.restLength) this.onHeader();
	}

	/** The header of a frame is complete. */
	private onHeader(): void {
		const frame = this.#frame;
		this.#controlLength = 0;
		if (!frame.isControl) {
			this.#headerLength = 0;
			this.#payloadLeft = frame.length;
			this.#announced = 0;
		} else if (frame.length === 0) this.onControl();
	}

	private readControl(): void {
		const input = this.#input;
		const control = this.#control;
		const { length } = this.#frame;
		// A Ping that was not answered gives way to the next control frame (RFC 6455 §5.5.3)
		this.#pingLength = -1;
		const count = this.readInput(length - this.#controlLength);
		for (let i = 0; i < count; i++) control[this.#controlLength++] = input[i];
		this.restoreInput();
		if (this.#controlLength === length) this.onControl();
	}

	/** A control frame is complete (§5.5). */
	private onControl(): void {
		const { opcode, length } = this.#frame;
		this.#headerLength = 0;
		if (opcode === PING) {
			this.#pingLength = length;
			this.answerPing();
		} else if (opcode === CLOSE) this.onClose(length);
	}

	/** §5.5.2; a Pong without room besides what was announced to the user follows as soon as there is. */
	private answerPing(): void {
		const length = this.#pingLength;
		if (length < 0 || this.#socketRoom < 6 + length + this.#writer.framedSize(this.#payloadRoom)) return;
		this.#pingLength = -1;
		const room = this.#writer.write(this.#tcp, PONG, this.#control, 0, length);
		if (room !== undefined) this.#socketRoom = room;
	}

	/** The server ends the connection (§5.5.1). */
	private onClose(length: number): void {
		const control = this.#control;
		const code = length === 0 ? 0 : (control[0] << 8) | control[1];
		if (length > 0 && !validStatus(code)) {
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
		const control = this.#control;
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

	/** Reads at most `limit` bytes to the start of the input buffer; restoreInput() must follow. */
	private readInput(limit: number): number {
		let count = limit < this.#socketReadable ? limit : this.#socketReadable;
		if (count > MAXIMUM_CONTROL_PAYLOAD) count = MAXIMUM_CONTROL_PAYLOAD;
		this.#input.buffer.resize(count);
		this.#tcp.read(this.#input);
		this.#socketReadable -= count;
		return count;
	}

	/** Gives the buffer its full length again, as garbage collection in XS trims a shortened one. */
	private restoreInput(): void {
		this.#input.buffer.resize(MAXIMUM_CONTROL_PAYLOAD);
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
