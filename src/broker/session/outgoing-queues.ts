import { DUP } from "../../mqtt/constants";
import type { DirtyFlags } from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import type { Message } from "../pool/message";
import { Messages } from "../pool/messages";
import type { Tables } from "../pool/tables";
import { IncomingQos2 } from "./incoming-qos2";
import { QueueEntries } from "./queue-entries";

const QOS_MASK = 6;
/** In an entry's flags: its PUBLISH was taken, it waits for PUBCOMP. */
const RELEASED = 0x10;

// Columns of a session: the ends of its lists
const FIRST_WAITING = 0;
const LAST_WAITING = 1;
const FIRST_IN_FLIGHT = 2;
const LAST_IN_FLIGHT = 3;
/** How many wait, and how many are under way. */
const WAITING = 4;
const IN_FLIGHT = 5;
const LISTS_WIDTH = 6;

/**
 * Messages on their way to each session. An entry is one message for one session, in one of two lists:
 * waiting to be sent, or under way with a packet identifier until its acknowledgement. What was under way
 * when the connection ended is at the front of the waiting ones again, with its identifier. Entries and
 * contents come from pools that all sessions share; a content is kept once however many wait for it.
 */
export class OutgoingQueues {
	/** What entries carry. */
	readonly contents: Messages;
	/** What came in with QoS 2, which takes entries too. */
	readonly incomingQos2: IncomingQos2;
	readonly #limit: number;
	readonly #entries: QueueEntries;
	/** Entries that carry each content. */
	readonly #references: Uint16Array;
	readonly #lists: Uint16Array;
	/** The content of the message that is being handed out, once one session has to wait for it. */
	#currentContent = 0;
	/** No waiting message expires before this, ms of the broker's clock. */
	#nextExpiryAt = 0;
	/** Where changes of contents are noted, if they are to outlive a restart. */
	#contentDirtyFlags: DirtyFlags | undefined = undefined;

	/** @param records entries @param bytes for contents @param limit entries of one session */
	constructor(memory: Memory, sessions: number, records: number, bytes: number, limit: number) {
		const { tables } = memory;
		this.contents = new Messages(memory, memory.arena(bytes, records), records);
		this.#limit = limit;
		this.#entries = new QueueEntries(tables, records);
		this.incomingQos2 = new IncomingQos2(tables, this.#entries, sessions);
		this.#lists = tables.u16(LISTS_WIDTH * sessions + LISTS_WIDTH);
		this.#references = tables.u16(records + 1);
	}

	/** Entries that are free. */
	get free(): number {
		return this.#entries.free;
	}

	/** The fewest that ever were. */
	get leastFree(): number {
		return this.#entries.leastFree;
	}

	/** Waiting entries of a session. */
	waiting(session: number): number {
		return this.#lists[LISTS_WIDTH * session + WAITING];
	}

	/** Entries of a session that are under way. */
	inFlight(session: number): number {
		return this.#lists[LISTS_WIDTH * session + IN_FLIGHT];
	}

	/** Whether a session has as many entries as it may have. */
	isFull(session: number): boolean {
		return this.waiting(session) + this.inFlight(session) >= this.#limit;
	}

	/** Whether a content of this message could be kept. */
	fits(message: Message): boolean {
		return (
			this.#currentContent !== 0 ||
			(!this.contents.arena.exhausted && this.contents.roundedSize(message) <= this.contents.arena.free)
		);
	}

	/** Whether a content of this message could be kept if there were no other. */
	fitsWhenEmpty(message: Message): boolean {
		const { arena } = this.contents;
		return this.contents.roundedSize(message) <= arena.free + arena.used;
	}

	/** From here on all is about another message; to be ended with end(). */
	beginMessage(): void {
		this.endMessage(); // in case an exception kept the last one from it
	}

	/** Forgets a message that was reserved and then needed by nobody. */
	endMessage(): void {
		const content = this.#currentContent;
		this.#currentContent = 0;
		if (content === 0 || this.#references[content] !== 0) return;
		this.contents.arena.release(content);
		this.#contentDirtyFlags?.mark(content);
	}

	/** Keeps the message, so that passed() can count on it; false when there is no room. */
	reserve(message: Message): boolean {
		if (this.#currentContent !== 0) return true;
		const content = this.contents.add(message);
		if (content === 0) return false;
		this.#references[content] = 0;
		this.#contentDirtyFlags?.mark(content);
		this.#currentContent = content;
		return true;
	}

	/**
	 * Lets a session wait for the message; false when its own limit, the entries or the bytes are used up.
	 * @param share the shared subscription's name, 0 for none
	 */
	push(session: number, message: Message, flags: number, identifier: number, share: number): boolean {
		if (this.isFull(session) || this.free === 0 || !this.reserve(message)) return false;
		this.enqueue(session, this.#currentContent, flags, identifier, share);
		return true;
	}

	/**
	 * Lets another session wait for what an entry carries; false when its own limit or the entries are used up.
	 */
	enqueueCopy(entry: number, session: number, flags: number, identifier: number, share: number): boolean {
		if (this.isFull(session) || this.free === 0) return false;
		this.enqueue(session, this.#entries.content(entry), flags, identifier, share);
		return true;
	}

	/**
	 * Drops the waiting messages whose expiry has passed [MQTT-3.3.2-5], but for those whose delivery had begun
	 * [MQTT-4.3.3-7]. Looks at none as long as none can have expired.
	 * @param now ms of the broker's clock
	 * @returns how many were dropped
	 */
	dropExpired(now: number): number {
		if (now < this.#nextExpiryAt) return 0;
		const entries = this.#entries;
		const lists = this.#lists;
		let nextExpiryAt = Number.POSITIVE_INFINITY;
		let dropped = 0;
		for (let row = LISTS_WIDTH; row < lists.length; row += LISTS_WIDTH) {
			let previous = 0;
			let entry = lists[row + FIRST_WAITING];
			while (entry !== 0) {
				const next = entries.next(entry);
				const due =
					entries.packetId(entry) === 0
						? this.contents.expiresAtMs(entries.content(entry))
						: Number.POSITIVE_INFINITY;
				if (due > now) {
					if (due < nextExpiryAt) nextExpiryAt = due;
					previous = entry;
				} else {
					this.unlinkWaiting(row / LISTS_WIDTH, previous, entry);
					this.releaseEntry(entry);
					dropped++;
				}
				entry = next;
			}
		}
		this.#nextExpiryAt = nextExpiryAt;
		return dropped;
	}

	/**
	 * Drops the oldest waiting QoS 0 message of a session, to make room for a better one; false when there is
	 * none.
	 */
	dropOldestQos0(session: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		while (entry !== 0 && (entries.flags(entry) & (QOS_MASK | RELEASED)) !== 0) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return false;
		this.unlinkWaiting(session, previous, entry);
		this.releaseEntry(entry);
		return true;
	}

	/** The first waiting entry of a session; 0 if none waits. */
	firstWaiting(session: number): number {
		return this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
	}

	/** The entry after it in the same list; 0 after the last. */
	next(entry: number): number {
		return this.#entries.next(entry);
	}

	/** The low nibble of its PUBLISH. */
	flags(entry: number): number {
		return this.#entries.flags(entry) & 15;
	}

	/** Whether only PUBREL is to be sent for a waiting entry. */
	released(entry: number): boolean {
		return (this.#entries.flags(entry) & RELEASED) !== 0;
	}

	/** Its packet identifier; 0 for a waiting entry that was not sent on an earlier connection. */
	packetId(entry: number): number {
		return this.#entries.packetId(entry);
	}

	/** The subscription identifier it goes with; 0 for none. */
	identifier(entry: number): number {
		return this.#entries.identifier(entry);
	}

	/** The name of the shared subscription it came through; 0 for none. */
	share(entry: number): number {
		return this.#entries.share(entry);
	}

	/** Fills `message` with what a waiting entry carries. */
	read(entry: number, message: Message): void {
		this.contents.readInto(this.#entries.content(entry), message);
	}

	/** The first waiting entry was sent with QoS 0, or is not wanted any more. */
	dropFirst(session: number): void {
		const entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		this.releaseEntry(entry);
	}

	/** The first waiting entry was sent and is under way. @param keep whether it may have to be sent again */
	moveToInFlight(session: number, packetId: number, keep: boolean): void {
		const entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		if (!keep) this.releaseContent(entry);
		// [MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.10.4-3] [MQTT-3.1.1:4.1.0-2]
		this.appendInFlight(session, entry, packetId);
	}

	/**
	 * A message was sent without waiting and is under way; there must be a free entry, and the message reserved
	 * if it is kept.
	 */
	addInFlight(
		session: number,
		packetId: number,
		flags: number,
		identifier: number,
		share: number,
		keep: boolean,
	): void {
		const content = keep ? this.#currentContent : 0;
		if (content !== 0) this.#references[content]++;
		this.appendInFlight(session, this.#entries.allocate(content, flags, identifier, share), packetId);
	}

	/** Whether a packet identifier is under way, or was when the last connection ended. */
	isPacketIdInUse(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
		while (entry !== 0 && entries.packetId(entry) !== packetId) entry = entries.next(entry);
		if (entry !== 0) return true;
		entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		while (entry !== 0 && entries.packetId(entry) !== 0) {
			if (entries.packetId(entry) === packetId) return true;
			entry = entries.next(entry);
		}
		return false;
	}

	/**
	 * Ends what is under way with a packet identifier.
	 * @param qos 2 (QOS1) or 4 (QOS2), as in the flags of PUBLISH
	 * @param released whether PUBREL was sent for it
	 * @returns false if nothing of that kind was
	 */
	complete(session: number, packetId: number, qos: number, released: boolean): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
		while (entry !== 0 && entries.packetId(entry) !== packetId) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (
			entry === 0 ||
			(entries.flags(entry) & QOS_MASK) !== qos ||
			((entries.flags(entry) & RELEASED) !== 0) !== released
		)
			return false;
		const row = LISTS_WIDTH * session;
		if (previous === 0) this.#lists[row + FIRST_IN_FLIGHT] = entries.next(entry);
		else entries.setNext(previous, entries.next(entry));
		if (this.#lists[row + LAST_IN_FLIGHT] === entry) this.#lists[row + LAST_IN_FLIGHT] = previous;
		this.#lists[LISTS_WIDTH * session + IN_FLIGHT]--;
		this.releaseEntry(entry);
		return true;
	}

	/**
	 * A QoS 2 message under way was taken: from now on PUBREL is owed for it [MQTT-4.3.3-4]. False if no such
	 * message is under way.
	 */
	markReleased(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
		while (entry !== 0 && entries.packetId(entry) !== packetId) entry = entries.next(entry);
		if (entry === 0 || (entries.flags(entry) & QOS_MASK) !== 4) return false;
		entries.setFlags(entry, entries.flags(entry) | RELEASED);
		this.releaseContent(entry);
		return true;
	}

	/**
	 * The client of a lasting session is gone: what was under way waits again, in its order [MQTT-4.4.0-1]
	 * [MQTT-4.6.0-1]; QoS 0 messages are dropped.
	 */
	suspend(session: number): void {
		while (this.dropOldestQos0(session));
		const entries = this.#entries;
		const row = LISTS_WIDTH * session;
		const lists = this.#lists;
		const first = lists[row + FIRST_IN_FLIGHT];
		if (first === 0) return;
		for (let entry = first; entry !== 0; entry = entries.next(entry)) {
			const flags = entries.flags(entry);
			if ((flags & RELEASED) === 0) entries.setFlags(entry, flags | DUP); // [MQTT-3.3.1-1]
		}
		const last = lists[row + LAST_IN_FLIGHT];
		entries.setNext(last, lists[row + FIRST_WAITING]);
		if (lists[row + FIRST_WAITING] === 0) lists[row + LAST_WAITING] = last;
		lists[row + FIRST_WAITING] = first;
		lists[row + FIRST_IN_FLIGHT] = 0;
		lists[row + LAST_IN_FLIGHT] = 0;
		lists[row + WAITING] += lists[row + IN_FLIGHT];
		this.#lists[LISTS_WIDTH * session + IN_FLIGHT] = 0;
	}

	/** Forgets everything of a session. */
	clear(session: number): void {
		const row = LISTS_WIDTH * session;
		while (this.#lists[row + FIRST_WAITING] !== 0) this.dropFirst(session);
		let entry = this.#lists[row + FIRST_IN_FLIGHT];
		while (entry !== 0) {
			const next = this.#entries.next(entry);
			this.releaseEntry(entry);
			entry = next;
		}
		this.#lists[row + FIRST_IN_FLIGHT] = 0;
		this.#lists[row + LAST_IN_FLIGHT] = 0;
		this.#lists[row + IN_FLIGHT] = 0;
		this.incomingQos2.clear(session);
	}

	// What is kept over a restart

	/** Numbers entries in the order in which they came, before any is taken. @param records entries */
	enableSequences(tables: Tables, records: number): void {
		this.#entries.enableSequences(tables, records);
	}

	/** Notes from now on what changes. */
	trackChanges(entries: DirtyFlags, contents: DirtyFlags): void {
		this.#entries.dirtyFlags = entries;
		this.#contentDirtyFlags = contents;
	}

	firstInFlight(session: number): number {
		return this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	}

	/** All flags of an entry, as restore() takes them. */
	allFlags(entry: number): number {
		return this.#entries.flags(entry);
	}

	/** What an entry carries; 0 for nothing any more. */
	content(entry: number): number {
		return this.#entries.content(entry);
	}

	/** Its number in the order in which entries came. */
	sequence(entry: number): number {
		return this.#entries.sequence(entry);
	}

	/**
	 * Lets a session wait for a content again, behind those of a lower number in order; 0 when its own limit or
	 * the entries are used up.
	 */
	restore(
		session: number,
		content: number,
		state: number,
		packetId: number,
		identifier: number,
		share: number,
		sequence: number,
	): number {
		if (this.isFull(session) || this.free === 0) return 0;
		const entries = this.#entries;
		const lists = this.#lists;
		const row = LISTS_WIDTH * session;
		const sent = packetId !== 0 && (state & RELEASED) === 0;
		const entry = entries.allocate(content, sent ? state | DUP : state, identifier, share); // [MQTT-3.3.1-1]
		entries.setPacketId(entry, packetId);
		entries.setSequence(entry, sequence);
		if (content !== 0) this.#references[content]++;
		let previous = 0;
		let following = lists[row + FIRST_WAITING];
		while (following !== 0 && ((entries.sequence(following) - sequence) | 0) < 0) {
			previous = following;
			following = entries.next(following);
		}
		entries.setNext(entry, following);
		if (previous === 0) lists[row + FIRST_WAITING] = entry;
		else entries.setNext(previous, entry);
		if (following === 0) lists[row + LAST_WAITING] = entry;
		lists[row + WAITING]++;
		return entry;
	}

	/** Gives back a restored content, if nobody waits for it. @returns whether it did */
	discardUnused(content: number): boolean {
		if (this.#references[content] !== 0) return false;
		this.contents.arena.release(content);
		return true;
	}

	/** A content arrived so much earlier, ms. */
	age(content: number, ms: number): void {
		this.contents.backdate(content, ms);
		this.#nextExpiryAt = 0;
	}

	private enqueue(session: number, content: number, flags: number, identifier: number, share: number): void {
		this.#references[content]++;
		const entry = this.#entries.allocate(content, flags, identifier, share);
		const due = this.contents.expiresAtMs(content);
		if (due < this.#nextExpiryAt) this.#nextExpiryAt = due;
		this.appendToList(LISTS_WIDTH * session + FIRST_WAITING, entry);
		this.#lists[LISTS_WIDTH * session + WAITING]++;
	}

	private appendInFlight(session: number, entry: number, packetId: number): void {
		this.#entries.setPacketId(entry, packetId);
		this.appendToList(LISTS_WIDTH * session + FIRST_IN_FLIGHT, entry);
		this.#lists[LISTS_WIDTH * session + IN_FLIGHT]++;
	}

	/** Puts an entry at the end of the list whose head is there; its tail is the next column. */
	private appendToList(head: number, entry: number): void {
		const lists = this.#lists;
		if (lists[head + 1] === 0) lists[head] = entry;
		else this.#entries.setNext(lists[head + 1], entry);
		lists[head + 1] = entry;
	}

	private unlinkWaiting(session: number, previous: number, entry: number): void {
		const entries = this.#entries;
		const row = LISTS_WIDTH * session;
		if (previous === 0) this.#lists[row + FIRST_WAITING] = entries.next(entry);
		else entries.setNext(previous, entries.next(entry));
		if (this.#lists[row + LAST_WAITING] === entry) this.#lists[row + LAST_WAITING] = previous;
		entries.setNext(entry, 0);
		this.#lists[LISTS_WIDTH * session + WAITING]--;
	}

	private releaseContent(entry: number): void {
		const content = this.#entries.content(entry);
		if (content === 0) return;
		this.#entries.dropContent(entry);
		if (--this.#references[content] === 0) {
			this.contents.arena.release(content);
			this.#contentDirtyFlags?.mark(content);
			if (this.#currentContent === content) this.#currentContent = 0;
		}
	}

	private releaseEntry(entry: number): void {
		this.releaseContent(entry);
		this.#entries.release(entry);
	}
}
