import type { Core } from "../core/core";
import { shareOfBytes, shareOfEntries } from "../core/shares";
import { CHANGED, type DirtyFlags, IN_USE, STORED } from "../pool/dirty-flags";
import { restoreEntry } from "../session/queue-suspension";
import type { MessageRecords } from "./message-records";
import type { SessionRecords } from "./session-records";
import { CONTENT_KIND, ENTRY_KIND, type RecordKind, type TransactionalStore } from "./transactional-store";

// Kinds of stored entries
const OUTGOING = 0;
/** A packet identifier of an incoming QoS 2 message, as stored by earlier versions. */
const INCOMING_QOS2 = 1;
/** All such packet identifiers of a session. */
const INCOMING_QOS2_LIST = 2;

// Claims of stored messages to a place in the pools, the strongest first
/** The delivery has begun, and the session is within its share. */
const BEGUN = 0;
const WITHIN_SHARE = 1;
const ANY = 2;
const CLAIMS = [BEGUN, WITHIN_SHARE, ANY] as const;
type Claim = (typeof CLAIMS)[number];

const QOS = 6;
const QOS2 = 4;
const RELEASED = 0x10;

/**
 * Number of records for entries: one for each entry of the queues, then one for each session's incoming
 * QoS 2 messages.
 */
export function entryRecords(core: Core): number {
	return core.settings.queuedMessages + core.settings.sessions;
}

/**
 * Stores the QoS 1 and 2 messages that are queued for persistent sessions or in flight to them, and the
 * packet identifiers of incoming QoS 2 messages. A message is stored once, however many sessions it is queued
 * for.
 */
export class QueueRecords {
	readonly #core: Core;
	readonly #recordStore: TransactionalStore;
	readonly #messages: MessageRecords;
	readonly #entryFlags: DirtyFlags;
	readonly #contentFlags: DirtyFlags;

	constructor(core: Core, recordStore: TransactionalStore, messages: MessageRecords) {
		this.#core = core;
		this.#recordStore = recordStore;
		this.#messages = messages;
		this.#entryFlags = recordStore.dirtyFlags[ENTRY_KIND];
		this.#contentFlags = recordStore.dirtyFlags[CONTENT_KIND];
		core.queues.incomingQos2.firstRecord = core.settings.queuedMessages;
	}

	/**
	 * Restores into pools that may be smaller than those of the stored state. Within each session's share,
	 * messages whose delivery has begun go first, then the others; what has no claim follows in the order of
	 * the records.
	 * @returns how many messages could not be restored
	 */
	restore(sessionRecords: SessionRecords): number {
		const { queues, sessions } = this.#core;
		const recordStore = this.#recordStore;
		const contents = new Uint16Array(this.#contentFlags.states.length);
		const { states } = this.#entryFlags;
		let renumbered = false;
		let lost = 0;
		for (let i = 1; i < contents.length; i++)
			if (recordStore.readRecord(CONTENT_KIND, i)) this.loadContent(contents, i);
		for (let i = 1; i < states.length; i++) {
			if (!recordStore.readRecord(ENTRY_KIND, i)) continue;
			const session = sessionRecords.restoredSession(recordStore.codec.readU16());
			const kind = recordStore.codec.readU8();
			if (kind === OUTGOING) {
				if (session === 0) this.#entryFlags.renumber(i, 0);
				else states[i] |= IN_USE;
				continue;
			}
			if (session !== 0) lost += this.restoreIncoming(session, kind);
			if (kind === INCOMING_QOS2 || i !== queues.incomingQos2.firstRecord + session) {
				renumbered = true;
				this.#entryFlags.renumber(i, 0);
			}
		}
		for (const claim of CLAIMS) lost += this.restoreOutgoing(sessionRecords, contents, claim);
		for (let i = 1; i < contents.length; i++) {
			if (contents[i] !== 0 && queues.contents.discardUnused(contents[i])) contents[i] = 0;
			this.#contentFlags.renumber(i, contents[i]);
		}
		queues.trackChanges(this.#entryFlags, this.#contentFlags);
		if (renumbered)
			for (let i = 1; i <= sessions.capacity; i++) this.#entryFlags.mark(queues.incomingQos2.firstRecord + i);
		return lost;
	}

	/**
	 * Restores the outgoing entries whose claim to a place is not below `claim`. Those that wait for their turn
	 * are marked as IN_USE meanwhile.
	 * @returns how many could not be restored
	 */
	private restoreOutgoing(sessionRecords: SessionRecords, contents: Uint16Array, claim: Claim): number {
		const core = this.#core;
		const { queues, subscriptions, settings, counters } = core;
		const { codec } = this.#recordStore;
		const { states } = this.#entryFlags;
		// Messages in flight may be more than those that are queued
		const limit = Math.max(settings.queuedPerClient, settings.inFlight);
		let lost = 0;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & IN_USE) === 0) continue;
			this.rereadRecord(ENTRY_KIND, i);
			const storedSession = codec.readU16();
			const session = sessionRecords.restoredSession(storedSession);
			codec.readU8(); // the kind
			const state = codec.readU8();
			const packetId = codec.readU16();
			if (claim === BEGUN && packetId === 0) continue;
			const storedContent = codec.readU16();
			const identifier = codec.readU32();
			const sequence = codec.readU32();
			const share = codec.at === codec.end ? 0 : subscriptions.tree.find(codec.at, codec.end);
			if (claim !== ANY && queues.entries(session) >= shareOfEntries(core)) continue;
			if (claim !== ANY && storedContent !== 0 && !this.isWithinShare(session, contents, storedContent))
				continue;
			states[i] &= ~IN_USE;
			let entry = 0;
			if (queues.entries(session) < limit && this.mayReceive(session, contents, storedContent))
				entry = restoreEntry(
					queues,
					session,
					contents[storedContent],
					state,
					packetId,
					identifier,
					share,
					sequence,
				);
			if (entry === 0) {
				lost++;
				counters.droppedQueue++;
				queues.addLost(session, 1);
			}
			this.#entryFlags.renumber(i, entry);
			if (entry !== 0 && (session !== storedSession || contents[storedContent] !== storedContent))
				this.#entryFlags.mark(entry);
		}
		return lost;
	}

	/** Whether a content is stored, and does not take a session beyond its share of the bytes. */
	private isWithinShare(session: number, contents: Uint16Array, storedContent: number): boolean {
		const { queues } = this.#core;
		const content = this.contentOf(contents, storedContent);
		return (
			content !== 0 && queues.bytes(session) + queues.contents.arena.size(content) <= shareOfBytes(this.#core)
		);
	}

	/** Whether an entry's content has a place and the session may receive it; true without a content. */
	private mayReceive(session: number, contents: Uint16Array, storedContent: number): boolean {
		if (storedContent === 0) return true;
		const { queues, authorizer } = this.#core;
		const { message } = this.#messages;
		const content = this.contentOf(contents, storedContent);
		if (content === 0) return false;
		queues.contents.readInto(content, message);
		return authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd);
	}

	/**
	 * The restored content of a record; 0 if it is not stored, or has no room beside those that entries refer
	 * to.
	 */
	private contentOf(contents: Uint16Array, record: number): number {
		if (record >= contents.length) return 0;
		if (contents[record] !== 0) return contents[record];
		if ((this.#contentFlags.states[record] & STORED) === 0) return 0;
		for (let i = 1; !this.loadContent(contents, record, true); i++) {
			// Contents that no entry refers to yet give way; their entries come later
			while (
				i < contents.length &&
				(contents[i] === 0 || !this.#core.queues.contents.discardUnused(contents[i]))
			)
				i++;
			if (i >= contents.length) return 0;
			contents[i] = 0;
		}
		return contents[record];
	}

	/** Copies the content that was read last, or is `reread`, into its pool. @returns whether it has room */
	private loadContent(contents: Uint16Array, record: number, reread = false): boolean {
		if (reread) this.rereadRecord(CONTENT_KIND, record);
		this.#messages.readMessage();
		contents[record] = this.#core.queues.contents.add(this.#messages.message);
		return contents[record] !== 0;
	}

	/** Reads a record again; its state may by now be that of another one, restored under this number. */
	private rereadRecord(kind: RecordKind, record: number): void {
		const { states } = this.#recordStore.dirtyFlags[kind];
		const state = states[record];
		this.#recordStore.readRecord(kind, record);
		states[record] = state;
	}

	/** Restores packet identifiers of incoming QoS 2 messages. @returns how many could not be restored */
	private restoreIncoming(session: number, kind: number): number {
		const { incomingQos2 } = this.#core.queues;
		const { codec } = this.#recordStore;
		let lost = 0;
		if (kind === INCOMING_QOS2) codec.readU8();
		while (codec.at < codec.end) {
			if (!incomingQos2.add(session, codec.readU16())) lost++;
			if (kind === INCOMING_QOS2) break;
		}
		return lost;
	}

	save(): void {
		const { queues, sessions } = this.#core;
		if (!this.#entryFlags.changed && !this.#contentFlags.changed) return;
		for (let session = 1; session <= sessions.capacity; session++) {
			if (!sessions.inUse(session) || !sessions.persistent(session)) continue;
			for (let entry = queues.firstInFlight(session); entry !== 0; entry = queues.table.next(entry))
				this.storeEntry(session, entry);
			for (let entry = queues.firstWaiting(session); entry !== 0; entry = queues.table.next(entry))
				this.storeEntry(session, entry);
			this.storeIncoming(session);
		}
		this.dropUnused(this.#entryFlags, ENTRY_KIND);
		this.dropUnused(this.#contentFlags, CONTENT_KIND);
	}

	/** Corrects times after a power loss, as {@link RetainedRecords.backdate}. */
	backdate(missedMs: number): void {
		const { queues } = this.#core;
		for (let i = 1; i < this.#contentFlags.states.length; i++) {
			if (this.#contentFlags.isRestored(i)) queues.age(i, missedMs);
			else this.#contentFlags.mark(i);
		}
	}

	/** Marks an entry and its message as in use, and stores each if it has changed. */
	private storeEntry(session: number, entry: number): void {
		const { queues, subscriptions } = this.#core;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		let state = queues.table.flags(entry);
		if ((state & QOS) === 0) return;
		const content = queues.table.content(entry);
		if (content === 0) {
			// without its content it cannot be sent again; as suspend()
			if ((state & QOS) !== QOS2) return;
			state |= RELEASED;
		}
		if (content !== 0 && !this.storeContent(content)) return;
		if (!markInUse(this.#entryFlags, entry)) return;
		const share = queues.table.share(entry);
		codec.startWriting();
		codec.writeU16(session);
		codec.writeU8(OUTGOING);
		codec.writeU8(state);
		codec.writeU16(queues.table.packetId(entry));
		codec.writeU16(content);
		codec.writeU32(queues.table.identifier(entry));
		codec.writeU32(queues.table.sequence(entry));
		if (share !== 0) codec.at = subscriptions.tree.copyPath(share, codec.bytes, codec.at);
		recordStore.put(ENTRY_KIND, entry);
	}

	/** Marks and stores the packet identifiers of a session's incoming QoS 2 messages, as storeEntry(). */
	private storeIncoming(session: number): void {
		const { incomingQos2 } = this.#core.queues;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		const record = incomingQos2.firstRecord + session;
		const count = incomingQos2.count(session);
		if (count === 0 || !markInUse(this.#entryFlags, record)) return;
		codec.startWriting();
		codec.writeU16(session);
		codec.writeU8(INCOMING_QOS2_LIST);
		for (let i = 0; i < count; i++) codec.writeU16(incomingQos2.at(session, i));
		recordStore.put(ENTRY_KIND, record);
	}

	/** @returns whether the message has a record */
	private storeContent(content: number): boolean {
		const { contents } = this.#core.queues;
		if (!this.#messages.fits(contents, content)) return false;
		if (!markInUse(this.#contentFlags, content)) return true;
		const recordStore = this.#recordStore;
		recordStore.codec.startWriting();
		this.#messages.writeMessage(contents, content);
		recordStore.put(CONTENT_KIND, content);
		return true;
	}

	/** Drops the stored records that are no longer in use. */
	private dropUnused(dirtyFlags: DirtyFlags, kind: RecordKind): void {
		const { states } = dirtyFlags;
		for (let i = 1; i < states.length; i++) {
			const state = states[i];
			states[i] = state & ~IN_USE;
			if ((state & IN_USE) === 0 && (state & STORED) !== 0) this.#recordStore.drop(kind, i);
		}
	}
}

/** Marks a record as in use. Returns whether to store it: it has changed, and was not marked before. */
function markInUse(dirtyFlags: DirtyFlags, record: number): boolean {
	const { states } = dirtyFlags;
	const state = states[record];
	states[record] = state | IN_USE;
	return (state & (CHANGED | STORED)) !== STORED && (state & IN_USE) === 0;
}
