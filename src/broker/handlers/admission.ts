import { CONNECTED } from "../../session/broker-phase";
import type { Core } from "../core/core";
import { BRIDGE_USER, userOfPeer } from "../pool/peer";
import { type Connection, LOCAL_LISTENER, NO_KEEP_ALIVE, WEB_SOCKET_LISTENER } from "../session/connection";
import { PeerTally } from "./peer-tally";

/**
 * Silence after which a client without keep alive may lose its place to another one, ms: nobody can tell
 * whether it still exists.
 */
export const SILENT_MS = 10_000;

const ANY_LISTENER = -1;

// Beside the number of a session
/** Nobody has to give way. */
export const ROOM = 0;
/** Nobody gives way, or not enough would become free. */
export const NO_ROOM = -1;

/**
 * The next session that has to give way to a client for which there is no room, so that no peer can keep
 * others out; ROOM, or NO_ROOM if there can be none. What is free is lent to whoever asks first; it
 * is taken back when another peer needs it:
 *
 * - A place among the connected clients, or among those over WebSocket: from a client without keep alive that
 *   has been silent for SILENT_MS, if its peer holds no less than the newcomer's; otherwise from a peer that
 *   holds more than the newcomer's would then hold.
 * - A session, or bytes for identifiers and wills: from the peer that holds most, whose longest-absent
 *   session ends; if all its sessions are connected, as a place.
 *
 * The bridge never gives way, and always finds its place: its configuration adds one.
 *
 * A host that hoards can so displace only itself, and clients behind one address are not limited in number
 * while no other peer asks. A session counts as one unit for each share of the bytes that it has begun: a
 * share is sessionBytes / sessions.
 *
 * @param connection of the newcomer
 * @param peer of the newcomer
 * @param known its session, 0 if it has none
 * @param bytes that its identifier and will take
 * @param begun whether an earlier call has named another session; otherwise nobody is named unless all who
 *   have to give way make room enough, so that no one ends for a client that is refused
 */
export function nextToGiveWay(
	core: Core,
	connection: Connection,
	peer: number,
	known: number,
	bytes: number,
	begun: boolean,
): number {
	if (bytes > core.settings.sessionBytes) return NO_ROOM;
	const place = placeToGive(core, connection, peer, known);
	if (place === NO_ROOM) return NO_ROOM;
	const first = sessionToGive(core, peer, known, bytes, begun, place);
	return first === NO_ROOM || place === ROOM ? first : place;
}

/** The session of the client whose place the newcomer takes; ROOM if one is free, NO_ROOM if none is. */
function placeToGive(core: Core, { listenerIndex }: Connection, peer: number, known: number): number {
	const { settings, openCount } = core;
	const old = known === 0 ? undefined : core.connectionOf(known);
	let listener = ANY_LISTENER;
	if (listenerIndex === WEB_SOCKET_LISTENER && old?.listenerIndex !== listenerIndex) {
		let open = 0;
		for (let i = 1; i < core.connections.length; i++) {
			const other = core.connections[i]!;
			if (other.phase === CONNECTED && other.listenerIndex === listenerIndex) open++;
		}
		if (open >= settings.webSockets) listener = listenerIndex;
	}
	if (listener === ANY_LISTENER && (openCount < settings.connections || old !== undefined)) return ROOM;
	const tally = countConnections(core, peer, listener);
	return connectedSession(core, peer, known, tally, listener, undefined) || NO_ROOM;
}

/**
 * The first session to end so that the newcomer gets one with its bytes; ROOM, or NO_ROOM if there is
 * none for it.
 * @param place session of the client that gives way to it besides, 0 if none does
 */
function sessionToGive(
	core: Core,
	peer: number,
	known: number,
	bytes: number,
	begun: boolean,
	place: number,
): number {
	const { sessions } = core;
	const needed = known === 0 ? bytes : bytes - sessions.bytesOf(known);
	let places = known !== 0 ? 1 : sessions.capacity - sessions.count;
	let free = sessions.freeBytes;
	if (places > 0 && free >= needed) return ROOM;
	const given = new Uint8Array(sessions.capacity + 1);
	let first = 0;
	let next = place !== 0 && !sessions.persistent(place) ? place : 0;
	do {
		if (next !== 0) {
			given[next] = 1;
			places++;
			free += sessions.bytesOf(next);
			if (places > 0 && free >= needed) return first;
		}
		const tally = countSessions(core, peer, needed, given);
		next =
			absentSession(core, peer, known, tally, given) ||
			connectedSession(core, peer, known, tally, ANY_LISTENER, given);
		if (first === 0) first = next;
		if (begun && next !== 0) return next;
	} while (next !== 0);
	return NO_ROOM;
}

/** Counts the connected clients of each peer, and the newcomer. @param listener those that it has accepted */
function countConnections(core: Core, newcomer: number, listener: number): PeerTally {
	const { connections, sessions } = core;
	const tally = new PeerTally(connections.length);
	for (let i = 1; i < connections.length; i++) {
		const { phase, session, listenerIndex } = connections[i]!;
		if (phase === CONNECTED && (listener === ANY_LISTENER || listenerIndex === listener))
			tally.add(sessions.peer(session), 1);
	}
	tally.add(newcomer, 1);
	tally.sort();
	return tally;
}

/** Counts the units of each peer, without the sessions that are `given` away, and the newcomer's. */
function countSessions(core: Core, newcomer: number, needed: number, given: Uint8Array): PeerTally {
	const { sessions, settings } = core;
	// each session begins one share, all sessions together fill `capacity` more, and so may the newcomer
	const tally = new PeerTally(3 * sessions.capacity + 1);
	const share = settings.sessionBytes / settings.sessions;
	for (let session = 1; session <= sessions.capacity; session++)
		if (sessions.inUse(session) && given[session] === 0)
			tally.add(sessions.peer(session), Math.max(1, Math.ceil(sessions.bytesOf(session) / share)));
	if (needed > 0) tally.add(newcomer, Math.ceil(needed / share));
	tally.sort();
	return tally;
}

/** The longest-absent session of the peer that holds most, and no less than the newcomer's; 0: none. */
function absentSession(
	core: Core,
	newcomer: number,
	known: number,
	tally: PeerTally,
	given: Uint8Array,
): number {
	const { sessions } = core;
	let best = 0;
	let most = tally.ofPeer(newcomer);
	let mostOfUser = tally.ofUser(userOfPeer(newcomer));
	for (let session = 1; session <= sessions.capacity; session++) {
		if (!sessions.inUse(session) || sessions.connection(session) !== 0 || session === known) continue;
		if (given[session] !== 0) continue;
		const peer = sessions.peer(session);
		if (userOfPeer(peer) === BRIDGE_USER) continue;
		const units = tally.ofPeer(peer);
		const unitsOfUser = tally.ofUser(userOfPeer(peer));
		if (units < most || (units === most && unitsOfUser < mostOfUser)) continue;
		if (
			best !== 0 &&
			units === most &&
			unitsOfUser === mostOfUser &&
			sessions.absentSinceSeconds(session) >= sessions.absentSinceSeconds(best)
		)
			continue;
		best = session;
		most = units;
		mostOfUser = unitsOfUser;
	}
	return best;
}

/** The session of the connected client that gives way first; 0: none has to. */
function connectedSession(
	core: Core,
	newcomer: number,
	known: number,
	tally: PeerTally,
	listener: number,
	given: Uint8Array | undefined,
): number {
	const { connections, sessions, clock } = core;
	// The bridge comes back to the place that is meant for it
	const own = userOfPeer(newcomer) === BRIDGE_USER ? 0 : tally.ofPeer(newcomer);
	let best = 0;
	let bestIsSilent = false;
	let most = own;
	let oldest = 0;
	for (let i = 1; i < connections.length; i++) {
		const { phase, session, clientFlags, lastReceivedAt, listenerIndex } = connections[i]!;
		if (phase !== CONNECTED || session === known || (given !== undefined && given[session] !== 0)) continue;
		if (listener !== ANY_LISTENER && listenerIndex !== listener) continue;
		if (listenerIndex === LOCAL_LISTENER) continue;
		const units = tally.ofPeer(sessions.peer(session));
		const silent = (clientFlags & NO_KEEP_ALIVE) !== 0 && lastReceivedAt + SILENT_MS <= clock.nowMs;
		if (silent ? units < own : units <= own || bestIsSilent) continue;
		if (
			best !== 0 &&
			silent === bestIsSilent &&
			(units < most || (units === most && lastReceivedAt >= oldest))
		)
			continue;
		best = session;
		bestIsSilent = silent;
		most = units;
		oldest = lastReceivedAt;
	}
	return best;
}
