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
 * Chooses who gives way to a client for which there is no room, so that no peer can keep others out. What is
 * free is lent to whoever asks first; it is taken back when another peer needs it:
 *
 * - A place among the connected clients: from a client without keep alive that has been silent for SILENT_MS,
 *   if its peer holds no less than the newcomer's; otherwise from a peer that holds more than the newcomer's
 *   would then hold.
 * - A session, or bytes for identifiers and wills: from the peer that holds most, whose longest-absent session
 *   ends; if all its sessions are connected, as a place.
 *
 * A host that hoards can so displace only itself, and clients behind one address are not limited in number
 * while no other peer asks. A session counts as one unit for each share of the bytes that it has begun: a
 * share is sessionBytes / sessions.
 */
export class Admission {
	readonly #core: Core;
	readonly #tally: PeerTally;
	/** The newcomer's peer, and the session that it has already; 0 if it has none. */
	#peer = 0;
	#known = 0;

	constructor(core: Core) {
		const { sessions, connections } = core.settings;
		this.#core = core;
		// each session begins one share, all sessions together fill `sessions` more, and so may the newcomer
		this.#tally = new PeerTally(core.memory.tables.u32(Math.max(3 * sessions, connections) + 1));
	}

	/**
	 * The next session that has to give way; 0 if there is room now, -1 if there can be none.
	 * @param peer of the newcomer
	 * @param known its session, 0 if it has none
	 * @param bytes that its identifier and will take
	 */
	nextToGiveWay(peer: number, known: number, bytes: number): number {
		const { sessions, settings, openCount } = this.#core;
		if (bytes > settings.sessionBytes) return -1;
		this.#peer = peer;
		this.#known = known;
		if (openCount >= settings.connections && (known === 0 || sessions.connection(known) === 0)) {
			this.countConnections();
			return this.connectedSession() || -1;
		}
		const needed = known === 0 ? bytes : bytes - sessions.bytesOf(known);
		if ((known !== 0 || sessions.count < sessions.capacity) && sessions.freeBytes >= needed) return 0;
		this.countSessions(needed);
		return this.absentSession() || this.connectedSession() || -1;
	}

	private countConnections(): void {
		const { connections, sessions } = this.#core;
		const tally = this.#tally;
		tally.clear();
		for (let i = 1; i < connections.length; i++) {
			const { state, session } = connections[i]!;
			if (state === OPEN) tally.add(sessions.peer(session), 1);
		}
		tally.add(this.#peer, 1);
		tally.sort();
	}

	private countSessions(needed: number): void {
		const { sessions, settings } = this.#core;
		const tally = this.#tally;
		const share = settings.sessionBytes / settings.sessions;
		tally.clear();
		for (let session = 1; session <= sessions.capacity; session++)
			if (sessions.inUse(session))
				tally.add(sessions.peer(session), Math.max(1, Math.ceil(sessions.bytesOf(session) / share)));
		if (needed > 0) tally.add(this.#peer, Math.ceil(needed / share));
		tally.sort();
	}

	/** The longest-absent session of the peer that holds most, and no less than the newcomer's; 0: none. */
	private absentSession(): number {
		const { sessions } = this.#core;
		const tally = this.#tally;
		let best = 0;
		let most = tally.ofPeer(this.#peer);
		let mostOfUser = tally.ofUser(userOfPeer(this.#peer));
		for (let session = 1; session <= sessions.capacity; session++) {
			if (!sessions.inUse(session) || sessions.connection(session) !== 0 || session === this.#known) continue;
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
	private connectedSession(): number {
		const { connections, sessions, clock } = this.#core;
		const tally = this.#tally;
		const own = tally.ofPeer(this.#peer);
		let best = 0;
		let bestIsSilent = false;
		let most = own;
		let oldest = 0;
		for (let i = 1; i < connections.length; i++) {
			const { state, session, clientFlags, lastReceivedAt } = connections[i]!;
			if (state !== OPEN || session === this.#known) continue;
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
}
