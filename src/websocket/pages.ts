import type { HttpRequest } from "./http-request";
import type { RefusalStatus } from "./http-response";

/**
 * Answers GET requests that are not for a WebSocket, with pages written piece by piece. Only two numbers are
 * kept for each reader.
 */
export interface Pages {
	/** Directives for the pages' Content-Security-Policy, each with a semicolon in front: their scripts. */
	readonly sources?: string;
	/**
	 * Answers a request by reply.page() or reply.refuse(), now or later. Host has been checked. The content of
	 * `request` is valid until then, or until `reply.closed`.
	 */
	get(request: HttpRequest, reply: Reply): void;
	/**
	 * Writes the next piece of a page to bytes [start, end), 512 of them, and stores its progress in
	 * `reply.position`. A piece may be shorter; an empty one ends the page.
	 * @returns the number of bytes written
	 */
	writePiece(reply: Reply, bytes: Uint8Array, start: number, end: number): number;
}

/** The answer to one request. */
export interface Reply {
	/** State of the page: its progress, and its reader. Both are initially 0. */
	position: number;
	reader: number;
	/** The reader's IP address, if the platform provides it. */
	readonly remoteAddress: string | undefined;
	/** 512 bytes or more for the page's own use once it has answered; until then they hold the request. */
	readonly store: Uint8Array;
	/** The connection has ended; an answer is no longer needed. */
	readonly closed: boolean;
	/** Sends a page. @param type media type, by default HTML in UTF-8 */
	page(type?: string): void;
	/**
	 * Sends a refusal.
	 * @param status 401 requests user name and password
	 * @param message one line of ASCII
	 */
	refuse(status: RefusalStatus, message: string): void;
}
