import {
	BINARY,
	CLOSE,
	CONTINUATION,
	type FailureStatus,
	FIN,
	MAXIMUM_CONTROL_PAYLOAD,
	MAXIMUM_RECEIVED_FRAME,
	MESSAGE_TOO_BIG,
	type Opcode,
	PING,
	PONG,
	TEXT,
	UNSUPPORTED_DATA,
	WEBSOCKET_PROTOCOL_ERROR,
} from "./constants";

/** Bytes of the part of a header that every frame has. */
export const FRAME_START_SIZE = 2;

/** Bytes of the longest rest of a header: eight of length and four of masking key. */
export const LONGEST_FRAME_REST = 12;

/** The first bit of the second byte of a frame: its payload is masked (§5.2). */
export const MASKED = 0x80;

/** Reads the headers of consecutive frames of a peer, and checks them and their order (RFC 6455). */
export class FrameHeader {
	opcode: Opcode = CONTINUATION;
	/** Bytes of payload. */
	length = 0;
	/** Bytes of the header that follow the first two: 4, 6 or 12 of a client, 0, 2 or 8 of a server. */
	restLength = 0;
	/**
	 * The masking key (§5.3) as a word in native byte order; its first byte is for the next byte of payload.
	 */
	mask = 0;
	/** A fragmented message has begun and is not complete. */
	#fragmented = false;

	/** Whether the frame is a control frame (§5.5). */
	get isControl(): boolean {
		return (this.opcode & 8) !== 0;
	}

	/**
	 * Reads the first two bytes.
	 * @param masked what the peer is: a client masks all its frames, a server none (§5.1)
	 * @returns 0, or the status code with which the connection fails (§7.1.7)
	 */
	readStart(first: number, second: number, masked: typeof MASKED | 0 = MASKED): FailureStatus | 0 {
		const opcode = first & 15;
		const length = second & 0x7f;
		// §5.2: no extension was negotiated that would give RSV1 to RSV3 a meaning
		if ((first & 0x70) !== 0) return WEBSOCKET_PROTOCOL_ERROR;
		switch (opcode) {
			case CONTINUATION:
				if (!this.#fragmented) return WEBSOCKET_PROTOCOL_ERROR; // §5.4
				this.#fragmented = first < FIN;
				break;
			case BINARY:
				if (this.#fragmented) return WEBSOCKET_PROTOCOL_ERROR; // §5.4: messages must not be interleaved
				this.#fragmented = first < FIN;
				break;
			case TEXT:
				return UNSUPPORTED_DATA; // [MQTT-6.0.0-1]
			case CLOSE:
			case PING:
			case PONG:
				if (first < FIN || length > MAXIMUM_CONTROL_PAYLOAD) return WEBSOCKET_PROTOCOL_ERROR; // §5.5
				// §5.5.1: a status code has two bytes
				if (opcode === CLOSE && length === 1) return WEBSOCKET_PROTOCOL_ERROR;
				break;
			default:
				return WEBSOCKET_PROTOCOL_ERROR; // §5.2: reserved
		}
		if ((second & MASKED) !== masked) return WEBSOCKET_PROTOCOL_ERROR; // §5.1
		this.opcode = opcode;
		this.length = length;
		this.restLength = (length < 126 ? 0 : length === 126 ? 2 : 8) + (masked >> 5);
		return 0;
	}

	/**
	 * Reads the rest of the header, from `at` on.
	 * @param word needed for frames of a client
	 * @returns 0, or the status code with which the connection fails
	 */
	readRest(bytes: Uint8Array, at: number, word: MaskWord | undefined): FailureStatus | 0 {
		const { length, restLength } = this;
		if (length === 126) {
			this.length = (bytes[at] << 8) | bytes[at + 1];
			if (this.length < 126) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the shortest encoding
		} else if (length === 127) {
			if (bytes[at] > 127) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the most significant bit
			// Not exact above 2^53, which is far above the limit
			let exact = 0;
			for (let i = 0; i < 8; i++) exact = exact * 256 + bytes[at + i];
			if (exact < 0x10000) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the shortest encoding
			if (exact > MAXIMUM_RECEIVED_FRAME) return MESSAGE_TOO_BIG; // §7.4.1
			this.length = exact;
		}
		// The bytes of a key are there, if any: 4, 6 and 12 have this bit, 0, 2 and 8 do not
		if ((restLength & 4) !== 0) this.mask = word!.fromBytes(bytes, at + restLength - 4);
		return 0;
	}
}

/** Four bytes that share memory with a 32-bit word, used for all frames. */
export class MaskWord {
	readonly #word = new Int32Array(1);
	readonly #bytes = new Uint8Array(this.#word.buffer);

	/** Returns the word of the four bytes from `at` on. */
	fromBytes(bytes: Uint8Array, at: number): number {
		const own = this.#bytes;
		own[0] = bytes[at];
		own[1] = bytes[at + 1];
		own[2] = bytes[at + 2];
		own[3] = bytes[at + 3];
		return this.#word[0];
	}

	/** Rotates the bytes of `word` so that byte `count` modulo 4 becomes the first. */
	rotate(word: number, count: number): number {
		const own = this.#bytes;
		this.#word[0] = word;
		for (let i = count & 3; i > 0; i--) {
			const first = own[0];
			own[0] = own[1];
			own[1] = own[2];
			own[2] = own[3];
			own[3] = first;
		}
		return this.#word[0];
	}
}

/**
 * Whether a peer may send this status code in a Close frame (§7.4): those of the protocol, of its registry
 * (1012 to 1014), of libraries and applications.
 */
export function validStatus(code: number): boolean {
	// §7.4.1, §7.4.2
	return (
		(code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
		(code >= 3000 && code <= 4999)
	);
}
