import { DUP, QOS1 } from "../../mqtt/constants";
import {
	actionOn,
	COMPLETE,
	type DeliveryAction,
	type DeliveryPacket,
	IDLE,
	PUBACK_PENDING,
	PUBCOMP_ARRIVES,
	PUBCOMP_PENDING,
	PUBREC_ARRIVES,
	PUBREC_PENDING,
	SEND_PUBREL,
	type SenderState,
} from "../../session/delivery";
import type { DirtyFlags } from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import type { Message } from "../pool/message";
import { Messages } from "../pool/messages";
import type { Tables } from "../pool/tables";
import { IncomingQos2 } from "./incoming-qos2";
import { QueueEntries, type ShareNames } from "./queue-entries";

const QOS_MASK = 6;
/** In an entry's flags: PUBREC was received, PUBCOMP is pending. */
const RELEASED = 0x10;

// Columns of a session: the ends of its lists
const FIRST_WAITING = 0;
const LAST_WAITING = 1;
const FIRST_IN_FLIGHT = 2;
const LAST_IN_FLIGHT = 3;
/** Number of waiting and of in-flight entries. */
const WAITING = 4;
const IN_FLIGHT = 5;
/** Bytes of the contents of all entries; a content that several entries share counts for each. */
const BYTES = 6;
/**
 * Messages in flight that have no entry, see addInFlight(): in the low byte those that the client has not
 * received for all we know, above it, in units of RECEIVED, those of QoS 2 that wait for PUBCOMP only.
 */
const UNTRACKED = 7;
/** Messages lost for lack of room, up to the largest number that 16 bits hold. */
const LOST = 8;
const LISTS_WIDTH = 9;
const LOST_LIMIT = 0xffff;
/** Unit of the received ones among the UNTRACKED; `inFlight` is at most 64. */
const RECEIVED = 0x100;

/**
 * Outgoing messages of each session. An entry is one message for one session, in one of two lists: waiting to
 * be sent, or in flight with a packet identifier until it is acknowledged. When the connection ends,
 * in-flight entries return to the front of the waiting list and keep their identifier. Entries and contents
 * come from pools that all sessions share; a content is stored once for all its entries.
 *
 * The pools belong to the sessions in equal shares. What the others leave free is lent, and takeBack() takes
 * it from a session again. No recipient can therefore hold up a message: without room for its entry, a
 * message to a connected client is sent without one.
 */
export class OutgoingQueues {
	/** Contents of the entries. */
	readonly contents: Messages;
	/** Packet identifiers of received QoS 2 messages. */
	readonly incomingQos2: IncomingQos2;
	/**
	 * What no session exceeds, in entries and in bytes, if a search has found it out since a session got more;
	 * otherwise 0.
	 */
	mostEntries = 0;
	mostBytes = 0;
	readonly #limit: number;
	readonly #entries: QueueEntries;
	/** Number of entries that refer to each content. */
	readonly #references: Uint16Array;
	readonly #lists: Uint16Array | Uint32Array;
	/** The content of the message that is being routed, once it is reserved. */
	#currentContent = 0;
	/** No waiting message expires before this, ms of the broker's clock. */
	#nextExpiryAt = 0;
	/** Records changed contents; undefined without persistence. */
	#contentDirtyFlags: DirtyFlags | undefined = undefined;

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
		this.contents = new Messages(memory, memory.arena(bytes, records), records);
		this.#limit = limit;
		this.#entries = new QueueEntries(tables, records);
		this.incomingQos2 = new IncomingQos2(tables, sessions, receiveMaximum);
		const cells = LISTS_WIDTH * sessions + LISTS_WIDTH;
		this.#lists = Math.max(limit, inFlight) * bytes > 0xffff ? tables.u32(cells) : tables.u16(cells);
		this.#references = tables.u16(records + 1);
	}

	/** Free entries. */
	get free(): number {
		return this.#entries.free;
	}

	/** Lowest number of free entries so far. */
	get leastFree(): number {
		return this.#entries.leastFree;
	}

	/** Waiting entries of a session. */
	waiting(session: number): number {
		return this.#lists[LISTS_WIDTH * session + WAITING];
	}

	/** Messages of a session in flight, with an entry or without. */
	inFlight(session: number): number {
		const row = LISTS_WIDTH * session;
		const untracked = this.#lists[row + UNTRACKED];
		return this.#lists[row + IN_FLIGHT] + (untracked & 0xff) + (untracked >> 8);
	}

	/** Entries of a session. */
	entries(session: number): number {
		const row = LISTS_WIDTH * session;
		return this.#lists[row + WAITING] + this.#lists[row + IN_FLIGHT];
	}

	/** Bytes of the contents of these entries. */
	bytes(session: number): number {
		return this.#lists[LISTS_WIDTH * session + BYTES];
	}

	/** Whether the last waiting message of a session was never sent. */
	hasUnsent(session: number): boolean {
		const last = this.#lists[LISTS_WIDTH * session + LAST_WAITING];
		return last !== 0 && this.#entries.packetId(last) === 0;
	}

	/** Whether a session has reached its limit of entries. */
	isFull(session: number): boolean {
		return this.entries(session) >= this.#limit;
	}

	/** Messages that a session has lost for lack of room since it began. */
	lost(session: number): number {
		return this.#lists[LISTS_WIDTH * session + LOST];
	}

	/** Counts lost messages of a session. */
	addLost(session: number, count: number): void {
		const at = LISTS_WIDTH * session + LOST;
		this.#lists[at] = Math.min(this.#lists[at] + count, LOST_LIMIT);
	}

	/** Begins the routing of a message, which endMessage() ends. */
	beginMessage(): void {
		this.endMessage(); // in case an exception prevented it for the last message
	}

	/** Releases a reserved content that no entry refers to. */
	endMessage(): void {
		const content = this.#currentContent;
		this.#currentContent = 0;
		if (content === 0 || this.#references[content] !== 0) return;
		this.contents.arena.release(content);
		this.#contentDirtyFlags?.mark(content);
	}

	/** Stores the content of the message for entries of it; false if there is no room. */
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
	 * Queues the message for a session; false if its limit, the entries or the bytes are used up.
	 * @param share the shared subscription's name, 0 for none
	 */
	push(session: number, message: Message, flags: number, identifier: number, share: number): boolean {
		if (this.isFull(session) || this.free === 0 || !this.reserve(message)) return false;
		this.enqueue(session, this.#currentContent, flags, identifier, share);
		return true;
	}

	/**
	 * Moves the first waiting entry of a session to the end of another's queue, as a message that was not sent
	 * yet.
	 */
	moveFirst(session: number, to: number, flags: number, identifier: number): void {
		const entries = this.#entries;
		const lists = this.#lists;
		const entry = lists[LISTS_WIDTH * session + FIRST_WAITING];
		const content = entries.content(entry);
		const size = this.contents.arena.size(content);
		this.unlinkWaiting(session, 0, entry);
		lists[LISTS_WIDTH * session + BYTES] -= size;
		lists[LISTS_WIDTH * to + BYTES] += size;
		this.forgetMost();
		entries.renew(entry, flags, identifier);
		this.expectExpiry(content);
		this.appendToList(LISTS_WIDTH * to + FIRST_WAITING, entry);
		lists[LISTS_WIDTH * to + WAITING]++;
	}

	/**
	 * Drops expired waiting messages [MQTT-3.3.2-5], except those whose delivery has begun [MQTT-4.3.3-7].
	 * Returns at once while none can have expired.
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
					this.releaseEntry(row / LISTS_WIDTH, entry);
					dropped++;
				}
				entry = next;
			}
		}
		this.#nextExpiryAt = nextExpiryAt;
		return dropped;
	}

	/** Drops the oldest waiting QoS 0 message of a session; false if there is none. */
	dropOldestQos0(session: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		while (entry !== 0 && (entries.flags(entry) & (QOS_MASK | RELEASED)) !== 0) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return false;
		this.dropWaiting(session, previous, entry);
		return true;
	}

	/**
	 * Takes back what a session has borrowed, one message at a time: the oldest waiting one of QoS 0, else the
	 * oldest that was never sent, else the oldest whose delivery has begun. Of the latter, one in flight to a
	 * connected client continues without entry or without content, and is lost only if the connection is.
	 * @param bytes whether bytes are needed; otherwise an entry is
	 * @returns the number of messages lost, 0 or 1
	 */
	takeBack(session: number, bytes: boolean): number {
		if (this.dropOldestQos0(session)) return 1;
		if (this.hasUnsent(session)) return this.dropOldestUnsent(session);
		if (this.dropOldestBegun(session, bytes)) return 1;
		return this.releaseInFlight(session, bytes);
	}

	private dropOldestUnsent(session: number): number {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		while (entries.packetId(entry) !== 0) {
			previous = entry;
			entry = entries.next(entry);
		}
		this.dropWaiting(session, previous, entry);
		return 1;
	}

	/**
	 * Drops the oldest waiting message whose delivery has begun; one of QoS 2 only its content, if that is
	 * enough. False if there is none.
	 */
	private dropOldestBegun(session: number, bytes: boolean): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		while (entry !== 0 && entries.content(entry) === 0) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return false;
		if (bytes && (entries.flags(entry) & QOS_MASK) === 4) this.abandon(session, entry);
		else this.dropWaiting(session, previous, entry);
		return true;
	}

	/** Releases the content or the entry of the oldest message in flight; without one, a waiting PUBREL. */
	private releaseInFlight(session: number, bytes: boolean): number {
		const entries = this.#entries;
		const row = LISTS_WIDTH * session;
		let entry = this.#lists[row + FIRST_IN_FLIGHT];
		if (bytes) {
			while (entries.content(entry) === 0) entry = entries.next(entry);
			this.releaseContent(session, entry);
		} else if (entry === 0) this.dropFirst(session);
		else {
			const received = (entries.flags(entry) & RELEASED) !== 0;
			this.unlinkInFlight(session, 0, entry);
			this.releaseEntry(session, entry);
			this.#lists[row + UNTRACKED] += received ? RECEIVED : 1;
		}
		return 0;
	}

	/**
	 * Ends a QoS 2 message that cannot be sent again. PUBREL follows nevertheless: it frees the identifier at a
	 * client that received the message, which would otherwise take a later one with it for a repetition.
	 */
	private abandon(session: number, entry: number): void {
		const entries = this.#entries;
		entries.setFlags(entry, (entries.flags(entry) & QOS_MASK) | RELEASED);
		this.releaseContent(session, entry);
	}

	/** The first waiting entry of a session; 0 if none waits. */
	firstWaiting(session: number): number {
		return this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
	}

	/** The next entry in the same list; 0 after the last. */
	next(entry: number): number {
		return this.#entries.next(entry);
	}

	/** The flags of its PUBLISH, low nibble of the first byte. */
	flags(entry: number): number {
		return this.#entries.flags(entry) & 15;
	}

	/** Whether only PUBREL must be sent for a waiting entry. */
	released(entry: number): boolean {
		return (this.#entries.flags(entry) & RELEASED) !== 0;
	}

	/** Its packet identifier; 0 for a waiting entry that was not sent on an earlier connection. */
	packetId(entry: number): number {
		return this.#entries.packetId(entry);
	}

	/** Its subscription identifier; 0 for none. */
	identifier(entry: number): number {
		return this.#entries.identifier(entry);
	}

	/** The name of its shared subscription; 0 for none. */
	share(entry: number): number {
		return this.#entries.share(entry);
	}

	/**
	 * Makes messages of shared subscriptions that have ended ordinary ones of their sessions. Called when one
	 * may have ended, before its node can serve another name.
	 */
	forgetEndedShares(tree: ShareNames): void {
		this.#entries.forgetEndedShares(tree);
	}

	/** Reads the content of a waiting entry into `message`. */
	read(entry: number, message: Message): void {
		this.contents.readInto(this.#entries.content(entry), message);
	}

	/** Drops the first waiting entry, which was sent with QoS 0 or is no longer needed. */
	dropFirst(session: number): void {
		this.dropWaiting(session, 0, this.#lists[LISTS_WIDTH * session + FIRST_WAITING]);
	}

	/**
	 * Moves the first waiting entry, which was sent, to the in-flight list.
	 * @param keep whether it may have to be sent again
	 */
	moveToInFlight(session: number, packetId: number, keep: boolean): void {
		const entry = this.#lists[LISTS_WIDTH * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		if (!keep) this.releaseContent(session, entry);
		// [MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.10.4-3] [MQTT-3.1.1:4.1.0-2]
		this.appendInFlight(session, entry, packetId);
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
		if (this.free === 0) {
			this.#lists[LISTS_WIDTH * session + UNTRACKED]++;
			return;
		}
		this.forgetMost();
		const content = keep ? this.#currentContent : 0;
		if (content !== 0) this.refer(session, content);
		this.appendInFlight(session, this.#entries.allocate(content, flags, identifier, share), packetId);
	}

	/**
	 * Whether a packet identifier is in flight, or was when the last connection ended. Identifiers without an
	 * entry are not known; they return only after 65,535 others.
	 */
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
	 * Handles PUBACK, PUBREC or PUBCOMP for a packet identifier, as the table of deliveries says: removes a
	 * completed message, and drops the content of one for which only PUBREL is still sent [MQTT-4.3.3-4].
	 * @returns what is left to the caller
	 */
	acknowledge(session: number, packetId: number, packet: DeliveryPacket): DeliveryAction {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
		while (entry !== 0 && entries.packetId(entry) !== packetId) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return this.acknowledgeUntracked(session, packet);
		const flags = entries.flags(entry);
		const state = stateOf(flags);
		const action = actionOn(state, packet);
		if (action === COMPLETE) {
			this.unlinkInFlight(session, previous, entry);
			this.releaseEntry(session, entry);
		} else if (action === SEND_PUBREL && state !== PUBCOMP_PENDING) {
			entries.setFlags(entry, flags | RELEASED);
			this.releaseContent(session, entry);
		}
		return action;
	}

	/**
	 * Of messages in flight without an entry only the number is known: any acknowledgement may be that of one
	 * of them, PUBCOMP first of one whose PUBREC has come.
	 */
	private acknowledgeUntracked(session: number, packet: DeliveryPacket): DeliveryAction {
		const at = LISTS_WIDTH * session + UNTRACKED;
		const untracked = this.#lists[at];
		const pending = untracked & 0xff;
		if (packet === PUBREC_ARRIVES && untracked !== 0) {
			if (pending !== 0) this.#lists[at] = untracked - 1 + RECEIVED; // [MQTT-4.3.3-4]
			return SEND_PUBREL;
		}
		const received = packet === PUBCOMP_ARRIVES && untracked >= RECEIVED;
		if (!received && pending === 0) return actionOn(IDLE, packet);
		this.#lists[at] = untracked - (received ? RECEIVED : 1);
		return COMPLETE;
	}

	/**
	 * Suspends a session whose client has disconnected: in-flight entries wait again, in order [MQTT-4.4.0-1]
	 * [MQTT-4.6.0-1]; QoS 0 messages are dropped.
	 * @returns the number of messages in flight that cannot be sent again, as there was no room to keep them
	 */
	suspend(session: number): number {
		while (this.dropOldestQos0(session));
		const entries = this.#entries;
		const row = LISTS_WIDTH * session;
		const lists = this.#lists;
		const lost = (lists[row + UNTRACKED] & 0xff) + this.dropUnkept(session);
		lists[row + UNTRACKED] = 0;
		const first = lists[row + FIRST_IN_FLIGHT];
		if (first === 0) return lost;
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
		lists[row + IN_FLIGHT] = 0;
		return lost;
	}

	/** Drops in-flight messages whose content was not kept, and abandons those of QoS 2. @returns how many */
	private dropUnkept(session: number): number {
		const entries = this.#entries;
		let lost = 0;
		let previous = 0;
		let entry = this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
		while (entry !== 0) {
			const next = entries.next(entry);
			const unkept = entries.content(entry) === 0 && (entries.flags(entry) & RELEASED) === 0;
			if (unkept) lost++;
			if (unkept && (entries.flags(entry) & QOS_MASK) === 2) {
				this.unlinkInFlight(session, previous, entry);
				this.releaseEntry(session, entry);
			} else {
				if (unkept) this.abandon(session, entry);
				previous = entry;
			}
			entry = next;
		}
		return lost;
	}

	/** Drops all entries of a session. */
	clear(session: number): void {
		const row = LISTS_WIDTH * session;
		while (this.#lists[row + FIRST_WAITING] !== 0) this.dropFirst(session);
		let entry = this.#lists[row + FIRST_IN_FLIGHT];
		while (entry !== 0) {
			const next = this.#entries.next(entry);
			this.releaseEntry(session, entry);
			entry = next;
		}
		this.#lists[row + FIRST_IN_FLIGHT] = 0;
		this.#lists[row + LAST_IN_FLIGHT] = 0;
		this.#lists[row + IN_FLIGHT] = 0;
		this.#lists[row + UNTRACKED] = 0;
		this.#lists[row + LOST] = 0;
		this.incomingQos2.clear(session);
	}

	// Persistence

	/** Numbers entries in the order of their allocation; called before the first. @param records entries */
	enableSequences(tables: Tables, records: number): void {
		this.#entries.enableSequences(tables, records);
	}

	/** Records changed entries and contents from now on. */
	trackChanges(entries: DirtyFlags, contents: DirtyFlags): void {
		this.#entries.dirtyFlags = entries;
		this.#contentDirtyFlags = contents;
		this.incomingQos2.dirtyFlags = entries;
	}

	firstInFlight(session: number): number {
		return this.#lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	}

	/** All flags of an entry, as restore() takes them. */
	allFlags(entry: number): number {
		return this.#entries.flags(entry);
	}

	/** The content of an entry; 0 if it was released. */
	content(entry: number): number {
		return this.#entries.content(entry);
	}

	/** Sequence number of an entry. */
	sequence(entry: number): number {
		return this.#entries.sequence(entry);
	}

	/**
	 * Queues a restored content for a session, after entries of lower sequence numbers; 0 if the entries are
	 * used up.
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
		if (this.free === 0) return 0;
		const entries = this.#entries;
		const lists = this.#lists;
		const row = LISTS_WIDTH * session;
		const sent = packetId !== 0 && (state & RELEASED) === 0;
		const entry = entries.allocate(content, sent ? state | DUP : state, identifier, share); // [MQTT-3.3.1-1]
		entries.setPacketId(entry, packetId);
		entries.setSequence(entry, sequence);
		if (content !== 0) this.refer(session, content);
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

	/** Releases a restored content that no entry refers to. @returns whether it was released */
	discardUnused(content: number): boolean {
		if (this.#references[content] !== 0) return false;
		this.contents.arena.release(content);
		return true;
	}

	/** Moves the arrival time of a content back by `ms`. */
	age(content: number, ms: number): void {
		this.contents.backdate(content, ms);
		this.#nextExpiryAt = 0;
	}

	private enqueue(session: number, content: number, flags: number, identifier: number, share: number): void {
		this.forgetMost();
		this.refer(session, content);
		const entry = this.#entries.allocate(content, flags, identifier, share);
		this.expectExpiry(content);
		this.appendToList(LISTS_WIDTH * session + FIRST_WAITING, entry);
		this.#lists[LISTS_WIDTH * session + WAITING]++;
	}

	/** Lets dropExpired() look again when a content has expired. */
	private expectExpiry(content: number): void {
		const due = this.contents.expiresAtMs(content);
		if (due < this.#nextExpiryAt) this.#nextExpiryAt = due;
	}

	private appendInFlight(session: number, entry: number, packetId: number): void {
		this.#entries.setPacketId(entry, packetId);
		this.appendToList(LISTS_WIDTH * session + FIRST_IN_FLIGHT, entry);
		this.#lists[LISTS_WIDTH * session + IN_FLIGHT]++;
	}

	/**
	 * Appends an entry to the list whose first entry is at index `head`, and whose last one is at `head + 1`.
	 */
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

	private dropWaiting(session: number, previous: number, entry: number): void {
		this.unlinkWaiting(session, previous, entry);
		this.releaseEntry(session, entry);
	}

	private unlinkInFlight(session: number, previous: number, entry: number): void {
		const entries = this.#entries;
		const row = LISTS_WIDTH * session;
		if (previous === 0) this.#lists[row + FIRST_IN_FLIGHT] = entries.next(entry);
		else entries.setNext(previous, entries.next(entry));
		if (this.#lists[row + LAST_IN_FLIGHT] === entry) this.#lists[row + LAST_IN_FLIGHT] = previous;
		this.#lists[row + IN_FLIGHT]--;
	}

	private forgetMost(): void {
		this.mostEntries = 0;
		this.mostBytes = 0;
	}

	/** Counts an entry's reference to a content, and the content's bytes for its session. */
	private refer(session: number, content: number): void {
		this.#references[content]++;
		this.#lists[LISTS_WIDTH * session + BYTES] += this.contents.arena.size(content);
	}

	private releaseContent(session: number, entry: number): void {
		const content = this.#entries.content(entry);
		if (content === 0) return;
		this.#entries.dropContent(entry);
		this.#lists[LISTS_WIDTH * session + BYTES] -= this.contents.arena.size(content);
		if (--this.#references[content] === 0) {
			this.contents.arena.release(content);
			this.#contentDirtyFlags?.mark(content);
			if (this.#currentContent === content) this.#currentContent = 0;
		}
	}

	private releaseEntry(session: number, entry: number): void {
		this.releaseContent(session, entry);
		this.#entries.release(entry);
	}
}

/** The state of a message in flight, by the flags of its entry. */
function stateOf(flags: number): SenderState {
	if ((flags & RELEASED) !== 0) return PUBCOMP_PENDING;
	return (flags & QOS_MASK) === QOS1 ? PUBACK_PENDING : PUBREC_PENDING;
}
