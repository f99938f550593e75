import type { Arena } from "./arena";
import { same } from "./hash";
import type { Memory } from "./memory";

/**
 * Topic aliases (§3.3.2.3.4) of each connection, both ways. Those that a client set must be kept as long as it is connected; those that the broker set are only
 * there to save bytes, and give way to the others.
 */
export class Aliases {
	/** Aliases of one connection in one direction. */
	readonly limit: number;
	readonly #arena: Arena;
	/** Records of the topics: for each connection first the client's aliases, then the broker's. */
	readonly #records: Uint16Array;

	/** @param connections the highest index of a connection @param limit aliases of one connection in one direction @param bytes for all topics */
	constructor(memory: Memory, connections: number, limit: number, bytes: number) {
		const records = limit === 0 ? 0 : 2 * limit * connections;
		this.limit = limit;
		this.#arena = memory.arena(bytes, records);
		this.#records = memory.tables.u16(limit === 0 ? 0 : records + 2 * limit);
	}

	/** Bytes of topics. */
	get bytes(): number {
		return this.#arena.used;
	}

	/** Topics. */
	get count(): number {
		return this.#arena.count;
	}

	/** The record of the topic that a client gave an alias; 0 if it gave none. */
	get(connection: number, alias: number): number {
		return alias > this.limit ? 0 : this.#records[2 * this.limit * connection + alias - 1];
	}

	/** Where the topic of a record begins, until something is set. */
	start(record: number): number {
		return this.#arena.offset(record);
	}

	end(record: number): number {
		return this.#arena.offset(record) + this.#arena.size(record);
	}

	/** Takes what a client's alias stands for from now on; false when there is no room. */
	set(connection: number, alias: number, bytes: Uint8Array, start: number, end: number): boolean {
		const at = 2 * this.limit * connection + alias - 1;
		if (this.#put(at, bytes, start, end)) return true;
		this.#yield();
		return this.#put(at, bytes, start, end);
	}

	/** The alias, 1 to `limit`, that the broker gave a topic; 0 if none. */
	find(connection: number, limit: number, bytes: Uint8Array, start: number, end: number): number {
		const arena = this.#arena;
		const first = (2 * connection + 1) * this.limit;
		for (let i = 0; i < limit; i++) {
			const record = this.#records[first + i];
			if (record !== 0 && arena.size(record) === end - start && same(bytes, start, end, arena.bytes, arena.offset(record))) return i + 1;
		}
		return 0;
	}

	/** An alias for a topic that has none; 0 when all are given or there is no room. */
	give(connection: number, limit: number, bytes: Uint8Array, start: number, end: number): number {
		const first = (2 * connection + 1) * this.limit;
		for (let i = 0; i < limit; i++) if (this.#records[first + i] === 0) return this.#put(first + i, bytes, start, end) ? i + 1 : 0;
		return 0;
	}

	/** Takes back what give() gave. */
	take(connection: number, alias: number): void {
		this.#release((2 * connection + 1) * this.limit + alias - 1);
	}

	/** Forgets the aliases of a connection [MQTT-3.3.2-7]. */
	clear(connection: number): void {
		const first = 2 * connection * this.limit;
		for (let i = first; i < first + 2 * this.limit; i++) this.#release(i);
	}

	#put(at: number, bytes: Uint8Array, start: number, end: number): boolean {
		this.#release(at);
		const arena = this.#arena;
		const record = arena.allocate(end - start);
		if (record === 0) return false;
		this.#records[at] = record;
		const own = arena.bytes;
		if (own === bytes) own.copyWithin(arena.offset(record), start, end);
		else for (let i = start, to = arena.offset(record); i < end; i++) own[to++] = bytes[i];
		return true;
	}

	/** Forgets all aliases that the broker gave. */
	#yield(): void {
		const { limit } = this;
		for (let first = limit; first < this.#records.length; first += 2 * limit) for (let i = 0; i < limit; i++) this.#release(first + i);
	}

	#release(at: number): void {
		const record = this.#records[at];
		if (record === 0) return;
		this.#records[at] = 0;
		this.#arena.release(record);
	}
}
