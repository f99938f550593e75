import type { Core } from "../core/core";
import { NEVER_SECONDS } from "../pool/clock";
import { CHANGED, type DirtyFlags, STORED, UNCOMMITTED } from "../pool/dirty-flags";
import { networkOfPeer, peerOf } from "../pool/peer";
import type { Tables } from "../pool/tables";
import type { MessageRecords } from "./message-records";
import type { PersistentClock } from "./persistent-clock";
import { ENTRY_KIND, SESSION_KIND, SUBSCRIPTION_KIND, type TransactionalStore } from "./transactional-store";

// Flags of a stored session: which parts follow
const WILL = 1;
/** The network of its peer. Records of earlier versions have none. */
const NETWORK = 2;

/**
 * Stores persistent sessions, and the wills of all clients: a client that is connected when the power fails
 * counts as lost without DISCONNECT.
 *
 * The stored end of a session is an eighth of its expiry interval too late, and is stored anew only if it
 * would become too early: otherwise a node that connects once a minute would cause one write a minute.
 */
export class SessionRecords {
	readonly #core: Core;
	readonly #recordStore: TransactionalStore;
	readonly #persistentClock: PersistentClock;
	readonly #messages: MessageRecords;
	readonly #dirtyFlags: DirtyFlags;
	/**
	 * By session, as stored: its end, s of the persistent clock (NEVER_SECONDS while its client is connected, 0
	 * for a session that is not persistent); and the CRC of its record.
	 */
	readonly #endsAtSeconds: Uint32Array;
	readonly #checksums: Uint32Array;
	/** During restore: the session number by its stored number. */
	#restoredSessions = new Uint16Array(0);

	constructor(
		core: Core,
		tables: Tables,
		recordStore: TransactionalStore,
		persistentClock: PersistentClock,
		messages: MessageRecords,
	) {
		this.#core = core;
		this.#recordStore = recordStore;
		this.#persistentClock = persistentClock;
		this.#messages = messages;
		this.#dirtyFlags = recordStore.dirtyFlags[SESSION_KIND];
		this.#endsAtSeconds = tables.u32(core.sessions.capacity + 1);
		this.#checksums = tables.u32(core.sessions.capacity + 1);
	}

	/** @returns how many sessions could not be restored */
	restore(): number {
		const { sessions } = this.#core;
		const recordStore = this.#recordStore;
		const { states } = this.#dirtyFlags;
		let lost = 0;
		this.#restoredSessions = new Uint16Array(states.length);
		for (let i = 1; i < states.length; i++) {
			if (!recordStore.readRecord(SESSION_KIND, i)) continue;
			const session = this.restoreSession();
			if (session === 0) lost++;
			this.#restoredSessions[i] = session;
			this.#dirtyFlags.renumber(i, session);
			// its expiry interval starts now, and must not start again at each power loss
			if (this.#endsAtSeconds[session] === NEVER_SECONDS && sessions.expirySeconds(session) !== NEVER_SECONDS)
				this.#dirtyFlags.mark(session);
		}
		sessions.dirtyFlags = this.#dirtyFlags;
		return lost;
	}

	/** The session that was stored under a number; 0 if it could not be restored. */
	restoredSession(storedSession: number): number {
		return this.#restoredSessions[storedSession] ?? 0;
	}

	/** Frees the table of restoredSession(), which must not be called any more. */
	finishRestore(): void {
		this.#restoredSessions = new Uint16Array(0);
	}

	save(): void {
		const { sessions } = this.#core;
		const dirtyFlags = this.#dirtyFlags;
		const recordStore = this.#recordStore;
		if (!dirtyFlags.changed) return;
		const { states } = dirtyFlags;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			const used = i <= sessions.capacity && sessions.inUse(i);
			const persistent = used && sessions.persistent(i);
			if (persistent !== (this.#endsAtSeconds[i] ?? 0) > 0) this.markDependents(i);
			if (!persistent && (!used || sessions.will(i) === 0)) {
				if (i <= sessions.capacity) this.#endsAtSeconds[i] = 0;
				recordStore.drop(SESSION_KIND, i);
				continue;
			}
			const endsAtSeconds = persistent ? this.endSecondsToStore(i) : 0;
			this.writeSession(i, endsAtSeconds);
			const { checksum } = recordStore.codec;
			if ((states[i] & (STORED | UNCOMMITTED)) === STORED && checksum === this.#checksums[i]) continue;
			recordStore.put(SESSION_KIND, i);
			this.#checksums[i] = checksum;
			this.#endsAtSeconds[i] = endsAtSeconds;
		}
	}

	/** Corrects times after a power loss, as {@link RetainedRecords.backdate}. */
	backdate(missedMs: number): void {
		const { sessions } = this.#core;
		const dirtyFlags = this.#dirtyFlags;
		for (let i = 1; i <= sessions.capacity; i++) {
			const endsAtSeconds = sessions.endsAtSeconds(i);
			if (!sessions.inUse(i) || endsAtSeconds === NEVER_SECONDS) continue;
			if (dirtyFlags.isRestored(i))
				sessions.setEndsAt(i, Math.max(0, endsAtSeconds - Math.floor(missedMs / 1000)));
			else dirtyFlags.mark(i);
		}
	}

	/** End of a persistent session as it is to be stored, s of the persistent clock. */
	private endSecondsToStore(session: number): number {
		const { sessions } = this.#core;
		const expiry = sessions.expirySeconds(session);
		if (expiry === NEVER_SECONDS || sessions.connection(session) !== 0) return NEVER_SECONDS;
		const dueSeconds = Math.ceil(
			this.#persistentClock.fromBrokerTime(sessions.endsAtSeconds(session) * 1000) / 1000,
		);
		const latestSeconds = dueSeconds + (expiry >>> 2);
		const storedSeconds = this.#endsAtSeconds[session];
		return storedSeconds >= dueSeconds && storedSeconds <= latestSeconds
			? storedSeconds
			: Math.min(dueSeconds + (expiry >>> 3), NEVER_SECONDS - 1);
	}

	/**
	 * Marks the subscriptions and queue entries of a session that has become persistent, or is so no longer.
	 */
	private markDependents(session: number): void {
		const { subscriptions } = this.#core;
		const subscriptionFlags = this.#recordStore.dirtyFlags[SUBSCRIPTION_KIND];
		for (let i = subscriptions.firstOf(session); i !== 0; i = subscriptions.next(i))
			subscriptionFlags.mark(i);
		this.#recordStore.dirtyFlags[ENTRY_KIND].changed = true;
	}

	private writeSession(session: number, endsAtSeconds: number): void {
		const { sessions, authorizer } = this.#core;
		const { codec } = this.#recordStore;
		const will = sessions.will(session);
		const start = sessions.identifierStart(session);
		const end = sessions.identifierEnd(session);
		codec.startWriting();
		codec.writeU32(sessions.expirySeconds(session));
		codec.writeU32(endsAtSeconds);
		codec.writeU8(0);
		const user = codec.at;
		codec.at = authorizer.writeUserName(session, codec.bytes, user);
		codec.bytes[user - 1] = codec.at - user;
		codec.writeU16(end - start);
		codec.writeBytes(sessions.identifierBytes, start, end);
		codec.writeU8((will === 0 ? 0 : WILL) | NETWORK);
		codec.writeU32(networkOfPeer(sessions.peer(session)));
		if (will === 0) return;
		codec.writeU32(sessions.willDelaySeconds(session));
		this.#messages.writeMessage(sessions.wills, will);
	}

	/** Adds the session that `codec` holds; returns 0 if there is no room or its user no longer exists. */
	private restoreSession(): number {
		const { sessions, authorizer, clock } = this.#core;
		const { codec } = this.#recordStore;
		const { bytes } = codec;
		const expiry = codec.readU32();
		const endsAtSeconds = codec.readU32();
		const user = codec.at + 1;
		const identifier = user + codec.readU8() + 2;
		codec.at = identifier - 2;
		const end = identifier + codec.readU16();
		codec.at = end;
		const flags = codec.readU8();
		const network = (flags & NETWORK) !== 0 ? codec.readU32() : 0;
		const owner = authorizer.restoredUser(bytes, user, identifier - 2);
		if (owner < 0) return 0;
		const session = sessions.add(peerOf(owner, network), bytes, identifier, end);
		if (session === 0) return 0;
		authorizer.bindUser(owner, session);
		authorizer.restorePeer(sessions.peer(session));
		// The client may know a QoS 2 message that was sent after the last commit: a new one with its identifier
		// would be a repetition to it. The last identifier is not stored, so the sequence begins anywhere.
		sessions.setLastPacketId(session, Math.floor(Math.random() * 0x10000));
		sessions.setExpiry(session, expiry);
		sessions.setEndsAt(
			session,
			endsAtSeconds === NEVER_SECONDS
				? clock.deadlineSeconds(expiry)
				: Math.min(
						Math.max(0, Math.ceil(this.#persistentClock.toBrokerTime(endsAtSeconds * 1000) / 1000)),
						// no later than endSecondsToStore() allows, also if the time of the last commit is lost
						clock.deadlineSeconds(expiry) + (expiry >>> 2),
					),
		);
		this.#endsAtSeconds[session] = endsAtSeconds;
		if (expiry !== NEVER_SECONDS)
			sessions.setAbsentSince(session, Math.max(0, sessions.endsAtSeconds(session) - expiry));
		if ((flags & WILL) !== 0) {
			const delay = codec.readU32();
			this.#messages.readMessage();
			const will = sessions.wills.add(this.#messages.message);
			if (will === 0) return session; // no room: the session goes on without it
			sessions.setWill(session, will);
			sessions.setWillDelay(session, delay);
			sessions.setWillAt(session, clock.deadlineSeconds(delay));
		}
		return session;
	}
}
