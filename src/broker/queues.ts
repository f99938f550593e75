import type { Memory } from "./memory";
import type { Message } from "./message";
import { Messages } from "./messages";

// Columns of an entry
const NEXT = 0;
const CONTENT = 1;
const PACKET_ID = 2;
const FLAGS = 3;

// Columns of a session: the ends of its two lists
const FIRST_WAITING = 0;
const LAST_WAITING = 1;
const FIRST_UNDER_WAY = 2;
const LAST_UNDER_WAY = 3;

/**
 * Messages on their way to each session. An entry is one message for one session, in one of two lists: waiting to be sent, or under way with a packet
 * identifier until its acknowledgement. Entries and contents come from pools that all sessions share; a content is kept once however many wait for it.
 */
export class Queues {
	/** What waiting entries carry. */
	readonly contents: Messages;
	/** Waiting entries, and those under way, by session. */
	readonly waiting: Uint16Array;
	readonly underWay: Uint16Array;
	/** Entries that are free. */
	free: number;
	readonly #limit: number;
	/** Entries that carry each content. */
	readonly #references: Uint16Array;
	/** Four columns of each entry, of each session. */
	readonly #entries: Uint16Array;
	readonly #lists: Uint16Array;
	readonly #identifiers: Uint32Array;
	#unused = 1;
	/** The content of the message that is being handed out, once one session has to wait for it. */
	#current = 0;

	/** @param records entries @param bytes for contents @param limit entries of one session */
	constructor(memory: Memory, sessions: number, records: number, bytes: number, limit: number) {
		const { tables } = memory;
		this.contents = new Messages(memory, memory.arena(bytes, records), records);
		this.waiting = tables.u16(sessions + 1);
		this.underWay = tables.u16(sessions + 1);
		this.free = records;
		this.#limit = limit;
		this.#entries = tables.u16(4 * records + 4);
		this.#lists = tables.u16(4 * sessions + 4);
		this.#references = tables.u16(records + 1);
		this.#identifiers = tables.u32(records + 1);
		for (let i = 1; i < records; i++) this.#entries[4 * i + NEXT] = i + 1;
	}

	/** Whether a session has as many entries as it may have. */
	full(session: number): boolean {
		return this.waiting[session] + this.underWay[session] >= this.#limit;
	}

	/** Whether a content of this message could be kept. */
	holds(message: Message): boolean {
		return this.#current !== 0 || (!this.contents.arena.exhausted && this.contents.room(message) <= this.contents.arena.free);
	}

	/** From here on push() is about another message. */
	begin(): void {
		this.#current = 0;
	}

	/** Lets a session wait for the message; false when its own limit, the entries or the bytes are used up. */
	push(session: number, message: Message, flags: number, identifier: number): boolean {
		if (this.full(session) || this.free === 0) return false;
		let content = this.#current;
		if (content === 0) {
			content = this.contents.add(message);
			if (content === 0) return false;
			this.#references[content] = 0;
			this.#current = content;
		}
		this.#references[content]++;
		const entry = this.#take(flags);
		this.#entries[4 * entry + CONTENT] = content;
		this.#identifiers[entry] = identifier;
		if (this.#lists[4 * session + LAST_WAITING] === 0) this.#lists[4 * session + FIRST_WAITING] = entry;
		else this.#entries[4 * this.#lists[4 * session + LAST_WAITING] + NEXT] = entry;
		this.#lists[4 * session + LAST_WAITING] = entry;
		this.waiting[session]++;
		return true;
	}

	/** Drops the oldest waiting QoS 0 message of a session, to make room for a better one; false when there is none. */
	yield(session: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[4 * session + FIRST_WAITING];
		while (entry !== 0 && (this.#entries[4 * entry + FLAGS] & 6) !== 0) {
			previous = entry;
			entry = entries[4 * entry + NEXT];
		}
		if (entry === 0) return false;
		this.#unlinkWaiting(session, previous, entry);
		this.#release(entry);
		return true;
	}

	/** The first waiting entry of a session; 0 if none waits. */
	first(session: number): number {
		return this.#lists[4 * session + FIRST_WAITING];
	}

	/** The low nibble of its PUBLISH. */
	flags(entry: number): number {
		return this.#entries[4 * entry + FLAGS];
	}

	/** The subscription identifier it goes with; 0 for none. */
	identifier(entry: number): number {
		return this.#identifiers[entry];
	}

	/** Fills `message` with what a waiting entry carries. */
	read(entry: number, message: Message): void {
		this.contents.read(this.#entries[4 * entry + CONTENT], message);
	}

	/** The first waiting entry was sent with QoS 0, or is not wanted any more. */
	drop(session: number): void {
		const entry = this.#lists[4 * session + FIRST_WAITING];
		this.#unlinkWaiting(session, 0, entry);
		this.#release(entry);
	}

	/** The first waiting entry was sent and is under way. */
	sent(session: number, packetId: number): void {
		const entry = this.#lists[4 * session + FIRST_WAITING];
		this.#unlinkWaiting(session, 0, entry);
		this.#forget(entry);
		this.#depart(session, entry, packetId);
	}

	/** A message was sent without waiting and is under way; there must be a free entry. */
	passed(session: number, packetId: number, flags: number): void {
		this.#depart(session, this.#take(flags), packetId);
	}

	/** Whether a packet identifier is under way. */
	busy(session: number, packetId: number): boolean {
		let entry = this.#lists[4 * session + FIRST_UNDER_WAY];
		while (entry !== 0 && this.#entries[4 * entry + PACKET_ID] !== packetId) entry = this.#entries[4 * entry + NEXT];
		return entry !== 0;
	}

	/** Ends what was under way with a packet identifier and QoS 1; false if nothing was. */
	acknowledge(session: number, packetId: number): boolean {
		const entries = this.#entries;
		let previous = 0;
		let entry = this.#lists[4 * session + FIRST_UNDER_WAY];
		while (entry !== 0 && this.#entries[4 * entry + PACKET_ID] !== packetId) {
			previous = entry;
			entry = entries[4 * entry + NEXT];
		}
		if (entry === 0) return false;
		if (previous === 0) this.#lists[4 * session + FIRST_UNDER_WAY] = entries[4 * entry + NEXT];
		else entries[4 * previous + NEXT] = entries[4 * entry + NEXT];
		if (this.#lists[4 * session + LAST_UNDER_WAY] === entry) this.#lists[4 * session + LAST_UNDER_WAY] = previous;
		this.underWay[session]--;
		this.#release(entry);
		return true;
	}

	/** Forgets everything of a session. */
	clear(session: number): void {
		while (this.#lists[4 * session + FIRST_WAITING] !== 0) this.drop(session);
		let entry = this.#lists[4 * session + FIRST_UNDER_WAY];
		this.#lists[4 * session + FIRST_UNDER_WAY] = 0;
		this.#lists[4 * session + LAST_UNDER_WAY] = 0;
		this.underWay[session] = 0;
		while (entry !== 0) {
			const next = this.#entries[4 * entry + NEXT];
			this.#release(entry);
			entry = next;
		}
	}

	#depart(session: number, entry: number, packetId: number): void {
		this.#entries[4 * entry + PACKET_ID] = packetId;
		if (this.#lists[4 * session + LAST_UNDER_WAY] === 0) this.#lists[4 * session + FIRST_UNDER_WAY] = entry;
		else this.#entries[4 * this.#lists[4 * session + LAST_UNDER_WAY] + NEXT] = entry;
		this.#lists[4 * session + LAST_UNDER_WAY] = entry;
		this.underWay[session]++;
	}

	#take(flags: number): number {
		const entry = this.#unused;
		this.#unused = this.#entries[4 * entry + NEXT];
		this.#entries[4 * entry + NEXT] = 0;
		this.#entries[4 * entry + CONTENT] = 0;
		this.#entries[4 * entry + FLAGS] = flags;
		this.free--;
		return entry;
	}

	#unlinkWaiting(session: number, previous: number, entry: number): void {
		const entries = this.#entries;
		if (previous === 0) this.#lists[4 * session + FIRST_WAITING] = entries[4 * entry + NEXT];
		else entries[4 * previous + NEXT] = entries[4 * entry + NEXT];
		if (this.#lists[4 * session + LAST_WAITING] === entry) this.#lists[4 * session + LAST_WAITING] = previous;
		entries[4 * entry + NEXT] = 0;
		this.waiting[session]--;
	}

	#forget(entry: number): void {
		const content = this.#entries[4 * entry + CONTENT];
		if (content === 0) return;
		this.#entries[4 * entry + CONTENT] = 0;
		if (--this.#references[content] === 0) {
			this.contents.arena.release(content);
			if (this.#current === content) this.#current = 0;
		}
	}

	#release(entry: number): void {
		this.#forget(entry);
		this.#entries[4 * entry + NEXT] = this.#unused;
		this.#unused = entry;
		this.free++;
	}
}
