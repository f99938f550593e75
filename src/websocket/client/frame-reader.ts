import type { TCP } from "../../device";
import type { HeadParser } from "../../http/head-parser";
import { CLOSE, type FailureStatus, MAXIMUM_CONTROL_PAYLOAD, PING } from "../constants";
import { FRAME_START_SIZE, FrameHeader } from "../frame";

/** Bytes of the longest header of a server's frame. */
const LONGEST_HEADER = 10;

// Results of next(), beside the status code with which the connection fails
export const NOTHING_RECEIVED = 0;
/** Of a frame whose payload begins or goes on: `availablePayload` bytes can be read. */
export const PAYLOAD_RECEIVED = 1;
/** Its payload is in `control`. */
export const PING_RECEIVED = 2;
export const CLOSE_RECEIVED = 3;
type Received =
	| typeof NOTHING_RECEIVED
	| typeof PAYLOAD_RECEIVED
	| typeof PING_RECEIVED
	| typeof CLOSE_RECEIVED
	| FailureStatus;

/**
 * Reads what a server sends (RFC 6455 §5.2): headers and control frames as they arrive, so that the end of
 * the connection is seen; payload stays in the socket until the user reads it.
 */
export class FrameReader {
	/** Bytes that can be read from the socket. */
	unread = 0;
	/** Payload of the current data frame that is still to be read, in bytes. */
	payloadLeft = 0;
	/** Length of the Ping in `control` that waits for its Pong; −1: none does. */
	pingLength = -1;
	/** Payload of the control frame that is being read, or of the last Ping until it is answered. */
	readonly control = new Uint8Array(MAXIMUM_CONTROL_PAYLOAD);
	readonly #tcp: TCP;
	readonly #frame = new FrameHeader();
	/** What is read besides payload; as long as what is read next. */
	readonly #input: Uint8Array<ArrayBuffer>;
	readonly #header = new Uint8Array(LONGEST_HEADER);
	/** Bytes read of the header, and of a control frame's payload. */
	#headerLength = 0;
	#controlLength = 0;

	constructor(tcp: TCP) {
		const input = new ArrayBuffer(MAXIMUM_CONTROL_PAYLOAD, { maxByteLength: MAXIMUM_CONTROL_PAYLOAD });
		this.#tcp = tcp;
		this.#input = new Uint8Array(input);
	}

	/** Bytes of payload that can be read now. */
	get availablePayload(): number {
		return this.payloadLeft < this.unread ? this.payloadLeft : this.unread;
	}

	/** Status code of the Close frame that was received; 0: it has none. */
	get closeStatus(): number {
		const { control } = this;
		return this.#frame.length === 0 ? 0 : (control[0] << 8) | control[1];
	}

	/** Parses the head that precedes the frames, as far as it has arrived. */
	readHead(parser: HeadParser): void {
		while (parser.wantsMore && this.unread > 0) {
			const count = this.readInput(parser.wantedBytes);
			parser.push(this.#input, 0, count);
			this.restoreInput();
		}
	}

	/** Fills the buffer, which must be no longer than `availablePayload`. */
	readPayload(buffer: Uint8Array): void {
		const { length } = buffer;
		this.#tcp.read(buffer);
		this.unread -= length;
		this.payloadLeft -= length;
	}

	/** Reads and drops what is unread. */
	drain(): void {
		while (this.unread > 0) this.readInput(this.unread);
	}

	/** Reads on up to payload, or to the end of a Ping or Close. Call again, but after NOTHING_RECEIVED. */
	next(): Received {
		const frame = this.#frame;
		let received: Received = NOTHING_RECEIVED;
		while (received === NOTHING_RECEIVED) {
			if (this.payloadLeft > 0) return PAYLOAD_RECEIVED;
			if (this.unread === 0) return NOTHING_RECEIVED;
			const size =
				this.#headerLength < FRAME_START_SIZE ? FRAME_START_SIZE : FRAME_START_SIZE + frame.restLength;
			received = this.#headerLength < size ? this.readHeader(size) : this.readControl();
		}
		return received;
	}

	/** Reads what has arrived of a header, and what it says once it is complete. */
	private readHeader(size: number): Received {
		const header = this.#header;
		const input = this.#input;
		const count = this.readInput(size - this.#headerLength);
		for (let i = 0; i < count; i++) header[this.#headerLength++] = input[i];
		this.restoreInput();
		if (this.#headerLength < size) return NOTHING_RECEIVED;
		const frame = this.#frame;
		const code =
			size === FRAME_START_SIZE
				? frame.readStart(header[0], header[1], 0)
				: frame.readRest(header, FRAME_START_SIZE, undefined);
		if (code !== 0) return code;
		return size === FRAME_START_SIZE + frame.restLength ? this.onHeader() : NOTHING_RECEIVED;
	}

	/** The header of a frame is complete. */
	private onHeader(): Received {
		const frame = this.#frame;
		this.#controlLength = 0;
		if (frame.isControl) return frame.length === 0 ? this.onControl() : NOTHING_RECEIVED;
		this.#headerLength = 0;
		this.payloadLeft = frame.length;
		return NOTHING_RECEIVED;
	}

	private readControl(): Received {
		const input = this.#input;
		const { control } = this;
		const { length } = this.#frame;
		// A Ping that was not answered gives way to the next control frame (RFC 6455 §5.5.3)
		this.pingLength = -1;
		const count = this.readInput(length - this.#controlLength);
		for (let i = 0; i < count; i++) control[this.#controlLength++] = input[i];
		this.restoreInput();
		return this.#controlLength === length ? this.onControl() : NOTHING_RECEIVED;
	}

	/** A control frame is complete (§5.5). */
	private onControl(): Received {
		const { opcode, length } = this.#frame;
		this.#headerLength = 0;
		if (opcode === CLOSE) return CLOSE_RECEIVED;
		if (opcode !== PING) return NOTHING_RECEIVED;
		this.pingLength = length;
		return PING_RECEIVED;
	}

	/** Reads at most `limit` bytes to the start of the input buffer; restoreInput() must follow. */
	private readInput(limit: number): number {
		let count = limit < this.unread ? limit : this.unread;
		if (count > MAXIMUM_CONTROL_PAYLOAD) count = MAXIMUM_CONTROL_PAYLOAD;
		this.#input.buffer.resize(count);
		this.#tcp.read(this.#input);
		this.unread -= count;
		return count;
	}

	/** Gives the buffer its full length again, as garbage collection in XS trims a shortened one. */
	private restoreInput(): void {
		this.#input.buffer.resize(MAXIMUM_CONTROL_PAYLOAD);
	}
}
