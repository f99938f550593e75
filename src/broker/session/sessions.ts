import { FNV_SEED, fnv1a } from "../../text/fnv1a";
import type { Arena } from "../pool/arena";
import { NEVER_SECONDS } from "../pool/clock";
import type { DirtyFlags } from "../pool/dirty-flags";
import { equalBytes } from "../pool/hash";
import type { Memory } from "../pool/memory";
import { Messages } from "../pool/messages";
import { userOfPeer } from "../pool/peer";

// Columns of a session: 16 bits
const ROW_WIDTH = 4;
const CONNECTION = 0;
const WILL = 1;
const IDENTIFIER = 2;
const PACKET_ID = 3;

// Columns of a session: 32 bits
const WORDS_WIDTH = 7;
const HASH = 0;
const EXPIRY = 1;
const ENDS_AT = 2;
const WILL_AT = 3;
const WILL_DELAY = 4;
const PEER = 5;
const ABSENT_SINCE = 6;

/**
 * Session state of each client, connected or not (§4.1). A session is a number from 1 to `capacity`; 0 means
 * none.
 *
 * A client is known by its user and its client identifier: each user has a name space of its own, so that no
 * user can use up, take over or end what another one needs. Anonymous clients share one.
 */
export class Sessions {
	readonly wills: Messages;
	/** Sessions in use. */
	count = 0;
	/** The highest session number. */
	readonly capacity: number;
	/** Records changed sessions; undefined without persistence. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	readonly #texts: Arena;
	readonly #rows: Uint16Array;
	readonly #words: Uint32Array;

	/** @param records sessions @param bytes for client identifiers and wills */
	constructor(memory: Memory, records: number, bytes: number) {
		const { tables } = memory;
		this.#texts = memory.arena(bytes, 2 * records);
		this.wills = new Messages(memory, this.#texts, 2 * records, false);
		this.capacity = records;
		this.#rows = tables.u16(ROW_WIDTH * records + ROW_WIDTH);
		this.#words = tables.u32(WORDS_WIDTH * records + WORDS_WIDTH);
	}

	/**
	 * The index of the connection that serves a session, counted from 1; 0 while the client is disconnected.
	 */
	connection(session: number): number {
		return this.#rows[ROW_WIDTH * session + CONNECTION];
	}

	setConnection(session: number, index: number): void {
		this.#rows[ROW_WIDTH * session + CONNECTION] = index;
		this.dirtyFlags?.mark(session);
	}

	/** The will (§3.1.2.5), a record of `wills`; 0 where there is none. */
	will(session: number): number {
		return this.#rows[ROW_WIDTH * session + WILL];
	}

	setWill(session: number, record: number): void {
		this.#rows[ROW_WIDTH * session + WILL] = record;
		this.dirtyFlags?.mark(session);
	}

	/** Session expiry interval, s; NEVER_SECONDS: the session does not expire. */
	expirySeconds(session: number): number {
		return this.#words[WORDS_WIDTH * session + EXPIRY];
	}

	setExpiry(session: number, seconds: number): void {
		this.#words[WORDS_WIDTH * session + EXPIRY] = seconds;
		this.dirtyFlags?.mark(session);
	}

	/** When the session of a disconnected client ends, s of the broker's clock, or NEVER_SECONDS. */
	endsAtSeconds(session: number): number {
		return this.#words[WORDS_WIDTH * session + ENDS_AT];
	}

	setEndsAt(session: number, second: number): void {
		this.#words[WORDS_WIDTH * session + ENDS_AT] = second;
		this.dirtyFlags?.mark(session);
	}

	/** When its will is published, as endsAtSeconds(). */
	willAtSeconds(session: number): number {
		return this.#words[WORDS_WIDTH * session + WILL_AT];
	}

	setWillAt(session: number, second: number): void {
		this.#words[WORDS_WIDTH * session + WILL_AT] = second;
	}

	/** Will delay interval (§3.1.3.2.2), s. */
	willDelaySeconds(session: number): number {
		return this.#words[WORDS_WIDTH * session + WILL_DELAY];
	}

	setWillDelay(session: number, seconds: number): void {
		this.#words[WORDS_WIDTH * session + WILL_DELAY] = seconds;
		this.dirtyFlags?.mark(session);
	}

	/** The peer that holds a session: its user, and the network of its last connection; see peer.ts. */
	peer(session: number): number {
		return this.#words[WORDS_WIDTH * session + PEER];
	}

	setPeer(session: number, peer: number): void {
		const at = WORDS_WIDTH * session + PEER;
		if (this.#words[at] === peer) return;
		this.#words[at] = peer;
		this.dirtyFlags?.mark(session);
	}

	/** When the client of a session without a connection left, s of the broker's clock. */
	absentSinceSeconds(session: number): number {
		return this.#words[WORDS_WIDTH * session + ABSENT_SINCE];
	}

	setAbsentSince(session: number, second: number): void {
		this.#words[WORDS_WIDTH * session + ABSENT_SINCE] = second;
	}

	/** Bytes of the client identifier and the will of a session. */
	bytesOf(session: number): number {
		const identifier = this.#texts.size(this.#rows[ROW_WIDTH * session + IDENTIFIER]);
		const will = this.will(session);
		return will === 0 ? identifier : identifier + this.#texts.size(will);
	}

	/** Bytes that are free for client identifiers and wills. */
	get freeBytes(): number {
		return this.#texts.free;
	}

	/** Bytes of client identifiers and wills. */
	get bytes(): number {
		return this.#texts.used;
	}

	/** Highest value of `bytes` so far. */
	get peak(): number {
		return this.#texts.peak;
	}

	inUse(session: number): boolean {
		return this.#rows[ROW_WIDTH * session + IDENTIFIER] !== 0;
	}

	/** Whether a session outlives its connection. */
	persistent(session: number): boolean {
		return this.#words[WORDS_WIDTH * session + EXPIRY] !== 0;
	}

	/** The session of a user's client identifier; 0 if there is none. */
	find(user: number, bytes: Uint8Array, start: number, end: number): number {
		const texts = this.#texts;
		const words = this.#words;
		const wanted = fnv1a(bytes, start, end, FNV_SEED) >>> 0;
		for (let session = 1; session <= this.capacity; session++) {
			const record = this.#rows[ROW_WIDTH * session + IDENTIFIER];
			if (
				record === 0 ||
				words[WORDS_WIDTH * session + HASH] !== wanted ||
				texts.size(record) !== end - start ||
				userOfPeer(words[WORDS_WIDTH * session + PEER]) !== user
			)
				continue;
			if (equalBytes(bytes, start, end, texts.bytes, texts.offset(record))) return session;
		}
		return 0;
	}

	/** Adds a session; returns 0 if sessions or bytes are used up. */
	add(peer: number, bytes: Uint8Array, start: number, end: number): number {
		let session = 1;
		while (session <= this.capacity && this.inUse(session)) session++;
		if (session > this.capacity) return 0;
		const texts = this.#texts;
		const record = texts.allocate(end - start);
		if (record === 0) return 0;
		const own = texts.bytes;
		let at = texts.offset(record);
		for (let i = start; i < end; i++) own[at++] = bytes[i];
		this.#rows[ROW_WIDTH * session + IDENTIFIER] = record;
		this.#rows[ROW_WIDTH * session + PACKET_ID] = 0;
		this.#words[WORDS_WIDTH * session + HASH] = fnv1a(bytes, start, end, FNV_SEED) >>> 0;
		this.#words[WORDS_WIDTH * session + PEER] = peer;
		this.setAbsentSince(session, 0);
		this.setExpiry(session, 0);
		this.setEndsAt(session, NEVER_SECONDS);
		this.setWillAt(session, NEVER_SECONDS);
		this.count++;
		return session;
	}

	/** Deletes a session and its will. */
	remove(session: number): void {
		this.dropWill(session);
		this.#texts.release(this.#rows[ROW_WIDTH * session + IDENTIFIER]);
		this.#rows[ROW_WIDTH * session + IDENTIFIER] = 0;
		this.setConnection(session, 0);
		this.count--;
	}

	/** Deletes the will [MQTT-3.1.2-10]. */
	dropWill(session: number): void {
		this.setWillAt(session, NEVER_SECONDS);
		const will = this.will(session);
		if (will === 0) return;
		this.setWill(session, 0);
		this.#texts.release(will);
	}

	/** Byte buffer that holds the client identifiers. */
	get identifierBytes(): Uint8Array {
		return this.#texts.bytes;
	}

	/**
	 * Index of the first byte of its client identifier, and of the byte after it; valid until sessions or wills
	 * change.
	 */
	identifierStart(session: number): number {
		return this.#texts.offset(this.#rows[ROW_WIDTH * session + IDENTIFIER]);
	}

	identifierEnd(session: number): number {
		const record = this.#rows[ROW_WIDTH * session + IDENTIFIER];
		return this.#texts.offset(record) + this.#texts.size(record);
	}

	/** Lets the sequence of packet identifiers continue after one, 0 … 65,535. */
	setLastPacketId(session: number, packetId: number): void {
		this.#rows[ROW_WIDTH * session + PACKET_ID] = packetId;
	}

	/** The next packet identifier in sequence, 1 … 65,535; it may still be in use. */
	nextPacketId(session: number): number {
		const row = ROW_WIDTH * session + PACKET_ID;
		const id = this.#rows[row] === 0xffff ? 1 : this.#rows[row] + 1;
		this.#rows[row] = id;
		return id;
	}
}
