import type { Settings } from "../../src/config/settings";

/*
 * On a chip the parts of the SDK tell XS's task what has happened by posts to a queue of fixed length, and so
 * does XS's own task for output of its sockets. A release build waits without limit for a place, also in XS's
 * task, which alone empties the queue: a full queue stops the board for good (the task watchdog then restarts
 * it). No source posts again before its last post was delivered (the SDK's modules/io/socket/lwip coalesce by
 * `triggered` and `readablePending`), so that a queue with a place for every source is never full, however
 * much one turn writes.
 */

/**
 * Sources of one connection of the broker: within one turn, its place may change from a connection that was
 * closed with a post on its way, over the listener's socket, to the connection that takes it over.
 */
const POSTS_PER_PLACE = 3;
/** A node's connection and the one that it aborted before, in the same turn. */
const POSTS_OF_CLIENT = 2;
/** A listener; the time request's UDP socket. */
const POSTS_PER_SOCKET = 1;
/** Name look-ups, of the broker and of the time server. */
const POSTS_OF_RESOLVER = 2;
/** Wi-Fi, promise jobs, the way into deep sleep. */
const POSTS_OF_HOST = 3;
/** Left for drivers. */
const RESERVE = 4;

/** Default length of the queue: `defines.task.queuelength` of firmware/manifest.json. */
export const DEFAULT_QUEUE_LENGTH = 48;

/** Length of the message queue that can never be full with these settings. */
export function messageQueueLength({ role, listen }: Settings): number {
	let posts = POSTS_PER_SOCKET + POSTS_OF_RESOLVER + POSTS_OF_HOST + RESERVE;
	if (role !== "sensor") {
		posts += POSTS_PER_PLACE * (listen.connections + listen.handshakes);
		posts += (listen.webSocket === undefined ? 1 : 2) * POSTS_PER_SOCKET;
	}
	if (role !== "broker") posts += POSTS_OF_CLIENT;
	return posts;
}
