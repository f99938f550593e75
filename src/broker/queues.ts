import { DUP } from "../mqtt/constants";
import { Entries } from "./entries";
import type { Memory } from "./memory";
import type { Message } from "./message";
import { Messages } from "./messages";
import type { Ledger } from "./persist/ledger";
import type { Tables } from "./tables";
import { Taken } from "./taken";

const QOS = 6;
/** In an entry's flags: its PUBLISH was taken, it waits for PUBCOMP. */
const RELEASED = 0x10;

// Columns of a session: the ends of its lists
const FIRST_WAITING = 0;
const LAST_WAITING = 1;
const FIRST_UNDER_WAY = 2;
const LAST_UNDER_WAY = 3;
/** How many wait, and how many are under way. */
const WAITING = 4;
const UNDER_WAY = 5;
const LISTS = 6;

/**
 * Messages on their way to each session. An entry is one message for one session, in one of two lists: waiting to be sent, or under way with a packet
 * identifier until its acknowledgement. What was under way when the connection ended is at the front of the waiting ones again, with its identifier.
 * Entries and contents come from pools that all sessions share; a content is kept once however many wait for it.
 */
export class Queues {
	/** What entries carry. */
	readonly contents: Messages;
	/** What came in with QoS 2, which takes entries too. */
	readonly taken: Taken;
	readonly #limit: number;
	readonly #entries: Entries;
	/** Entries that carry each content. */
	readonly #references: Uint16Array;
	readonly #lists: Uint16Array;
	/** The content of the message that is being handed out, once one session has to wait for it. */
	#current = 0;
	/** No waiting message expires before this, ms of the broker's clock. */
	#deadline = 0;
	/** Where changes of contents are noted, if they are to outlive a restart. */
	#ledger: Ledger | undefined = undefined;

	/** @param records entries @param bytes for contents @param limit entries of one session */
	constructor(memory: Memory, sessions: number, records: number, bytes: number, limit: number) {
		const { tables } = memory;
		this.contents = new Messages(memory, memory.arena(bytes, records), records);
		this.#limit = limit;
		this.#entries = new Entries(tables, records);
		this.taken = new Taken(tables, this.#entries, sessions);
		this.#lists = tables.u16(LISTS * sessions + LISTS);
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
		return this.#lists[LISTS * session + WAITING];
	}

	/** Entries of a session that are under way. */
	underWay(session: number): number {
		return this.#lists[LISTS * session + UNDER_WAY];
	}

	/** Whether a session has as many entries as it may have. */
	full(session: number): boolean {
		return this.waiting(session) + this.underWay(session) >= this.#limit;
	}

	/** Whether a content of this message could be kept. */
	holds(message: Message): boolean {
		return this.#current !== 0 || (!this.contents.arena.exhausted && this.contents.room(message) <= this.contents.arena.free);
	}

	/** Whether a content of this message could be kept if there were no other. */
	couldHold(message: Message): boolean {
		const { arena } = this.contents;
		return this.contents.room(message) <= arena.free + arena.used;
	}

	/** From here on all is about another message; to be ended with end(). */
	begin(): void {
		this.end(); // in case an exception kept the last one from it
	}

	/** Forgets a message that was reserved and then needed by nobody. */
	end(): void {
		const content = this.#current;
		this.#current = 0;
		if (content === 0 || this.#references[content] !== 0) return;
		this.contents.arena.release(content);
		this.#ledger?.mark(content);
	}

	/** Keeps the message, so that passed() can count on it; false when there is no room. */
	reserve(message: Message): boolean {
		if (this.#current !== 0) return true;
		const content = this.contents.add(message);
		if (content === 0) return false;
		this.#references[content] = 0;
		this.#ledger?.mark(content);
		this.#current = content;
		return true;
	}

	/** Lets a session wait for the message; false when its own limit, the entries or the bytes are used up. @param share the shared subscription's name, 0 for none */
	push(session: number, message: Message, flags: number, identifier: number, share: number): boolean {
		if (this.full(session) || this.free === 0 || !this.reserve(message)) return false;
		this.append(session, this.#current, flags, identifier, share);
		return true;
	}

	/** Lets another session wait for what an entry carries; false when its own limit or the entries are used up. */
	pass(entry: number, session: number, flags: number, identifier: number, share: number): boolean {
		if (this.full(session) || this.free === 0) return false;
		this.append(session, this.#entries.content(entry), flags, identifier, share);
		return true;
	}

	/**
	 * Drops the waiting messages whose expiry has passed [MQTT-3.3.2-5], but for those whose delivery had begun [MQTT-4.3.3-7]. Looks at none as long as none can
	 * have expired.
	 * @param now ms of the broker's clock @returns how many were dropped
	 */
	expire(now: number): number {
		if (now < this.#deadline) return 0;
		const entries = this.#entries;
		const lists = this.#lists;
		let deadline = Number.POSITIVE_INFINITY;
		let dropped = 0;
		for (let row = LISTS; row < lists.length; row += LISTS) {
			let previous = 0;
			let entry = lists[row + FIRST_WAITING];
			while (entry !== 0) {
				const next = entries.next(entry);
				const due = entries.packetId(entry) === 0 ? this.contents.expiresAt(entries.content(entry)) : Number.POSITIVE_INFINITY;
				if (due > now) {
					if (due < deadline) deadline = due;
					previous = entry;
				} else {
					this.unlinkWaiting(row / LISTS, previous, entry);
					this.giveBack(entry);
					dropped++;
				}
				entry = next;
			}
		}
		this.#deadline = deadline;
		return dropped;
	}

	/** Drops the oldest waiting QoS 0 message of a session, to make room for a better one; false when there is none. */
	yield(session: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS * session + FIRST_WAITING];
		while (entry !== 0 && (entries.flags(entry) & (QOS | RELEASED)) !== 0) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0) return false;
		this.unlinkWaiting(session, previous, entry);
		this.giveBack(entry);
		return true;
	}

	/** The first waiting entry of a session; 0 if none waits. */
	first(session: number): number {
		return this.#lists[LISTS * session + FIRST_WAITING];
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
		this.contents.read(this.#entries.content(entry), message);
	}

	/** The first waiting entry was sent with QoS 0, or is not wanted any more. */
	drop(session: number): void {
		const entry = this.#lists[LISTS * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		this.giveBack(entry);
	}

	/** The first waiting entry was sent and is under way. @param keep whether it may have to be sent again */
	sent(session: number, packetId: number, keep: boolean): void {
		const entry = this.#lists[LISTS * session + FIRST_WAITING];
		this.unlinkWaiting(session, 0, entry);
		if (!keep) this.forget(entry);
		this.depart(session, entry, packetId); // [MQTT-4.3.2-3] [MQTT-4.1.0-1] [MQTT-3.10.4-3] [MQTT-3.1.1:4.1.0-2]
	}

	/** A message was sent without waiting and is under way; there must be a free entry, and the message reserved if it is kept. */
	passed(session: number, packetId: number, flags: number, identifier: number, share: number, keep: boolean): void {
		const content = keep ? this.#current : 0;
		if (content !== 0) this.#references[content]++;
		this.depart(session, this.#entries.take(content, flags, identifier, share), packetId);
	}

	/** Whether a packet identifier is under way, or was when the last connection ended. */
	busy(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let entry = this.#lists[LISTS * session + FIRST_UNDER_WAY];
		while (entry !== 0 && entries.packetId(entry) !== packetId) entry = entries.next(entry);
		if (entry !== 0) return true;
		entry = this.#lists[LISTS * session + FIRST_WAITING];
		while (entry !== 0 && entries.packetId(entry) !== 0) {
			if (entries.packetId(entry) === packetId) return true;
			entry = entries.next(entry);
		}
		return false;
	}

	/**
	 * Ends what is under way with a packet identifier.
	 * @param qos 2 (QOS1) or 4 (QOS2), as in the flags of PUBLISH @param released whether PUBREL was sent for it
	 * @returns false if nothing of that kind was
	 */
	finish(session: number, packetId: number, qos: number, released: boolean): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[LISTS * session + FIRST_UNDER_WAY];
		while (entry !== 0 && entries.packetId(entry) !== packetId) {
			previous = entry;
			entry = entries.next(entry);
		}
		if (entry === 0 || (entries.flags(entry) & QOS) !== qos || ((entries.flags(entry) & RELEASED) !== 0) !== released) return false;
		const row = LISTS * session;
		if (previous === 0) this.#lists[row + FIRST_UNDER_WAY] = entries.next(entry);
		else entries.link(previous, entries.next(entry));
		if (this.#lists[row + LAST_UNDER_WAY] === entry) this.#lists[row + LAST_UNDER_WAY] = previous;
		this.#lists[LISTS * session + UNDER_WAY]--;
		this.giveBack(entry);
		return true;
	}

	/** A QoS 2 message under way was taken: from now on PUBREL is owed for it [MQTT-4.3.3-4]. False if no such message is under way. */
	release(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let entry = this.#lists[LISTS * session + FIRST_UNDER_WAY];
		while (entry !== 0 && entries.packetId(entry) !== packetId) entry = entries.next(entry);
		if (entry === 0 || (entries.flags(entry) & QOS) !== 4) return false;
		entries.setFlags(entry, entries.flags(entry) | RELEASED);
		this.forget(entry);
		return true;
	}

	/** The client of a lasting session is gone: what was under way waits again, in its order [MQTT-4.4.0-1] [MQTT-4.6.0-1]; QoS 0 messages are dropped. */
	suspend(session: number): void {
		while (this.yield(session));
		const entries = this.#entries;
		const row = LISTS * session;
		const lists = this.#lists;
		const first = lists[row + FIRST_UNDER_WAY];
		if (first === 0) return;
		for (let entry = first; entry !== 0; entry = entries.next(entry)) {
			const flags = entries.flags(entry);
			if ((flags & RELEASED) === 0) entries.setFlags(entry, flags | DUP); // [MQTT-3.3.1-1]
		}
		const last = lists[row + LAST_UNDER_WAY];
		entries.link(last, lists[row + FIRST_WAITING]);
		if (lists[row + FIRST_WAITING] === 0) lists[row + LAST_WAITING] = last;
		lists[row + FIRST_WAITING] = first;
		lists[row + FIRST_UNDER_WAY] = 0;
		lists[row + LAST_UNDER_WAY] = 0;
		lists[row + WAITING] += lists[row + UNDER_WAY];
		this.#lists[LISTS * session + UNDER_WAY] = 0;
	}

	/** Forgets everything of a session. */
	clear(session: number): void {
		const row = LISTS * session;
		while (this.#lists[row + FIRST_WAITING] !== 0) this.drop(session);
		let entry = this.#lists[row + FIRST_UNDER_WAY];
		while (entry !== 0) {
			const next = this.#entries.next(entry);
			this.giveBack(entry);
			entry = next;
		}
		this.#lists[row + FIRST_UNDER_WAY] = 0;
		this.#lists[row + LAST_UNDER_WAY] = 0;
		this.#lists[row + UNDER_WAY] = 0;
		this.taken.clear(session);
	}

	// What is kept over a restart

	/** Numbers entries in the order in which they came, before any is taken. @param records entries */
	number(tables: Tables, records: number): void {
		this.#entries.number(tables, records);
	}

	/** Notes from now on what changes. */
	watch(entries: Ledger, contents: Ledger): void {
		this.#entries.ledger = entries;
		this.#ledger = contents;
	}

	firstUnderWay(session: number): number {
		return this.#lists[LISTS * session + FIRST_UNDER_WAY];
	}

	/** All flags of an entry, as restore() takes them. */
	state(entry: number): number {
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

	/** Lets a session wait for a content again, behind those of a lower number in order; 0 when its own limit or the entries are used up. */
	restore(session: number, content: number, state: number, packetId: number, identifier: number, share: number, sequence: number): number {
		if (this.full(session) || this.free === 0) return 0;
		const entries = this.#entries;
		const lists = this.#lists;
		const row = LISTS * session;
		const sent = packetId !== 0 && (state & RELEASED) === 0;
		const entry = entries.take(content, sent ? state | DUP : state, identifier, share); // [MQTT-3.3.1-1]
		entries.setPacketId(entry, packetId);
		entries.setSequence(entry, sequence);
		if (content !== 0) this.#references[content]++;
		let previous = 0;
		let following = lists[row + FIRST_WAITING];
		while (following !== 0 && ((entries.sequence(following) - sequence) | 0) < 0) {
			previous = following;
			following = entries.next(following);
		}
		entries.link(entry, following);
		if (previous === 0) lists[row + FIRST_WAITING] = entry;
		else entries.link(previous, entry);
		if (following === 0) lists[row + LAST_WAITING] = entry;
		lists[row + WAITING]++;
		return entry;
	}

	/** Gives back a restored content, if nobody waits for it. @returns whether it did */
	discard(content: number): boolean {
		if (this.#references[content] !== 0) return false;
		this.contents.arena.release(content);
		return true;
	}

	/** A content arrived so much earlier, ms. */
	age(content: number, ms: number): void {
		this.contents.age(content, ms);
		this.#deadline = 0;
	}

	private append(session: number, content: number, flags: number, identifier: number, share: number): void {
		this.#references[content]++;
		const entry = this.#entries.take(content, flags, identifier, share);
		const due = this.contents.expiresAt(content);
		if (due < this.#deadline) this.#deadline = due;
		this.enlist(LISTS * session + FIRST_WAITING, entry);
		this.#lists[LISTS * session + WAITING]++;
	}

	private depart(session: number, entry: number, packetId: number): void {
		this.#entries.setPacketId(entry, packetId);
		this.enlist(LISTS * session + FIRST_UNDER_WAY, entry);
		this.#lists[LISTS * session + UNDER_WAY]++;
	}

	/** Puts an entry at the end of the list whose head is there; its tail is the next column. */
	private enlist(head: number, entry: number): void {
		const lists = this.#lists;
		if (lists[head + 1] === 0) lists[head] = entry;
		else this.#entries.link(lists[head + 1], entry);
		lists[head + 1] = entry;
	}

	private unlinkWaiting(session: number, previous: number, entry: number): void {
		const entries = this.#entries;
		const row = LISTS * session;
		if (previous === 0) this.#lists[row + FIRST_WAITING] = entries.next(entry);
		else entries.link(previous, entries.next(entry));
		if (this.#lists[row + LAST_WAITING] === entry) this.#lists[row + LAST_WAITING] = previous;
		entries.link(entry, 0);
		this.#lists[LISTS * session + WAITING]--;
	}

	private forget(entry: number): void {
		const content = this.#entries.content(entry);
		if (content === 0) return;
		this.#entries.dropContent(entry);
		if (--this.#references[content] === 0) {
			this.contents.arena.release(content);
			this.#ledger?.mark(content);
			if (this.#current === content) this.#current = 0;
		}
	}

	private giveBack(entry: number): void {
		this.forget(entry);
		this.#entries.release(entry);
	}
}
