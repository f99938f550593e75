import type { DirtyFlags } from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import type { Message } from "../pool/message";
import { IncomingQos2 } from "./incoming-qos2";
import { QueueContents } from "./queue-contents";
import { QueueEntries, RELEASED, type ShareNames } from "./queue-entries";
import {
	BYTES,
	FIRST_IN_FLIGHT,
	FIRST_WAITING,
	IN_FLIGHT,
	LAST_IN_FLIGHT,
	LAST_WAITING,
	LISTS_WIDTH,
	LOST,
	LOST_LIMIT,
	UNTRACKED,
	WAITING,
} from "./queue-lists";

/**
 * Outgoing messages of each session. An entry is one message for one session, in one of two lists: waiting to
 * be sent, or in flight with a packet identifier until it is acknowledged (acknowledgement.ts). When the
 * connection ends, in-flight entries return to the front of the waiting list and keep their identifier
 * (queue-suspension.ts). Entries and contents come from pools that all sessions share; a content is stored
 * once for all its entries.
 *
 * The pools belong to the sessions in equal shares. What the others leave free is lent, and takeBack() of
 * queue-release.ts takes it from a session again. No recipient can therefore hold up a message: without room
 * for its entry, a message to a connected client is sent without one.
 */
export class OutgoingQueues {
	/** Contents of the entries. */
	readonly contents: QueueContents;
	/** Packet identifiers of received QoS 2 messages. */
	readonly incomingQos2: IncomingQos2;
	/** The entries, and what each session has of them, see queue-lists.ts: for the files of this folder. */
	readonly table: QueueEntries;
	readonly lists: Uint16Array | Uint32Array;
	/**
	 * What no session exceeds, in entries and in bytes, if a search has found it out since a session got more;
	 * otherwise 0.
	 */
	mostEntries = 0;
	mostBytes = 0;
	/** No waiting message expires before this, ms of the broker's clock. */
	nextExpiryAt = 0;
	/** Entries of one session. */
	readonly limit: number;

	/**
	 * @param records entries
	 * @param bytes for contents
	 * @param limit entries of one session
	 * @param inFlight the highest number of them in flight
	 * @param receiveMaximum incoming QoS 2 messages of one session
	 */
	constructor(
		memory: Memory,
		sessions: number,
		records: number,
		bytes: number,
		limit: number,
		inFlight: number,
		receiveMaximum: number,
	) {
		const { tables } = memory;
		this.contents = new QueueContents(memory, bytes, records);
		this.limit = limit;
		this.table = new QueueEntries(tables, records);
		this.incomingQos2 = new IncomingQos2(tables, sessions, receiveMaximum);
		const cells = LISTS_WIDTH * sessions + LISTS_WIDTH;
		this.lists = Math.max(limit, inFlight) * bytes > 0xffff ? tables.u32(cells) : tables.u16(cells);
	}

	/** Free entries. */
	get free(): number {
		return this.table.free;
	}

	/** Waiting entries of a session. */
	waiting(session: number): number {
		return this.lists[LISTS_WIDTH * session + WAITING];
	}

	/** Messages of a session in flight, with an entry or without. */
	inFlight(session: number): number {
		const row = LISTS_WIDTH * session;
		const untracked = this.lists[row + UNTRACKED];
		return this.lists[row + IN_FLIGHT] + (untracked & 0xff) + (untracked >> 8);
	}

	/** Entries of a session. */
	entries(session: number): number {
		const row = LISTS_WIDTH * session;
		return this.lists[row + WAITING] + this.lists[row + IN_FLIGHT];
	}

	/** Bytes of the contents of these entries. */
	bytes(session: number): number {
		return this.lists[LISTS_WIDTH * session + BYTES];
	}

	/** Whether the last waiting message of a session was never sent. */
	hasUnsent(session: number): boolean {
		const last = this.lists[LISTS_WIDTH * session + LAST_WAITING];
		return last !== 0 && this.table.packetId(last) === 0;
	}

	/** Whether a session has reached its limit of entries. */
	isFull(session: number): boolean {
		return this.entries(session) >= this.limit;
	}

	/** Messages that a session has lost for lack of room since it began. */
	lost(session: number): number {
		return this.lists[LISTS_WIDTH * session + LOST];
	}

	/** Counts lost messages of a session. */
	addLost(session: number, count: number): void {
		const at = LISTS_WIDTH * session + LOST;
		this.lists[at] = Math.min(this.lists[at] + count, LOST_LIMIT);
	}

	/**
	 * Queues the message for a session; false if its limit, the entries or the bytes are used up.
	 * @param share the shared subscription's name, 0 for none
	 */
	push(session: number, message: Message, flags: number, identifier: number, share: number): boolean {
		const { contents, table } = this;
		if (this.isFull(session) || table.free === 0 || !contents.reserve(message)) return false;
		const content = contents.current;
		this.forgetMost();
		this.refer(session, content);
		const entry = table.allocate(content, flags, identifier, share);
		this.expectExpiry(content);
		this.appendToList(LISTS_WIDTH * session + FIRST_WAITING, entry);
		this.lists[LISTS_WIDTH * session + WAITING]++;
		return true;
	}

	/**
	 * Moves the first waiting entry of a session to the end of another's queue, as a message that was not sent
	 * yet.
	 */
	moveFirst(session: number, to: number, flags: number, identifier: number): void {
		const { table, lists } = this;
		const entry = lists[LISTS_WIDTH * session + FIRST_WAITING];
		const content = table.content(entry);
		const size = this.contents.arena.size(content);
		this.unlinkWaiting(session, 0, entry);
		lists[LISTS_WIDTH * session + BYTES] -= size;
		lists[LISTS_WIDTH * to + BYTES] += size;
		this.forgetMost();
		table.renew(entry, flags, identifier);
		this.expectExpiry(content);
		this.appendToList(LISTS_WIDTH * to + FIRST_WAITING, entry);
		lists[LISTS_WIDTH * to + WAITING]++;
	}

	/** The first waiting entry of a session; 0 if none waits. */
	firstWaiting(session: number): number {
		return this.lists[LISTS_WIDTH * session + FIRST_WAITING];
	}

	/** The flags of its PUBLISH, low nibble of the first byte. */
	flags(entry: number): number {
		return this.table.flags(entry) & 15;
	}

	/** Whether only PUBREL must be sent for a waiting entry. */
	released(entry: number): boolean {
		return (this.table.flags(entry) & RELEASED) !== 0;
	}

	/**
	 * Makes messages of shared subscriptions that have ended ordinary ones of their sessions. Called when one
	 * may have ended, before its node can serve another name.
	 */
	forgetEndedShares(tree: ShareNames): void {
		this.table.forgetEndedShares(tree);
	}

	/** Reads the content of a waiting entry into `message`. */
	read(entry: number, message: Message): void {
		this.contents.readInto(this.table.content(entry), message);
	}

	/** Drops the first waiting entry, which was sent with QoS 0 or is no longer needed. */
	dropFirst(session: number): void {
		this.dropWaiting(session, 0, this.lists[LISTS_WIDTH * session + FIRST_WAITING]);
	}

	/**
	 * Moves the first waiting entry, which was sent, to the in-flight list.
	 * @param keep whether it may have to be sent again
	 */
	moveToInFlight(session: number, packetId: number, keep: boolean): void {
		const entry = this.lists[LISTS_WIDTH * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		if (!keep) this.releaseContent(session, entry);
		// [MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.10.4-3] [MQTT-3.1.1:4.1.0-2]
		this.table.setPacketId(entry, packetId);
		this.appendToList(LISTS_WIDTH * session + FIRST_IN_FLIGHT, entry);
		this.lists[LISTS_WIDTH * session + IN_FLIGHT]++;
	}

	/**
	 * Adds a message that was sent at once to those in flight. Without a free entry only their number grows:
	 * then an acknowledgement with an unknown identifier counts as that of such a message.
	 * @param keep whether it may have to be sent again; then its content should be reserved
	 */
	addInFlight(
		session: number,
		packetId: number,
		flags: number,
		identifier: number,
		share: number,
		keep: boolean,
	): void {
		const table = this.table;
		const row = LISTS_WIDTH * session;
		if (table.free === 0) {
			this.lists[row + UNTRACKED]++;
			return;
		}
		this.forgetMost();
		const content = keep ? this.contents.current : 0;
		if (content !== 0) this.refer(session, content);
		this.appendToList(row + FIRST_IN_FLIGHT, table.allocate(content, flags, identifier, share, packetId));
		this.lists[row + IN_FLIGHT]++;
	}

	/** Drops all entries of a session. */
	clear(session: number): void {
		const row = LISTS_WIDTH * session;
		while (this.lists[row + FIRST_WAITING] !== 0) this.dropFirst(session);
		let entry = this.lists[row + FIRST_IN_FLIGHT];
		while (entry !== 0) {
			const next = this.table.next(entry);
			this.releaseEntry(session, entry);
			entry = next;
		}
		this.lists[row + FIRST_IN_FLIGHT] = 0;
		this.lists[row + LAST_IN_FLIGHT] = 0;
		this.lists[row + IN_FLIGHT] = 0;
		this.lists[row + UNTRACKED] = 0;
		this.lists[row + LOST] = 0;
		this.incomingQos2.clear(session);
	}

	// Persistence

	/** Records changed entries and contents from now on. */
	trackChanges(entries: DirtyFlags, contents: DirtyFlags): void {
		this.table.dirtyFlags = entries;
		this.contents.dirtyFlags = contents;
		this.incomingQos2.dirtyFlags = entries;
	}

	/** The first entry in flight of a session; 0 if there is none. */
	firstInFlight(session: number): number {
		return this.lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	}

	/** Moves the arrival time of a content back by `ms`. */
	age(content: number, ms: number): void {
		this.contents.backdate(content, ms);
		this.nextExpiryAt = 0;
	}

	/** Lets dropExpired() look again when a content has expired. */
	private expectExpiry(content: number): void {
		const due = this.contents.expiresAtMs(content);
		if (due < this.nextExpiryAt) this.nextExpiryAt = due;
	}

	/**
	 * Appends an entry to the list whose first entry is at index `head`, and whose last one is at `head + 1`.
	 */
	private appendToList(head: number, entry: number): void {
		const lists = this.lists;
		const last = lists[head + 1];
		if (last === 0) lists[head] = entry;
		else this.table.setNext(last, entry);
		lists[head + 1] = entry;
	}

	// For the files of this folder

	/** Unlinks a waiting entry, which comes after `previous`; 0: it is the first. */
	unlinkWaiting(session: number, previous: number, entry: number): void {
		const { table } = this;
		const row = LISTS_WIDTH * session;
		if (previous === 0) this.lists[row + FIRST_WAITING] = table.next(entry);
		else table.setNext(previous, table.next(entry));
		if (this.lists[row + LAST_WAITING] === entry) this.lists[row + LAST_WAITING] = previous;
		table.setNext(entry, 0);
		this.lists[LISTS_WIDTH * session + WAITING]--;
	}

	/** Unlinks and releases a waiting entry. */
	dropWaiting(session: number, previous: number, entry: number): void {
		this.unlinkWaiting(session, previous, entry);
		this.releaseEntry(session, entry);
	}

	/** Unlinks an entry in flight, as unlinkWaiting(). */
	unlinkInFlight(session: number, previous: number, entry: number): void {
		const lists = this.lists;
		const row = LISTS_WIDTH * session;
		const next = this.table.next(entry);
		if (previous === 0) lists[row + FIRST_IN_FLIGHT] = next;
		else this.table.setNext(previous, next);
		if (next === 0) lists[row + LAST_IN_FLIGHT] = previous;
		lists[row + IN_FLIGHT]--;
	}

	private forgetMost(): void {
		this.mostEntries = 0;
		this.mostBytes = 0;
	}

	/** Counts an entry's reference to a content, and the content's bytes for its session. */
	refer(session: number, content: number): void {
		this.contents.refer(content);
		this.lists[LISTS_WIDTH * session + BYTES] += this.contents.arena.size(content);
	}

	/** Ends an entry's reference to its content. */
	releaseContent(session: number, entry: number): void {
		const content = this.table.content(entry);
		if (content === 0) return;
		this.table.dropContent(entry);
		this.lists[LISTS_WIDTH * session + BYTES] -= this.contents.arena.size(content);
		this.contents.dereference(content);
	}

	/** Releases an entry that is in no list, and its content. */
	releaseEntry(session: number, entry: number): void {
		this.releaseContent(session, entry);
		this.table.release(entry);
	}
}
