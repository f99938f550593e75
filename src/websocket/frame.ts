import {
	BINARY,
	CLOSE,
	CONTINUATION,
	FIN,
	MAXIMUM_CONTROL_PAYLOAD,
	MAXIMUM_RECEIVED_FRAME,
	MESSAGE_TOO_BIG,
	PING,
	PONG,
	TEXT,
	UNSUPPORTED_DATA,
	WEBSOCKET_PROTOCOL_ERROR,
} from "./constants";

/** Bytes with which every frame begins. */
export const FRAME_START_SIZE = 2;

/** Bytes of the longest rest of a header: a length of eight, and the mask. */
export const LONGEST_FRAME_REST = 12;

/** The header of one frame after another from a client, and what RFC 6455 asks of it and of their order. */
export class FrameHeader {
	opcode = 0;
	/** Bytes of payload. */
	length = 0;
	/** Bytes of the header that follow the first two: 4, 6 or 12. */
	restLength = 0;
	/**
	 * The masking key (§5.3), its first byte being for the next byte of payload, as a word in this machine's
	 * byte order.
	 */
	mask = 0;
	/** A message of several frames has begun. */
	#fragmented = false;

	/** Whether payload is for the peer of the stream itself, not for what it carries. */
	get isControl(): boolean {
		return (this.opcode & 8) !== 0;
	}

	/** Takes the first two bytes. @returns 0, or the status code with which the connection fails (§7.1.7) */
	readStart(first: number, second: number): number {
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
		if (second < 0x80) return WEBSOCKET_PROTOCOL_ERROR; // §5.1: a client masks all its frames
		this.opcode = opcode;
		this.length = length;
		this.restLength = length < 126 ? 4 : length === 126 ? 6 : LONGEST_FRAME_REST;
		return 0;
	}

	/**
	 * Takes the rest of the header, from `at` on.
	 * @returns 0, or the status code with which the connection fails
	 */
	readRest(bytes: Uint8Array, at: number, word: MaskWord): number {
		const restLength = this.restLength;
		if (restLength === 6) {
			this.length = (bytes[at] << 8) | bytes[at + 1];
			if (this.length < 126) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the shortest encoding
		} else if (restLength === LONGEST_FRAME_REST) {
			if (bytes[at] > 127) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the most significant bit
			// Above 2^53 not exact, and far above the limit
			let length = 0;
			for (let i = 0; i < 8; i++) length = length * 256 + bytes[at + i];
			if (length < 0x10000) return WEBSOCKET_PROTOCOL_ERROR; // §5.2: the shortest encoding
			if (length > MAXIMUM_RECEIVED_FRAME) return MESSAGE_TOO_BIG; // §7.4.1
			this.length = length;
		}
		this.mask = word.fromBytes(bytes, at + restLength - 4);
		return 0;
	}
}

/** Four bytes that are also a 32-bit word, for all frames. */
export class MaskWord {
	readonly #word = new Int32Array(1);
	readonly #bytes = new Uint8Array(this.#word.buffer);

	/** The word of the bytes from `at` on. */
	fromBytes(bytes: Uint8Array, at: number): number {
		const own = this.#bytes;
		own[0] = bytes[at];
		own[1] = bytes[at + 1];
		own[2] = bytes[at + 2];
		own[3] = bytes[at + 3];
		return this.#word[0];
	}

	/** The word whose first byte is the byte of `word` after `count` others, round and round. */
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
