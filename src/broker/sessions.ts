import type { Arena } from "./arena";
import { hash, SEED, same } from "./hash";
import type { Memory } from "./memory";
import { Messages } from "./messages";

/** What the broker knows of each client. A session is a number from 1 to `sessions`; 0 means none. */
export class Sessions {
	/** The index of the connection that serves a session, counted from 1; 0 while it is away. */
	readonly connection: Uint16Array;
	/** The will (§3.1.2.5), a record of `wills`; 0 where there is none. */
	readonly will: Uint16Array;
	readonly wills: Messages;
	/** Sessions in use. */
	count = 0;
	readonly #texts: Arena;
	readonly #identifiers: Uint16Array;
	readonly #hashes: Int32Array;
	readonly #packetIds: Uint16Array;

	/** @param records sessions @param bytes for client identifiers and wills */
	constructor(memory: Memory, records: number, bytes: number) {
		const { tables } = memory;
		this.#texts = memory.arena(bytes, 2 * records);
		this.wills = new Messages(memory, this.#texts, 2 * records);
		this.connection = tables.u16(records + 1);
		this.will = tables.u16(records + 1);
		this.#identifiers = tables.u16(records + 1);
		this.#hashes = tables.i32(records + 1);
		this.#packetIds = tables.u16(records + 1);
	}

	/** Bytes of client identifiers and wills. */
	get bytes(): number {
		return this.#texts.used;
	}

	/** The session of a client identifier; 0 if there is none. */
	find(bytes: Uint8Array, start: number, end: number): number {
		const texts = this.#texts;
		const identifiers = this.#identifiers;
		const hashes = this.#hashes;
		const wanted = hash(bytes, start, end, SEED);
		for (let session = 1; session < identifiers.length; session++) {
			const record = identifiers[session];
			if (record === 0 || hashes[session] !== wanted || texts.size(record) !== end - start) continue;
			if (same(bytes, start, end, texts.bytes, texts.offset(record))) return session;
		}
		return 0;
	}

	/** A new session; 0 when sessions or bytes are used up. */
	add(bytes: Uint8Array, start: number, end: number): number {
		const identifiers = this.#identifiers;
		let session = 1;
		while (session < identifiers.length && identifiers[session] !== 0) session++;
		if (session === identifiers.length) return 0;
		const texts = this.#texts;
		const record = texts.allocate(end - start);
		if (record === 0) return 0;
		const own = texts.bytes;
		let at = texts.offset(record);
		for (let i = start; i < end; i++) own[at++] = bytes[i];
		identifiers[session] = record;
		this.#hashes[session] = hash(bytes, start, end, SEED);
		this.#packetIds[session] = 0;
		this.count++;
		return session;
	}

	/** Forgets a session and its will. */
	remove(session: number): void {
		this.dropWill(session);
		this.#texts.release(this.#identifiers[session]);
		this.#identifiers[session] = 0;
		this.connection[session] = 0;
		this.count--;
	}

	/** Forgets the will [MQTT-3.1.2-10]. */
	dropWill(session: number): void {
		const will = this.will[session];
		if (will === 0) return;
		this.will[session] = 0;
		this.#texts.release(will);
	}

	/** The next packet identifier in turn, 1 … 65,535; it may still be in use. */
	nextPacketId(session: number): number {
		const id = this.#packetIds[session] === 0xffff ? 1 : this.#packetIds[session] + 1;
		this.#packetIds[session] = id;
		return id;
	}
}
