import type { Arena } from "../pool/arena";
import { equalText } from "../pool/hash";
import type { Memory } from "../pool/memory";

/**
 * Topic aliases (§3.3.2.3.4) of each connection, in both directions. Aliases of the client must be kept while
 * it is connected; aliases of the broker only save bytes, and are evicted if the others need room. A client
 * is granted as many as have room even with the longest topics that a packet can carry.
 */
export class TopicAliases {
	/** Maximum number of aliases of one connection in one direction. */
	readonly limit: number;
	readonly #arena: Arena;
	/** Records of the topics: for each connection first the client's aliases, then the broker's. */
	readonly #records: Uint16Array;
	/** Aliases that each connection's client may set, and how many more can be granted. */
	readonly #granted: Uint8Array;
	#grantable: number;

	/**
	 * @param connections the highest index of a connection
	 * @param limit aliases of one connection in one direction
	 * @param bytes for all topics
	 * @param longest bytes of the longest topic
	 */
	constructor(memory: Memory, connections: number, limit: number, bytes: number, longest: number) {
		const records = limit === 0 ? 0 : 2 * limit * connections;
		this.limit = limit;
		this.#arena = memory.arena(bytes, records);
		this.#records = memory.tables.u16(limit === 0 ? 0 : records + 2 * limit);
		this.#grantable = Math.floor(bytes / longest);
		this.#granted = memory.tables.u8(connections + 1);
	}

	/** Bytes of all topics. */
	get bytes(): number {
		return this.#arena.used;
	}

	/** Number of topics. */
	get count(): number {
		return this.#arena.count;
	}

	/**
	 * Reserves room for aliases of a client and returns their number: aliases from 1 to that number are
	 * accepted until clear() [MQTT-3.3.2-12].
	 */
	grant(connection: number): number {
		const count = Math.min(this.limit, this.#grantable);
		this.#grantable -= count;
		this.#granted[connection] = count;
		return count;
	}

	/** Aliases that a client may set. */
	granted(connection: number): number {
		return this.#granted[connection];
	}

	/** The record of the topic of a client's alias; 0 if the alias is not set. */
	get(connection: number, alias: number): number {
		return alias > this.#granted[connection] ? 0 : this.#records[2 * this.limit * connection + alias - 1];
	}

	/** Index of the first byte of a record's topic; valid until set() or clear(). */
	topicStart(record: number): number {
		return this.#arena.offset(record);
	}

	topicEnd(record: number): number {
		return this.#arena.offset(record) + this.#arena.size(record);
	}

	/** Sets the topic of a client's alias, 1 to the granted number. */
	set(connection: number, alias: number, bytes: Uint8Array, start: number, end: number): void {
		const at = 2 * this.limit * connection + alias - 1;
		if (this.put(at, bytes, start, end)) return;
		this.evict();
		this.put(at, bytes, start, end);
	}

	/**
	 * The alias, 1 to `limit`, that the broker assigned to a topic; 0 if none.
	 * @param words of the memory, in which the topic lies
	 */
	find(connection: number, limit: number, words: DataView, start: number, end: number): number {
		const arena = this.#arena;
		const first = (2 * connection + 1) * this.limit;
		for (let i = 0; i < limit; i++) {
			const record = this.#records[first + i];
			if (
				record !== 0 &&
				arena.size(record) === end - start &&
				equalText(words, start, end, arena.offset(record))
			)
				return i + 1;
		}
		return 0;
	}

	/**
	 * Assigns an alias to a topic that has none; 0 if all are in use or there is no room. Moves no topic, as
	 * the topic of the message that is being sent may lie here.
	 */
	assign(connection: number, limit: number, bytes: Uint8Array, start: number, end: number): number {
		if (!this.#arena.fits(end - start)) return 0; // [MQTT-3.3.2-3] [MQTT-3.1.1:3.3.2-3]
		const first = (2 * connection + 1) * this.limit;
		for (let i = 0; i < limit; i++)
			if (this.#records[first + i] === 0) return this.put(first + i, bytes, start, end) ? i + 1 : 0;
		return 0;
	}

	/** Revokes an alias that assign() returned. */
	unassign(connection: number, alias: number): void {
		this.release((2 * connection + 1) * this.limit + alias - 1);
	}

	/** Deletes the aliases of a connection [MQTT-3.3.2-7]. */
	clear(connection: number): void {
		const first = 2 * connection * this.limit;
		for (let i = first; i < first + 2 * this.limit; i++) this.release(i);
		this.#grantable += this.#granted[connection];
		this.#granted[connection] = 0;
		this.#arena.compact(); // so that assign() finds room
	}

	private put(at: number, bytes: Uint8Array, start: number, end: number): boolean {
		this.release(at);
		const arena = this.#arena;
		const record = arena.allocate(end - start);
		if (record === 0) return false;
		this.#records[at] = record;
		const own = arena.bytes;
		if (own === bytes) own.copyWithin(arena.offset(record), start, end);
		else for (let i = start, to = arena.offset(record); i < end; i++) own[to++] = bytes[i];
		return true;
	}

	/** Deletes all aliases of the broker. */
	private evict(): void {
		const { limit } = this;
		for (let first = limit; first < this.#records.length; first += 2 * limit)
			for (let i = 0; i < limit; i++) this.release(first + i);
	}

	private release(at: number): void {
		const record = this.#records[at];
		if (record === 0) return;
		this.#records[at] = 0;
		this.#arena.release(record);
	}
}
