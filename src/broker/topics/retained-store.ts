import type { DirtyFlags } from "../pool/dirty-flags";
import { bucketCount, equalText, hashText } from "../pool/hash";
import type { Memory } from "../pool/memory";
import type { Message } from "../pool/message";
import { Messages } from "../pool/messages";

/** In place of a filter: which one matches is not known. */
const UNKNOWN_NODE = -1;

/**
 * Each topic's current value and its arrival time, in a fixed amount of memory.
 *
 * A topic has at most two values: the retained one, which a new subscriber receives (§3.3.1.3), and the
 * current one if a message without RETAIN arrived later. A retained message therefore replaces both. If
 * memory is used up, values that are not retained are evicted. Retained ones never are: without a later value
 * they are, with their own arrival time, the topic's current value again. Topics and messages lie in the
 * broker's memory.
 */
export class RetainedStore {
	readonly messages: Messages;
	/** Number of retained values. */
	retainedCount = 0;
	/** The record that the last put() or restore() filled; 0 if it cleared the topic or found no room. */
	lastRecord = 0;
	/** The highest record number. */
	readonly records: number;
	/** Marks changes, if values are to survive a restart. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	readonly #words: DataView;
	readonly #buckets: Uint16Array;
	/** By record: the next one in its bucket; then, plus 1, all results of firstFilter() and secondFilter(). */
	readonly #chain: Uint16Array;
	readonly #occupied: Uint8Array;
	/** The last record evicted; the next search continues after it. */
	#evictionCursor = 0;

	/** @param records number of values @param bytes for their topics, properties and payloads */
	constructor(memory: Memory, records: number, bytes: number) {
		const { tables } = memory;
		this.messages = new Messages(memory, memory.arena(bytes, records), records);
		this.records = records;
		this.#words = memory.words;
		this.#buckets = tables.u16(bucketCount(records));
		this.#chain = tables.u16(3 * records + 3);
		this.#occupied = tables.u8(records + 1);
	}

	/** Number of values, retained or not. */
	get count(): number {
		return this.messages.arena.count;
	}

	/**
	 * Stores a published message.
	 * @returns false if a retained message finds no room: then nothing has changed, except that with QoS 0 the
	 *   topic is cleared, as a QoS 0 PUBLISH cannot be rejected
	 */
	put(message: Message): boolean {
		const bucket = this.bucket(message.topicStart, message.topicEnd);
		this.lastRecord = 0;
		if (!message.retain) {
			// [MQTT-3.3.1-8] [MQTT-3.1.1:3.3.1-12]
			this.insert(message, bucket);
			return true;
		}
		if (message.payloadStart === message.payloadEnd) {
			// [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.1.1:3.3.1-10] [MQTT-3.1.1:3.3.1-11]
			this.remove(this.find(bucket, message, true), bucket);
			this.remove(this.find(bucket, message, false), bucket);
			return true;
		}
		const stored = this.insert(message, bucket); // [MQTT-3.3.1-5]
		if (!stored && message.qos !== 0) return false;
		if (!stored) this.remove(this.find(bucket, message, true), bucket); // [MQTT-3.1.1:3.3.1-7]
		this.remove(this.find(bucket, message, false), bucket);
		return stored;
	}

	/** Stores a value restored after a restart, and leaves the topic's other one unchanged. */
	restore(message: Message): void {
		this.lastRecord = 0;
		this.insert(message, this.bucket(message.topicStart, message.topicEnd));
	}

	/** The record of a topic name's retained value; 0 if there is none. */
	get(start: number, end: number): number {
		return this.lookup(this.bucket(start, end), start, end, true);
	}

	/**
	 * Whether a new subscriber receives the value in a record: a retained one or, with `current`, each topic's
	 * latest. Callers iterate over the records from 1 to `records`; values may be added or removed meanwhile.
	 * @param nowMs ms of the broker's clock: what has expired hides no retained value
	 */
	isInitialValue(record: number, current: boolean, nowMs: number): boolean {
		if (this.#occupied[record] === 0) return false;
		if (!this.messages.isRetained(record)) return current;
		return !current || !this.superseded(record, nowMs);
	}

	/**
	 * What was set for the topic of a record: the node of a filter that matches it, 0 if none does;
	 * UNKNOWN_NODE if nothing was.
	 */
	firstFilter(record: number): number {
		return this.#chain[this.records + 1 + record] - 1;
	}

	/** The node of the only other filter that matches it; 0 if there is none. */
	secondFilter(record: number): number {
		return this.#chain[2 * this.records + 2 + record] - 1;
	}

	setFilters(record: number, first: number, second: number): void {
		this.#chain[this.records + 1 + record] = first + 1;
		this.#chain[2 * this.records + 2 + record] = second + 1;
	}

	/** Forgets the filters of all topics, as a subscription was added. */
	forgetFilters(): void {
		this.#chain.fill(0, this.records + 1);
	}

	/** Whether a record holds a value. */
	has(record: number): boolean {
		return this.#occupied[record] !== 0;
	}

	/** Removes a value, for example an expired one. */
	drop(record: number): void {
		const { messages } = this;
		this.remove(record, this.bucket(messages.topicStart(record), messages.topicEnd(record)));
	}

	/**
	 * Removes the values that have expired [MQTT-3.3.2-5].
	 * @param nowMs ms of the broker's clock
	 * @returns whether there were any
	 */
	dropExpired(nowMs: number): boolean {
		let found = false;
		for (let record = 1; record <= this.records; record++) {
			if (this.#occupied[record] === 0 || this.messages.expiresAtMs(record) > nowMs) continue;
			this.drop(record);
			found = true;
		}
		return found;
	}

	/** Whether a message without RETAIN arrived for the topic after the retained value, and has not expired. */
	private superseded(record: number, nowMs: number): boolean {
		const { messages } = this;
		const start = messages.topicStart(record);
		const end = messages.topicEnd(record);
		const later = this.lookup(this.bucket(start, end), start, end, false);
		return later !== 0 && messages.expiresAtMs(later) > nowMs;
	}

	private insert(message: Message, bucket: number): boolean {
		const messages = this.messages;
		const arena = messages.arena;
		const room = messages.roundedSize(message);
		let record = this.find(bucket, message, message.retain);
		if (record !== 0 && room <= arena.size(record)) {
			messages.overwrite(record, message);
			this.lastRecord = record;
			this.dirtyFlags?.mark(record);
			return true;
		}
		const reusable = record === 0 ? 0 : arena.size(record);
		if (room > arena.free + reusable && room > this.reclaimableBytes() + (message.retain ? reusable : 0)) {
			// if the new value cannot be stored, an older one must not appear to be current
			if (!message.retain) this.remove(record, bucket);
			return false;
		}
		if (record === 0 && arena.exhausted && !this.evict()) return false;
		this.remove(record, bucket);
		while (room > arena.free) this.evict();
		record = messages.add(message);
		this.lastRecord = record;
		this.dirtyFlags?.mark(record);
		this.#occupied[record] = 1;
		this.setFilters(record, UNKNOWN_NODE, 0);
		this.#chain[record] = this.#buckets[bucket];
		this.#buckets[bucket] = record;
		if (message.retain) this.retainedCount++;
		return true;
	}

	/** Bytes that are free, or can be freed by eviction. */
	private reclaimableBytes(): number {
		const messages = this.messages;
		let bytes = messages.arena.free;
		if (this.retainedCount < messages.arena.count) {
			for (let i = 1; i <= this.records; i++)
				if (this.#occupied[i] !== 0 && !messages.isRetained(i)) bytes += messages.arena.size(i);
		}
		return bytes;
	}

	/** Evicts one value that is not retained, approximately the oldest; returns false if all are retained. */
	private evict(): boolean {
		if (this.retainedCount === this.messages.arena.count) return false;
		let cursor = this.#evictionCursor;
		do cursor = cursor >= this.records ? 1 : cursor + 1;
		while (this.#occupied[cursor] === 0 || this.messages.isRetained(cursor));
		this.#evictionCursor = cursor;
		this.drop(cursor);
		return true;
	}

	private find(bucket: number, message: Message, retained: boolean): number {
		return this.lookup(bucket, message.topicStart, message.topicEnd, retained);
	}

	private bucket(start: number, end: number): number {
		return hashText(this.#words, start, end) & (this.#buckets.length - 1);
	}

	private lookup(bucket: number, start: number, end: number, retained: boolean): number {
		const { messages } = this;
		const chain = this.#chain;
		let record = this.#buckets[bucket];
		while (record !== 0) {
			if (
				messages.topicLength(record) === end - start &&
				messages.isRetained(record) === retained &&
				equalText(this.#words, start, end, messages.topicStart(record))
			)
				break;
			record = chain[record];
		}
		return record;
	}

	private remove(record: number, bucket: number): void {
		if (record === 0) return;
		const chain = this.#chain;
		if (this.#buckets[bucket] === record) this.#buckets[bucket] = chain[record];
		else {
			let previous = this.#buckets[bucket];
			while (chain[previous] !== record) previous = chain[previous];
			chain[previous] = chain[record];
		}
		this.#occupied[record] = 0;
		this.dirtyFlags?.mark(record);
		if (this.messages.isRetained(record)) this.retainedCount--;
		this.messages.arena.release(record);
	}
}
