import type { HttpRequest } from "./http-request";

/**
 * Answers GET requests that ask for no WebSocket, with pages written piece by piece: nothing but two numbers
 * is kept for each reader.
 */
export interface Pages {
	/**
	 * Answers a request by reply.page() or reply.refuse(), now or later. Host has been checked. What `request`
	 * holds is valid until then, or until `reply.closed`.
	 */
	get(request: HttpRequest, reply: Reply): void;
	/**
	 * Writes the next piece of a page to bytes [start, end), 512 of them, and remembers in `reply.place` how
	 * far it has come. What is written need not fill them; nothing written is the end of the page.
	 * @returns how many bytes were written
	 */
	writePiece(reply: Reply, bytes: Uint8Array, start: number, end: number): number;
}

/** One answer. */
export interface Reply {
	/** The page's own: how far it is, and whom it is for. Both begin as 0. */
	position: number;
	reader: number;
	/** The reader's address, where the platform knows it. */
	readonly remoteAddress: string | undefined;
	/** 512 bytes or more for the page's own use, once it has answered: they held the request. */
	readonly store: Uint8Array;
	/** The connection has ended; nothing need be answered any more. */
	readonly closed: boolean;
	/** Sends a page. @param type media type, by default HTML in UTF-8 */
	page(type?: string): void;
	/**
	 * Sends a refusal.
	 * @param status 4xx or 5xx; 401 asks for name and password
	 * @param message one line of ASCII
	 */
	refuse(status: number, message: string): void;
}
