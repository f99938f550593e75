import { DUP, QOS1 } from "../../mqtt/constants";
import type { OutgoingQueues } from "./outgoing-queues";
import { QOS_MASK, RELEASED } from "./queue-entries";
import {
	FIRST_IN_FLIGHT,
	FIRST_WAITING,
	IN_FLIGHT,
	LAST_IN_FLIGHT,
	LAST_WAITING,
	LISTS_WIDTH,
	UNTRACKED,
	WAITING,
} from "./queue-lists";
import { abandon, dropOldestQos0 } from "./queue-release";

/*
 * What becomes of a session's queue when its connection ends, and when it is restored from storage: what was
 * in flight waits to be sent again.
 */

/**
 * Suspends a session whose client has disconnected: in-flight entries wait again, in order [MQTT-4.4.0-1]
 * [MQTT-4.6.0-1]; QoS 0 messages are dropped.
 * @returns the number of messages in flight that cannot be sent again, as there was no room to keep them
 */
export function suspend(queues: OutgoingQueues, session: number): number {
	while (dropOldestQos0(queues, session));
	const { table, lists } = queues;
	const row = LISTS_WIDTH * session;
	const lost = (lists[row + UNTRACKED] & 0xff) + dropUnkept(queues, session);
	lists[row + UNTRACKED] = 0;
	const first = lists[row + FIRST_IN_FLIGHT];
	if (first === 0) return lost;
	for (let entry = first; entry !== 0; entry = table.next(entry)) {
		const flags = table.flags(entry);
		if ((flags & RELEASED) === 0) table.setFlags(entry, flags | DUP); // [MQTT-3.3.1-1]
	}
	const last = lists[row + LAST_IN_FLIGHT];
	table.setNext(last, lists[row + FIRST_WAITING]);
	if (lists[row + FIRST_WAITING] === 0) lists[row + LAST_WAITING] = last;
	lists[row + FIRST_WAITING] = first;
	lists[row + FIRST_IN_FLIGHT] = 0;
	lists[row + LAST_IN_FLIGHT] = 0;
	lists[row + WAITING] += lists[row + IN_FLIGHT];
	lists[row + IN_FLIGHT] = 0;
	return lost;
}

/** Drops in-flight messages whose content was not kept, and abandons those of QoS 2. @returns how many */
function dropUnkept(queues: OutgoingQueues, session: number): number {
	const { table, lists } = queues;
	let lost = 0;
	let previous = 0;
	let entry = lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	while (entry !== 0) {
		const next = table.next(entry);
		const unkept = table.content(entry) === 0 && (table.flags(entry) & RELEASED) === 0;
		if (unkept) lost++;
		if (unkept && (table.flags(entry) & QOS_MASK) === QOS1) {
			queues.unlinkInFlight(session, previous, entry);
			queues.releaseEntry(session, entry);
		} else {
			if (unkept) abandon(queues, session, entry);
			previous = entry;
		}
		entry = next;
	}
	return lost;
}

/**
 * Queues a restored content for a session, after entries of lower sequence numbers.
 * @param content 0 if only PUBREL is to be sent
 * @param flags as allFlags() returned them
 * @returns the entry; 0 if the entries are used up
 */
export function restoreEntry(
	queues: OutgoingQueues,
	session: number,
	content: number,
	flags: number,
	packetId: number,
	identifier: number,
	share: number,
	sequence: number,
): number {
	if (queues.free === 0) return 0;
	const { table, lists } = queues;
	const row = LISTS_WIDTH * session;
	const sent = packetId !== 0 && (flags & RELEASED) === 0;
	const entry = table.allocate(content, sent ? flags | DUP : flags, identifier, share); // [MQTT-3.3.1-1]
	table.setPacketId(entry, packetId);
	table.setSequence(entry, sequence);
	if (content !== 0) queues.refer(session, content);
	let previous = 0;
	let following = lists[row + FIRST_WAITING];
	while (following !== 0 && ((table.sequence(following) - sequence) | 0) < 0) {
		previous = following;
		following = table.next(following);
	}
	table.setNext(entry, following);
	if (previous === 0) lists[row + FIRST_WAITING] = entry;
	else table.setNext(previous, entry);
	if (following === 0) lists[row + LAST_WAITING] = entry;
	lists[row + WAITING]++;
	return entry;
}
