import type { Packet } from "../../mqtt/packet";
import { sharedFilterStart } from "../../mqtt/topics";
import type { Core } from "../core/core";
import { BRIDGE_USER, userOfPeer } from "../pool/peer";

const SLASH = 0x2f;

// How a session may have to give way, the most important last
const NEVER = 0;
const IF_AWAY = 1;
const BORROWS = 2;
const BORROWS_AWAY = 3;
type Claim = typeof NEVER | typeof IF_AWAY | typeof BORROWS | typeof BORROWS_AWAY;

/**
 * The next session that ends so that a client can subscribe; 0 if there is room for it, or it may not
 * displace others.
 *
 * Every client is guaranteed a share of the pools of topic filters: each divided by `connections`. What is
 * free beyond is lent. If a client within its shares finds a pool used up, the session that exceeds its own
 * by most gives way, of those one whose client is away first, which counts with all others of its peer that
 * are away: so whoever leaves many sessions with a few filters each gives way before a connected client that
 * has borrowed. If there is none, a session whose client is away. A peer that uses more than one share takes
 * nothing from one that uses less.
 */
export function nextToGiveFilters(core: Core, session: number, packet: Packet): number {
	if (hasRoom(core, session, packet)) return 0;
	const { sessions } = core;
	const uses = usedShares(core);
	const own = usedByPeer(core, uses, session, false);
	let best = 0;
	let bestRank: Claim = NEVER;
	let most = 0;
	for (let other = 1; other <= sessions.capacity; other++) {
		const use = uses[other];
		if (other === session || use === 0) continue;
		const away = sessions.connection(other) === 0;
		if (own > 1 && usedByPeer(core, uses, other, false) < own) continue;
		const excess = away ? usedByPeer(core, uses, other, true) : use;
		const rank = excess > 1 ? (away ? BORROWS_AWAY : BORROWS) : away ? IF_AWAY : NEVER;
		if (rank < bestRank || (rank === bestRank && excess <= most)) continue;
		best = other;
		bestRank = rank;
		most = excess;
	}
	return best;
}

/** What each session uses of its share, by its number; 0 if it has no filters, or never gives way. */
function usedShares(core: Core): Float64Array {
	const { sessions, subscriptions } = core;
	const uses = new Float64Array(sessions.capacity + 1);
	for (let session = 1; session <= sessions.capacity; session++)
		if (
			sessions.inUse(session) &&
			subscriptions.countOf(session) > 0 &&
			userOfPeer(sessions.peer(session)) !== BRIDGE_USER
		)
			uses[session] = usedShare(core, session);
	return uses;
}

/** What all sessions of a session's peer use together. @param away only those whose clients are away */
function usedByPeer(core: Core, uses: Float64Array, session: number, away: boolean): number {
	const { sessions } = core;
	const peer = sessions.peer(session);
	let use = 0;
	for (let other = 1; other <= sessions.capacity; other++)
		if (uses[other] > 0 && sessions.peer(other) === peer && !(away && sessions.connection(other) !== 0))
			use += uses[other];
	return use;
}

/**
 * Whether there is room for the filters of a SUBSCRIBE that are new to its client, or for those of them that
 * are within the shares.
 */
function hasRoom(core: Core, session: number, packet: Packet): boolean {
	const { settings, subscriptions } = core;
	const { tree } = subscriptions;
	const { bytes } = packet;
	let count = 0;
	let levels = 0;
	let length = 0;
	packet.rewind();
	while (packet.nextFilter()) {
		const { filterStart, filterEnd } = packet;
		const shared = Math.max(sharedFilterStart(bytes, filterStart, filterEnd), 0);
		if (subscriptions.find(session, filterStart, filterEnd, shared) !== 0) continue;
		count++;
		levels++;
		length += filterEnd - filterStart;
		for (let i = filterStart; i < filterEnd; i++) if (bytes[i] === SLASH) levels++;
	}
	return (
		settings.subscriptions - subscriptions.count >=
			Math.min(count, settings.subscriptions / settings.connections - subscriptions.countOf(session)) &&
		settings.filterLevels - tree.count >=
			Math.min(levels, settings.filterLevels / settings.connections - levelsOf(core, session)) &&
		settings.filterBytes - tree.bytes >=
			Math.min(length, settings.filterBytes / settings.connections - bytesOf(core, session))
	);
}

/** What a session uses of its share of the pool that it uses most of: above 1 if it has borrowed. */
function usedShare(core: Core, session: number): number {
	const { subscriptions, filterLevels, filterBytes, connections } = core.settings;
	return (
		connections *
		Math.max(
			core.subscriptions.countOf(session) / subscriptions,
			levelsOf(core, session) / filterLevels,
			bytesOf(core, session) / filterBytes,
		)
	);
}

/** Levels of a session's filters, also those that it shares with other filters. */
function levelsOf(core: Core, session: number): number {
	const { subscriptions } = core;
	let levels = 0;
	for (let i = subscriptions.firstOf(session); i !== 0; i = subscriptions.next(i))
		levels += subscriptions.tree.levels(subscriptions.node(i));
	return levels;
}

/** Bytes of these levels. */
function bytesOf(core: Core, session: number): number {
	const { subscriptions } = core;
	let bytes = 0;
	for (let i = subscriptions.firstOf(session); i !== 0; i = subscriptions.next(i))
		bytes += subscriptions.tree.pathBytes(subscriptions.node(i));
	return bytes;
}
