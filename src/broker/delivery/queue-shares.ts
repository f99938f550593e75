import type { Core } from "../core/core";
import { shareOfBytes, shareOfEntries } from "../core/shares";
import type { Message } from "../pool/message";
import { dropExpired as dropExpiredOf, takeBack } from "../session/queue-release";

// How willingly a borrower gives back, the most willing first
/** It is away, or it does not read, and has messages that were never sent. */
const AWAY_UNSENT = 0;
const CONNECTED_UNSENT = 1;
/** The delivery of all its messages has begun. */
const AWAY_BEGUN = 2;
const CONNECTED_BEGUN = 3;
const NOBODY = 4;
type Reluctance =
	| typeof AWAY_UNSENT
	| typeof CONNECTED_UNSENT
	| typeof AWAY_BEGUN
	| typeof CONNECTED_BEGUN
	| typeof NOBODY;

/** Drops expired messages from the queues; false if there are none. */
export function dropExpired(core: Core): boolean {
	const dropped = dropExpiredOf(core.queues, core.clock.nowMs);
	core.counters.droppedExpired += dropped;
	return dropped !== 0;
}

/**
 * Makes room in the queues for another message of a session. Where the pool is full, expired messages are
 * dropped; then those who have borrowed beyond their share give back: to a session within its share all of
 * them, to another borrower those who hold more than it would.
 * @param bytes bytes needed for a content; 0: an entry is needed
 * @returns whether there is room; if not, the session has no claim to it
 */
export function makeRoom(core: Core, session: number, bytes: number): boolean {
	const { queues, counters } = core;
	if (hasRoom(core, bytes)) return true;
	dropExpired(core);
	while (!hasRoom(core, bytes)) {
		const borrower = findBorrower(core, session, bytes);
		if (borrower === 0) return false;
		const lost = takeBack(queues, borrower, bytes !== 0);
		queues.addLost(borrower, lost);
		counters.droppedQueue += lost;
	}
	return true;
}

/**
 * Makes room for a message that is about to be sent with QoS 1 or 2. Without room it is sent all the same,
 * but not tracked or not kept.
 * @param keep whether it may have to be sent again
 * @returns whether its content is kept for that
 */
export function makeRoomInFlight(core: Core, session: number, message: Message, keep: boolean): boolean {
	if (!keep && core.queues.table.free !== 0) return false;
	return makeRoom(core, session, 0) && keep && reserveContent(core, session, message);
}

/** Stores the content of a message for an entry of a session; false if there is no room. */
export function reserveContent(core: Core, session: number, message: Message): boolean {
	const { contents } = core.queues;
	return (
		contents.reserve(message) ||
		(makeRoom(core, session, contents.roundedSize(message)) && contents.reserve(message))
	);
}

/** Whether a session's queue is full, even after expired messages were dropped. */
export function isQueueFull(core: Core, session: number): boolean {
	const { queues } = core;
	return queues.isFull(session) && (!dropExpired(core) || queues.isFull(session));
}

function hasRoom(core: Core, bytes: number): boolean {
	const { queues } = core;
	return bytes === 0 ? queues.free !== 0 : queues.contents.arena.free >= bytes;
}

/**
 * The session that gives back to another: of the most willing ones the largest borrower; 0 if there is none.
 */
function findBorrower(core: Core, claimant: number, bytes: number): number {
	const { queues, sessions } = core;
	const share = bytes === 0 ? shareOfEntries(core) : shareOfBytes(core);
	const claim = bytes === 0 ? queues.entries(claimant) + 1 : queues.bytes(claimant) + bytes;
	const spared = Math.max(share, claim);
	const known = bytes === 0 ? queues.mostEntries : queues.mostBytes;
	if (known !== 0 && known <= spared) return 0;
	let found = 0;
	let bestRank: Reluctance = NOBODY;
	let most = 0;
	let largest = 1;
	for (let session = 1; session <= sessions.capacity; session++) {
		const holds = bytes === 0 ? queues.entries(session) : queues.bytes(session);
		if (holds > largest) largest = holds;
		if (holds <= spared) continue;
		const away = sessions.connection(session) === 0;
		const rank = queues.hasUnsent(session)
			? away
				? AWAY_UNSENT
				: CONNECTED_UNSENT
			: away
				? AWAY_BEGUN
				: CONNECTED_BEGUN;
		if (rank > bestRank || (rank === bestRank && holds <= most)) continue;
		found = session;
		bestRank = rank;
		most = holds;
	}
	// the next ones of many recipients without a claim need no search
	if (bytes === 0) queues.mostEntries = largest;
	else queues.mostBytes = largest;
	return found;
}
