import type { Memory } from "../pool/memory";

/**
 * What has arrived of incomplete packets, without their fixed headers. It is taken from the sockets, because
 * the SDK reports the end of a connection only once its socket has been read empty (lwIP: tcpDeliver, "error
 * delivered after receive buffers empty").
 *
 * The parts lie one after the other, in the order of the connections, so that no byte is wasted: a part takes
 * exactly what has arrived. There are few at a time, as most packets arrive whole.
 */
export class PartialPackets {
	/** Bytes in use, now and at most so far. */
	used = 0;
	peak = 0;
	readonly #bytes: Uint8Array;
	readonly #start: number;
	readonly #capacity: number;
	/** Bytes of each connection. */
	readonly #lengths: Uint16Array;

	/** @param capacity bytes for all parts @param connections highest index of a connection */
	constructor(memory: Memory, capacity: number, connections: number) {
		this.#bytes = memory.bytes;
		this.#start = memory.claim(capacity);
		this.#capacity = capacity;
		this.#lengths = memory.tables.u16(connections + 1);
	}

	/** Appends `count` bytes from index `from` of the memory. There must be room for them. */
	append(connection: number, from: number, count: number): void {
		const bytes = this.#bytes;
		const lengths = this.#lengths;
		const end = this.#start + this.used;
		const at = this.startOf(connection) + lengths[connection];
		bytes.copyWithin(at + count, at, end);
		bytes.copyWithin(at, from, from + count);
		lengths[connection] += count;
		this.used += count;
		if (this.used > this.peak) this.peak = this.used;
	}

	/** Whether `count` more bytes fit. */
	hasRoom(count: number): boolean {
		return this.used + count <= this.#capacity;
	}

	/** Moves the part of a connection to index `to` of the memory. */
	take(connection: number, to: number): void {
		const start = this.startOf(connection);
		this.#bytes.copyWithin(to, start, start + this.#lengths[connection]);
		this.remove(connection);
	}

	/** Discards the part of a connection. Freed bytes are wiped, as a CONNECT may hold a password. */
	remove(connection: number): void {
		const bytes = this.#bytes;
		const length = this.#lengths[connection];
		const start = this.startOf(connection);
		const end = this.#start + this.used;
		bytes.copyWithin(start, start + length, end);
		bytes.fill(0, end - length, end);
		this.#lengths[connection] = 0;
		this.used -= length;
	}

	private startOf(connection: number): number {
		const lengths = this.#lengths;
		let start = this.#start;
		for (let i = 1; i < connection; i++) start += lengths[i];
		return start;
	}
}
