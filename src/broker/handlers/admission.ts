import type { Core } from "../core/core";
import { userOfPeer } from "../pool/peer";
import { NO_KEEP_ALIVE, OPEN } from "../session/connection";
import { PeerTally } from "./peer-tally";

/**
 * Silence after which a client without keep alive may lose its place to another one, ms: nobody can tell
 * whether it still exists.
 */
export const SILENT_MS = 10_000;

/**
 * The next session that has to give way to a client for which there is no room, so that no peer can keep
 * others out; 0 if there is room now, -1 if there can be none. What is free is lent to whoever asks first; it
 * is taken back when another peer needs it:
 *
 * - A place among the connected clients: from a client without keep alive that has been silent for SILENT_MS,
 *   if its peer holds no less than the newcomer's; otherwise from a peer that holds more than the newcomer's
 *   would then hold.
 * - A session, or bytes for identifiers and wills: from the peer that holds most, whose longest-absent
 *   session ends; if all its sessions are connected, as a place.
 *
 * A host that hoards can so displace only itself, and clients behind one address are not limited in number
 * while no other peer asks. A session counts as one unit for each share of the bytes that it has begun: a
 * share is sessionBytes / sessions.
 *
 * @param peer of the newcomer
 * @param known its session, 0 if it has none
 * @param bytes that its identifier and will take
 */
export function nextToGiveWay(core: Core, peer: number, known: number, bytes: number): number {
	const { sessions, settings, openCount } = core;
	if (bytes > settings.sessionBytes) return -1;
	if (openCount >= settings.connections && (known === 0 || sessions.connection(known) === 0)) {
		return connectedSession(core, peer, known, countConnections(core, peer)) || -1;
	}
	const needed = known === 0 ? bytes : bytes - sessions.bytesOf(known);
	if ((known !== 0 || sessions.count < sessions.capacity) && sessions.freeBytes >= needed) return 0;
	const tally = countSessions(core, peer, needed);
	return absentSession(core, peer, known, tally) || connectedSession(core, peer, known, tally) || -1;
}

function countConnections(core: Core, newcomer: number): PeerTally {
	const { connections, sessions } = core;
	const tally = new PeerTally(connections.length);
	for (let i = 1; i < connections.length; i++) {
		const { state, session } = connections[i]!;
		if (state === OPEN) tally.add(sessions.peer(session), 1);
	}
	tally.add(newcomer, 1);
	tally.sort();
	return tally;
}

function countSessions(core: Core, newcomer: number, needed: number): PeerTally {
	const { sessions, settings } = core;
	// each session begins one share, all sessions together fill `capacity` more, and so may the newcomer
	const tally = new PeerTally(3 * sessions.capacity + 1);
	const share = settings.sessionBytes / settings.sessions;
	for (let session = 1; session <= sessions.capacity; session++)
		if (sessions.inUse(session))
			tally.add(sessions.peer(session), Math.max(1, Math.ceil(sessions.bytesOf(session) / share)));
	if (needed > 0) tally.add(newcomer, Math.ceil(needed / share));
	tally.sort();
	return tally;
}

/** The longest-absent session of the peer that holds most, and no less than the newcomer's; 0: none. */
function absentSession(core: Core, newcomer: number, known: number, tally: PeerTally): number {
	const { sessions } = core;
	let best = 0;
	let most = tally.ofPeer(newcomer);
	let mostOfUser = tally.ofUser(userOfPeer(newcomer));
	for (let session = 1; session <= sessions.capacity; session++) {
		if (!sessions.inUse(session) || sessions.connection(session) !== 0 || session === known) continue;
		const peer = sessions.peer(session);
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
function connectedSession(core: Core, newcomer: number, known: number, tally: PeerTally): number {
	const { connections, sessions, clock } = core;
	const own = tally.ofPeer(newcomer);
	let best = 0;
	let bestIsSilent = false;
	let most = own;
	let oldest = 0;
	for (let i = 1; i < connections.length; i++) {
		const { state, session, clientFlags, lastReceivedAt } = connections[i]!;
		if (state !== OPEN || session === known) continue;
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
