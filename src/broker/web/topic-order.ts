import type { Core } from "../core/core";
import { Message } from "../pool/message";
import { hasExpiry, secondsLeft } from "../pool/message-properties";

const DOLLAR = 0x24;

/**
 * The stored values that a reader may see, in the order of their topics; the store itself is not ordered. One
 * scan of the store finds several next values, up to the square root of its size: with one scan for each row
 * a visitor could keep the broker busy. The result is valid until the store changes or another reader is
 * served.
 */
export class TopicOrder {
	readonly #core: Core;
	readonly #value: Message;
	/** Records in the order of topics, and their number. */
	readonly #next: Uint16Array;
	#count = 0;
	/** Index of the record that was returned last. */
	#lastIndex = 0;
	#reader = 0;
	/** Value of `#changes` at the last scan. */
	#seenChanges = -1;

	constructor(core: Core) {
		this.#core = core;
		this.#value = new Message(core.memory.bytes);
		this.#next = new Uint16Array(Math.ceil(Math.sqrt(core.store.records)));
	}

	/** The record of the first topic after the one in [0, length) of `last`; 0 if there is none. */
	nextAfter(reader: number, last: Uint8Array, length: number): number {
		if (reader === this.#reader && this.#seenChanges === this.#changes) {
			// the same record again, if its row did not fit, or the next one
			for (let i = this.#lastIndex; i <= this.#lastIndex + 1 && i < this.#count; i++) {
				if (i === 0 || this.compare(this.#next[i - 1], last, length) !== 0) continue;
				this.#lastIndex = i;
				if (this.isUnexpired(this.#next[i])) return this.#next[i];
			}
		}
		this.refill(reader, last, length);
		return this.#count === 0 ? 0 : this.#next[0];
	}

	/** A number that changes when the store does. */
	get #changes(): number {
		const { counters, store } = this.#core;
		return counters.publishesReceived + counters.willsPublished + counters.droppedExpired + store.count;
	}

	private refill(reader: number, last: Uint8Array, length: number): void {
		const { store, authorizer, clock } = this.#core;
		const { messages } = store;
		const { bytes } = messages.arena;
		const next = this.#next;
		let count = 0;
		for (let record = 1; record <= store.records; record++) {
			if (!store.has(record)) continue;
			// expensive checks come last
			const start = messages.topicStart(record);
			if (bytes[start] === DOLLAR || this.compare(record, last, length) <= 0) continue;
			if (count === next.length && this.precedes(next[count - 1], record)) continue;
			if (!store.isInitialValue(record, true, clock.nowMs) || !this.isUnexpired(record)) continue;
			if (!authorizer.mayRead(reader, bytes, start, messages.topicEnd(record))) continue;
			let low = 0;
			let high = count;
			while (low < high) {
				const middle = (low + high) >> 1;
				if (this.precedes(next[middle], record)) low = middle + 1;
				else high = middle;
			}
			if (count < next.length) count++;
			next.copyWithin(low + 1, low, count - 1);
			next[low] = record;
		}
		this.#count = count;
		this.#lastIndex = 0;
		this.#reader = reader;
		this.#seenChanges = this.#changes;
	}

	private isUnexpired(record: number): boolean {
		const value = this.#value;
		this.#core.store.messages.readInto(record, value);
		return !hasExpiry(value) || secondsLeft(value, this.#core.clock.nowMs) >= 0;
	}

	private compare(record: number, other: Uint8Array, length: number): number {
		const { messages } = this.#core.store;
		return compare(
			messages.arena.bytes,
			messages.topicStart(record),
			messages.topicEnd(record),
			other,
			0,
			length,
		);
	}

	private precedes(a: number, b: number): boolean {
		const { messages } = this.#core.store;
		const { bytes } = messages.arena;
		return (
			compare(
				bytes,
				messages.topicStart(a),
				messages.topicEnd(a),
				bytes,
				messages.topicStart(b),
				messages.topicEnd(b),
			) < 0
		);
	}
}

/** Below 0, 0 or above 0 if the first text sorts before, equals, or sorts after the second. */
function compare(
	a: Uint8Array,
	aStart: number,
	aEnd: number,
	b: Uint8Array,
	bStart: number,
	bEnd: number,
): number {
	const shift = bStart - aStart;
	const end = Math.min(aEnd, bEnd - shift);
	let i = aStart;
	while (i < end && a[i] === b[i + shift]) i++;
	return i < end ? a[i] - b[i + shift] : aEnd - aStart - (bEnd - bStart);
}
