// Opcodes (RFC 6455 §11.8)
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** The first bit of a frame: the last of its message (§5.2). */
export const FIN = 0x80;

// Status codes of a Close frame that are sent here (§7.4.1)
export const NORMAL_CLOSURE = 1000;
export const WEBSOCKET_PROTOCOL_ERROR = 1002;
export const UNSUPPORTED_DATA = 1003;
export const MESSAGE_TOO_BIG = 1009;

/** Largest payload of a control frame, bytes (§5.5). */
export const MAXIMUM_CONTROL_PAYLOAD = 125;

/**
 * Longest frame taken, bytes. It need not fit into memory, as frames are passed on as they arrive; MQTT's
 * largest packet is 2^28 + 4.
 */
export const MAXIMUM_RECEIVED_FRAME = 0x7fffffff;

/** Bytes of a page that are sent at once, and room that a socket must have for the answer to a request. */
export const PAGE_PIECE_SIZE = 512;

/** Pieces of a page that are sent in one turn; and until the next turn, ms. */
export const PIECES_PER_TURN = 2;
export const TURN_PAUSE_MS = 1;

/** Longest frame that the server sends, bytes of payload; what is longer leaves in several frames. */
export const MAXIMUM_SENT_PAYLOAD = 16_384;

/**
 * Room in the socket that its user is not told of, so that a ping can be answered and a Close frame sent: the
 * longest control frame, bytes.
 */
export const CONTROL_FRAME_RESERVE = 2 + MAXIMUM_CONTROL_PAYLOAD;

/**
 * Bytes for what is kept of a request until it is answered: path, Host, Origin, key and credentials together,
 * and the header field in work.
 */
export const REQUEST_STORE_SIZE = 512;

/** Longest request line, bytes (RFC 9112 §3). */
export const MAXIMUM_REQUEST_LINE = 256;

/** Header fields of a request, at most. */
export const MAXIMUM_HEADER_FIELDS = 64;

/** Longest request, bytes. All but {@link REQUEST_STORE_SIZE} of it is only looked at. */
export const MAXIMUM_REQUEST_SIZE = 8192;
