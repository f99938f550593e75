import { QOS2 } from "../../mqtt/constants";
import type { OutgoingQueues } from "./outgoing-queues";
import { QOS_MASK, RELEASED } from "./queue-entries";
import { FIRST_IN_FLIGHT, FIRST_WAITING, LISTS_WIDTH, RECEIVED, UNTRACKED } from "./queue-lists";

/*
 * What leaves the queues without having been acknowledged: what has expired, and what a session gives back to
 * others.
 */

/**
 * Drops expired waiting messages [MQTT-3.3.2-5], except those whose delivery has begun [MQTT-4.3.3-7].
 * Returns at once while none can have expired.
 * @param now ms of the broker's clock
 * @returns how many were dropped
 */
export function dropExpired(queues: OutgoingQueues, now: number): number {
	if (now < queues.nextExpiryAt) return 0;
	const { table, lists, contents } = queues;
	let nextExpiryAt = Number.POSITIVE_INFINITY;
	let dropped = 0;
	for (let row = LISTS_WIDTH; row < lists.length; row += LISTS_WIDTH) {
		let previous = 0;
		let entry = lists[row + FIRST_WAITING];
		while (entry !== 0) {
			const next = table.next(entry);
			const due =
				table.packetId(entry) === 0 ? contents.expiresAtMs(table.content(entry)) : Number.POSITIVE_INFINITY;
			if (due > now) {
				if (due < nextExpiryAt) nextExpiryAt = due;
				previous = entry;
			} else {
				queues.dropWaiting(row / LISTS_WIDTH, previous, entry);
				dropped++;
			}
			entry = next;
		}
	}
	queues.nextExpiryAt = nextExpiryAt;
	return dropped;
}

/** Drops the oldest waiting QoS 0 message of a session; false if there is none. */
export function dropOldestQos0(queues: OutgoingQueues, session: number): boolean {
	const { table } = queues;
	let previous = 0;
	let entry = queues.firstWaiting(session);
	while (entry !== 0 && (table.flags(entry) & (QOS_MASK | RELEASED)) !== 0) {
		previous = entry;
		entry = table.next(entry);
	}
	if (entry === 0) return false;
	queues.dropWaiting(session, previous, entry);
	return true;
}

/**
 * Takes back what a session has borrowed, one message at a time: the oldest waiting one of QoS 0, else the
 * oldest that was never sent, else the oldest whose delivery has begun. Of the latter, one in flight to a
 * connected client continues without entry or without content, and is lost only if the connection is.
 * @param bytes whether bytes are needed; otherwise an entry is
 * @returns the number of messages lost, 0 or 1
 */
export function takeBack(queues: OutgoingQueues, session: number, bytes: boolean): number {
	if (dropOldestQos0(queues, session)) return 1;
	if (queues.hasUnsent(session)) return dropOldestUnsent(queues, session);
	if (dropOldestBegun(queues, session, bytes)) return 1;
	return releaseInFlight(queues, session, bytes);
}

/**
 * Ends a QoS 2 message that cannot be sent again. PUBREL follows nevertheless: it frees the identifier at a
 * client that received the message, which would otherwise take a later one with it for a repetition.
 */
export function abandon(queues: OutgoingQueues, session: number, entry: number): void {
	const { table } = queues;
	table.setFlags(entry, (table.flags(entry) & QOS_MASK) | RELEASED);
	queues.releaseContent(session, entry);
}

function dropOldestUnsent(queues: OutgoingQueues, session: number): number {
	const { table } = queues;
	let previous = 0;
	let entry = queues.firstWaiting(session);
	while (table.packetId(entry) !== 0) {
		previous = entry;
		entry = table.next(entry);
	}
	queues.dropWaiting(session, previous, entry);
	return 1;
}

/**
 * Drops the oldest waiting message whose delivery has begun; one of QoS 2 only its content, if that is
 * enough. False if there is none.
 */
function dropOldestBegun(queues: OutgoingQueues, session: number, bytes: boolean): boolean {
	const { table } = queues;
	let previous = 0;
	let entry = queues.firstWaiting(session);
	while (entry !== 0 && table.content(entry) === 0) {
		previous = entry;
		entry = table.next(entry);
	}
	if (entry === 0) return false;
	if (bytes && (table.flags(entry) & QOS_MASK) === QOS2) abandon(queues, session, entry);
	else queues.dropWaiting(session, previous, entry);
	return true;
}

/** Releases the content or the entry of the oldest message in flight; without one, a waiting PUBREL. */
function releaseInFlight(queues: OutgoingQueues, session: number, bytes: boolean): number {
	const { table, lists } = queues;
	const row = LISTS_WIDTH * session;
	let entry = lists[row + FIRST_IN_FLIGHT];
	if (bytes) {
		while (table.content(entry) === 0) entry = table.next(entry);
		queues.releaseContent(session, entry);
	} else if (entry === 0) queues.dropFirst(session);
	else {
		const received = (table.flags(entry) & RELEASED) !== 0;
		queues.unlinkInFlight(session, 0, entry);
		queues.releaseEntry(session, entry);
		lists[row + UNTRACKED] += received ? RECEIVED : 1;
	}
	return 0;
}
