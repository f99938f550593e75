import type { Core } from "../core/core";
import { CHANGED, type DirtyFlags, IN_USE, STORED } from "../pool/dirty-flags";
import type { MessageRecords } from "./message-records";
import type { SessionRecords } from "./session-records";
import { CONTENT_KIND, ENTRY_KIND, type TransactionalStore } from "./transactional-store";

/** Kinds of stored entries. */
const OUTGOING = 0;
const INCOMING_QOS2 = 1;

const QOS = 6;

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
	}

	/** @returns how many messages could not be restored */
	restore(sessions: SessionRecords): number {
		const { queues, subscriptions, authorizer } = this.#core;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		const contents = new Uint16Array(this.#contentFlags.states.length);
		const { message } = this.#messages;
		let lost = 0;
		for (let i = 1; i < contents.length; i++) {
			if (!recordStore.readRecord(CONTENT_KIND, i)) continue;
			this.#messages.readMessage();
			const content = queues.contents.add(message);
			contents[i] = content;
			this.#contentFlags.renumber(i, content);
		}
		for (let i = 1; i < this.#entryFlags.states.length; i++) {
			if (!recordStore.readRecord(ENTRY_KIND, i)) continue;
			const storedSession = codec.readU16();
			const session = sessions.restoredSession(storedSession);
			const kind = codec.readU8();
			const state = codec.readU8();
			const packetId = codec.readU16();
			const storedContent = codec.readU16();
			const identifier = codec.readU32();
			const sequence = codec.readU32();
			let entry = 0;
			let content = 0;
			if (session !== 0 && kind === INCOMING_QOS2) entry = queues.incomingQos2.add(session, packetId);
			else if (session !== 0) {
				content = contents[storedContent] ?? 0;
				const share = codec.at === codec.end ? 0 : subscriptions.tree.find(codec.bytes, codec.at, codec.end);
				let allowed = storedContent === 0 || content !== 0;
				if (content !== 0) {
					queues.contents.readInto(content, message);
					allowed = authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd);
				}
				entry = allowed ? queues.restore(session, content, state, packetId, identifier, share, sequence) : 0;
			}
			if (entry === 0 && session !== 0) lost++;
			this.#entryFlags.renumber(i, entry);
			if (entry !== 0 && (session !== storedSession || content !== storedContent))
				this.#entryFlags.mark(entry);
		}
		for (let i = 1; i < contents.length; i++) {
			if (contents[i] === 0 || !queues.discardUnused(contents[i])) continue;
			this.#contentFlags.mark(contents[i]);
		}
		queues.trackChanges(this.#entryFlags, this.#contentFlags);
		return lost;
	}

	save(): void {
		const { queues, sessions } = this.#core;
		if (!this.#entryFlags.changed && !this.#contentFlags.changed) return;
		for (let session = 1; session <= sessions.capacity; session++) {
			if (!sessions.inUse(session) || !sessions.persistent(session)) continue;
			for (let entry = queues.firstInFlight(session); entry !== 0; entry = queues.next(entry))
				this.storeEntry(session, entry, OUTGOING);
			for (let entry = queues.firstWaiting(session); entry !== 0; entry = queues.next(entry))
				this.storeEntry(session, entry, OUTGOING);
			for (let entry = queues.incomingQos2.first(session); entry !== 0; entry = queues.next(entry))
				this.storeEntry(session, entry, INCOMING_QOS2);
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
	private storeEntry(session: number, entry: number, kind: number): void {
		const { queues, subscriptions } = this.#core;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		const state = queues.allFlags(entry);
		if (kind === OUTGOING && (state & QOS) === 0) return;
		const content = queues.content(entry);
		if (content !== 0 && !this.storeContent(content)) return;
		if (!markInUse(this.#entryFlags, entry)) return;
		const share = queues.share(entry);
		codec.startWriting();
		codec.writeU16(session);
		codec.writeU8(kind);
		codec.writeU8(state);
		codec.writeU16(queues.packetId(entry));
		codec.writeU16(content);
		codec.writeU32(queues.identifier(entry));
		codec.writeU32(queues.sequence(entry));
		if (share !== 0) codec.at = subscriptions.tree.copyPath(share, codec.bytes, codec.at);
		recordStore.put(ENTRY_KIND, entry);
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
	private dropUnused(dirtyFlags: DirtyFlags, kind: number): void {
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
