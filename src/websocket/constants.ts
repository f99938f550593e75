import { utf8 } from "../mqtt/utf8";

// Opcodes (RFC 6455 §11.8)
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** Kind of a frame (RFC 6455 §5.2); the others are reserved. */
export type Opcode =
	| typeof CONTINUATION
	| typeof TEXT
	| typeof BINARY
	| typeof CLOSE
	| typeof PING
	| typeof PONG;

/** The first bit of a frame, set in the last frame of a message (§5.2). */
export const FIN = 0x80;

// Status codes that the server sends in a Close frame (§7.4.1)
export const NORMAL_CLOSURE = 1000;
export const WEBSOCKET_PROTOCOL_ERROR = 1002;
export const UNSUPPORTED_DATA = 1003;
export const MESSAGE_TOO_BIG = 1009;

/** Status code with which the server fails a connection (§7.1.7). */
export type FailureStatus =
	| typeof WEBSOCKET_PROTOCOL_ERROR
	| typeof UNSUPPORTED_DATA
	| typeof MESSAGE_TOO_BIG;

/** Largest payload of a control frame, bytes (§5.5). */
export const MAXIMUM_CONTROL_PAYLOAD = 125;

/**
 * Longest frame accepted, in bytes. It need not fit into memory, as frames are passed on as they arrive;
 * MQTT's largest packet is 2^28 + 4.
 */
export const MAXIMUM_RECEIVED_FRAME = 0x7fffffff;

/** Bytes of a page that are sent at once, and the room that a socket needs for the answer to a request. */
export const PAGE_PIECE_SIZE = 512;

/** Pieces of a page that are sent in one turn, and the time until the next turn, in ms. */
export const PIECES_PER_TURN = 2;
export const TURN_PAUSE_MS = 1;

/**
 * What a data frame takes of the packets of a turn, beside those that it carries: many clients spread a
 * packet over several frames. A control frame counts as a packet.
 */
export const DATA_FRAME_COST = 0.25;

/** Maximum payload of a frame that the server sends, in bytes; longer data is split into several frames. */
export const MAXIMUM_SENT_PAYLOAD = 16_384;

/**
 * Room in the socket that is not announced to the user, so that Pong and Close frames can be sent: the
 * longest control frame, in bytes.
 */
export const CONTROL_FRAME_RESERVE = 2 + MAXIMUM_CONTROL_PAYLOAD;

/** Largest number of bytes that a stream discards after it has sent its last frame or a refusal. */
export const DRAIN_BYTES = 16_384;

/**
 * Bytes for the parts of a request that are kept until it is answered: path, Host, Origin, key and
 * credentials together, and the current line.
 */
export const REQUEST_STORE_SIZE = 512;

/** Longest request line with its CR, bytes (RFC 9112 §3). */
export const MAXIMUM_REQUEST_LINE = 256;

/** Header fields of a request, at most. */
export const MAXIMUM_HEADER_FIELDS = 64;

// Never written, so that a device keeps it in flash
/** Text that is appended to the key of a request before hashing (RFC 6455 §1.3). */
export const GUID = utf8("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
