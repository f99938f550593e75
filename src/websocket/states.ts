// States of an exchange, up to SENDING_PAGE, and of its stream; either may be ENDED or CLOSED

/** Reading the request. */
export const READING_REQUEST = 0;
/** The pages have the request and have not answered yet. */
export const AWAITING_PAGES = 1;
/** An answer waits for room: the acceptance of a WebSocket, a refusal, or the head of a page. */
export const SENDING_ACCEPTANCE = 2;
export const SENDING_REFUSAL = 3;
export const SENDING_PAGE_HEAD = 4;
/** Sending a page. */
export const SENDING_PAGE = 5;
/** Carrying frames. */
export const STREAM_OPEN = 6;
/** Ended, but not reported yet. */
export const ENDING = 7;
/**
 * A stream that has sent its last frame or a refusal, and was reported: it discards input until it is closed.
 */
export const DRAINING = 8;
/** Ended and reported: an exchange by onAnswered(), a stream by onError. */
export const ENDED = 9;
export const CLOSED = 10;

export type ExchangeState =
	| typeof READING_REQUEST
	| typeof AWAITING_PAGES
	| typeof SENDING_ACCEPTANCE
	| typeof SENDING_REFUSAL
	| typeof SENDING_PAGE_HEAD
	| typeof SENDING_PAGE
	| EndState;
/** READING_REQUEST stands for every state of its exchange. */
export type StreamState =
	| typeof READING_REQUEST
	| typeof STREAM_OPEN
	| typeof ENDING
	| typeof DRAINING
	| EndState;
export type EndState = typeof ENDED | typeof CLOSED;
