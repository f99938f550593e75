import type { Arena } from "./arena";
import { NEVER } from "./clock";
import { hash, SEED, same } from "./hash";
import type { Memory } from "./memory";
import { Messages } from "./messages";
import type { Ledger } from "./persist/ledger";

// Columns of a session: 16 bits
const ROW = 4;
const CONNECTION = 0;
const WILL = 1;
const IDENTIFIER = 2;
const PACKET_ID = 3;

// Columns of a session: 32 bits
const WIDTH = 5;
const HASH = 0;
const EXPIRY = 1;
const ENDS_AT = 2;
const WILL_AT = 3;
const WILL_DELAY = 4;

/** What the broker knows of each client, connected or not (§4.1). A session is a number from 1 to `last`; 0 means none. */
export class Sessions {
	readonly wills: Messages;
	/** Sessions in use. */
	count = 0;
	/** The highest number of a session. */
	readonly last: number;
	/** Where changes are noted, if sessions are to outlive a restart. */
	ledger: Ledger | undefined = undefined;
	readonly #texts: Arena;
	readonly #rows: Uint16Array;
	readonly #words: Uint32Array;

	/** @param records sessions @param bytes for client identifiers and wills */
	constructor(memory: Memory, records: number, bytes: number) {
		const { tables } = memory;
		this.#texts = memory.arena(bytes, 2 * records);
		this.wills = new Messages(memory, this.#texts, 2 * records, false);
		this.last = records;
		this.#rows = tables.u16(ROW * records + ROW);
		this.#words = tables.u32(WIDTH * records + WIDTH);
	}

	/** The index of the connection that serves a session, counted from 1; 0 while it is away. */
	connection(session: number): number {
		return this.#rows[ROW * session + CONNECTION];
	}

	setConnection(session: number, index: number): void {
		this.#rows[ROW * session + CONNECTION] = index;
		this.ledger?.mark(session);
	}

	/** The will (§3.1.2.5), a record of `wills`; 0 where there is none. */
	will(session: number): number {
		return this.#rows[ROW * session + WILL];
	}

	setWill(session: number, record: number): void {
		this.#rows[ROW * session + WILL] = record;
		this.ledger?.mark(session);
	}

	/** Seconds that a session outlives its connection; NEVER: it does not end by itself. */
	expiry(session: number): number {
		return this.#words[WIDTH * session + EXPIRY];
	}

	setExpiry(session: number, seconds: number): void {
		this.#words[WIDTH * session + EXPIRY] = seconds;
		this.ledger?.mark(session);
	}

	/** When a session whose client is away ends, s of the broker's clock, or NEVER. */
	endsAt(session: number): number {
		return this.#words[WIDTH * session + ENDS_AT];
	}

	setEndsAt(session: number, second: number): void {
		this.#words[WIDTH * session + ENDS_AT] = second;
		this.ledger?.mark(session);
	}

	/** When its will is published, as endsAt(). */
	willAt(session: number): number {
		return this.#words[WIDTH * session + WILL_AT];
	}

	setWillAt(session: number, second: number): void {
		this.#words[WIDTH * session + WILL_AT] = second;
	}

	/** Will delay interval (§3.1.3.2.2), s. */
	willDelay(session: number): number {
		return this.#words[WIDTH * session + WILL_DELAY];
	}

	setWillDelay(session: number, seconds: number): void {
		this.#words[WIDTH * session + WILL_DELAY] = seconds;
		this.ledger?.mark(session);
	}

	/** Bytes of client identifiers and wills. */
	get bytes(): number {
		return this.#texts.used;
	}

	/** The most that `bytes` ever was. */
	get peak(): number {
		return this.#texts.peak;
	}

	/** Whether a session is in use. */
	used(session: number): boolean {
		return this.#rows[ROW * session + IDENTIFIER] !== 0;
	}

	/** Whether a session outlives its connection. */
	lasting(session: number): boolean {
		return this.#words[WIDTH * session + EXPIRY] !== 0;
	}

	/** The session of a client identifier; 0 if there is none. */
	find(bytes: Uint8Array, start: number, end: number): number {
		const texts = this.#texts;
		const words = this.#words;
		const wanted = hash(bytes, start, end, SEED) >>> 0;
		for (let session = 1; session <= this.last; session++) {
			const record = this.#rows[ROW * session + IDENTIFIER];
			if (record === 0 || words[WIDTH * session + HASH] !== wanted || texts.size(record) !== end - start) continue;
			if (same(bytes, start, end, texts.bytes, texts.offset(record))) return session;
		}
		return 0;
	}

	/** A new session; 0 when sessions or bytes are used up. */
	add(bytes: Uint8Array, start: number, end: number): number {
		let session = 1;
		while (session <= this.last && this.used(session)) session++;
		if (session > this.last) return 0;
		const texts = this.#texts;
		const record = texts.allocate(end - start);
		if (record === 0) return 0;
		const own = texts.bytes;
		let at = texts.offset(record);
		for (let i = start; i < end; i++) own[at++] = bytes[i];
		this.#rows[ROW * session + IDENTIFIER] = record;
		this.#rows[ROW * session + PACKET_ID] = 0;
		this.#words[WIDTH * session + HASH] = hash(bytes, start, end, SEED) >>> 0;
		this.setExpiry(session, 0);
		this.setEndsAt(session, NEVER);
		this.setWillAt(session, NEVER);
		this.count++;
		return session;
	}

	/** Forgets a session and its will. */
	remove(session: number): void {
		this.dropWill(session);
		this.#texts.release(this.#rows[ROW * session + IDENTIFIER]);
		this.#rows[ROW * session + IDENTIFIER] = 0;
		this.setConnection(session, 0);
		this.count--;
	}

	/** Forgets the will [MQTT-3.1.2-10]. */
	dropWill(session: number): void {
		this.setWillAt(session, NEVER);
		const will = this.will(session);
		if (will === 0) return;
		this.setWill(session, 0);
		this.#texts.release(will);
	}

	/** In which client identifiers lie. */
	get texts(): Uint8Array {
		return this.#texts.bytes;
	}

	/** Index of the first byte of its client identifier, and of the byte after it; until sessions or wills change. */
	identifierStart(session: number): number {
		return this.#texts.offset(this.#rows[ROW * session + IDENTIFIER]);
	}

	identifierEnd(session: number): number {
		const record = this.#rows[ROW * session + IDENTIFIER];
		return this.#texts.offset(record) + this.#texts.size(record);
	}

	/** The next packet identifier in turn, 1 … 65,535; it may still be in use. */
	nextPacketId(session: number): number {
		const row = ROW * session + PACKET_ID;
		const id = this.#rows[row] === 0xffff ? 1 : this.#rows[row] + 1;
		this.#rows[row] = id;
		return id;
	}
}
