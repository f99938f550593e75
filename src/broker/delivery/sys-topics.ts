import { utf8 } from "../../mqtt/utf8";
import { writeInteger } from "../../text/decimal";
import type { Core } from "../core/core";
import { TIMESTAMP_LIMIT } from "../core/timestamp";
import type { Message } from "../pool/message";

const NEW_LINE = 0x0a;
const DOLLAR = 0x24;
/** Offset of the composed message in the send area, which leaves room to encode the PUBLISH in place. */
const MESSAGE_OFFSET = 32;

/** Version of the project, to be updated with each release. */
export const VERSION = "0.1.0";
const VERSION_BYTES = 5;

/** Bytes of `$SYS/` and of `$SYS/last/`, the first line of NAMES. */
const PREFIX_LENGTH = 5;
const LAST_PREFIX_LENGTH = 10;

/** The prefix, then one topic per line without `$SYS/`, in the order of numericValue(). */
const NAMES = `$SYS/last/
broker/version
broker/uptime
broker/clients/connected
broker/clients/total
broker/clients/maximum
broker/messages/received
broker/messages/sent
broker/bytes/received
broker/bytes/sent
broker/retained/count
broker/subscriptions/count
broker/dropped/queue
broker/dropped/size
broker/dropped/expired
broker/dropped/share
broker/refused/connect
broker/refused/quota
broker/refused/denied
broker/refused/subscribe
broker/memory/sessions
broker/memory/sessions/peak
broker/memory/filters
broker/memory/filters/peak
broker/memory/values
broker/memory/values/peak
broker/memory/queue
broker/memory/queue/peak
broker/entries/used
broker/entries/peak
broker/levels/used
broker/aliases/used
broker/memory/aliases
broker/refused/requests
broker/ended/faults
broker/ended/timeouts
broker/ended/takeovers
broker/ended/lost
broker/storage/writes
broker/storage/failed
broker/errors
broker/refused/assembly
broker/turns/ended
broker/ended/size
broker/ended/malformed
broker/ended/quota
broker/ended/shares
broker/ended/sessions
`;
const PERIODIC_COUNT = 47;

/**
 * The broker's own topics, composed on demand: `$SYS/broker/…` with its state, and `$SYS/last/<topic>` with
 * the arrival time of a topic's current value. They are numbered from 1 to `count`.
 */
export class SysTopics {
	/** Number of `$SYS/broker/…` topics, which are published at intervals. */
	readonly periodicCount: number;
	readonly count: number;
	readonly #core: Core;
	/** NAMES as bytes, encoded on first use. */
	#names: Uint8Array | undefined;
	/** Index of the name read last, and offset of the next one. */
	#lastIndex = 0;
	#nextNameAt = 0;

	constructor(core: Core) {
		this.#core = core;
		this.periodicCount = core.settings.systemInterval === 0 ? 0 : PERIODIC_COUNT;
		this.count = this.periodicCount + core.store.records;
	}

	/** Whether a topic filter can match only these topics: it begins with `$SYS/`. */
	isSysFilter(bytes: Uint8Array, start: number, end: number): boolean {
		if (end - start < PREFIX_LENGTH || bytes[start] !== DOLLAR) return false;
		const names = this.nameBytes();
		for (let i = 0; i < PREFIX_LENGTH; i++) if (bytes[start + i] !== names[i]) return false;
		return true;
	}

	/**
	 * Composes a topic and its value in the memory's send area, which must not be in use; false if there is no
	 * such topic at present.
	 */
	compose(index: number, message: Message): boolean {
		const { memory, clock } = this.#core;
		memory.reopenSendArea();
		const { bytes } = memory;
		const start = memory.sendStart + MESSAGE_OFFSET;
		message.bytes = bytes;
		message.qos = 0;
		message.arrivedAtMs = clock.nowMs;
		const topicEnd =
			index > this.periodicCount
				? this.writeLastTopic(index - this.periodicCount, start, message)
				: this.writeName(index, start);
		if (topicEnd === 0) return false;
		message.retain = true;
		message.topicStart = start;
		message.topicEnd = topicEnd;
		message.propertiesStart = topicEnd;
		message.propertiesEnd = topicEnd;
		message.payloadStart = topicEnd;
		message.payloadEnd =
			index > this.periodicCount
				? this.writeTimestamp(topicEnd, message.arrivedAtMs)
				: this.writeValue(index, topicEnd);
		return true;
	}

	/**
	 * Writes `$SYS/last/` and the topic of a stored value; returns the index after it, 0 if there is no value.
	 */
	private writeLastTopic(record: number, at: number, message: Message): number {
		const { store, memory } = this.#core;
		if (!store.isInitialValue(record, true)) return 0;
		store.messages.readInto(record, message);
		const { bytes } = memory;
		const { topicStart, topicEnd } = message;
		const names = this.nameBytes();
		const topic = at + LAST_PREFIX_LENGTH;
		const end = topic + topicEnd - topicStart;
		if (bytes[topicStart] === DOLLAR || end + TIMESTAMP_LIMIT > memory.sendStart + memory.sendSize) return 0;
		message.qos = 0;
		for (let i = 0; i < LAST_PREFIX_LENGTH; i++) bytes[at + i] = names[i];
		bytes.copyWithin(topic, topicStart, topicEnd);
		return end;
	}

	private writeTimestamp(at: number, arrived: number): number {
		const { timestamp, memory } = this.#core;
		const length = timestamp.write(arrived);
		for (let i = 0; i < length; i++) memory.bytes[at + i] = timestamp.text[i];
		return at + length;
	}

	private writeName(index: number, at: number): number {
		const { bytes } = this.#core.memory;
		const names = this.nameBytes();
		if (this.#lastIndex === 0 || index !== this.#lastIndex + 1) {
			this.#lastIndex = 0;
			this.#nextNameAt = LAST_PREFIX_LENGTH + 1;
		}
		let from = this.#nextNameAt;
		while (this.#lastIndex < index - 1) if (names[from++] === NEW_LINE) this.#lastIndex++;
		for (let i = 0; i < PREFIX_LENGTH; i++) bytes[at++] = names[i];
		while (names[from] !== NEW_LINE) bytes[at++] = names[from++];
		this.#lastIndex = index;
		this.#nextNameAt = from + 1;
		return at;
	}

	private writeValue(index: number, at: number): number {
		const { bytes } = this.#core.memory;
		if (index !== 1) return writeInteger(bytes, at, Math.max(0, this.numericValue(index)));
		const names = this.nameBytes();
		for (let i = names.length - VERSION_BYTES; i < names.length; i++) bytes[at++] = names[i];
		return at;
	}

	private nameBytes(): Uint8Array {
		this.#names ??= utf8(NAMES + VERSION);
		return this.#names;
	}

	private numericValue(index: number): number {
		const { clock, counters, sessions, subscriptions, store, queues, aliases, settings, openCount } =
			this.#core;
		switch (index) {
			case 2:
				return Math.floor(clock.nowMs / 1000);
			case 3:
				return openCount;
			case 4:
				return sessions.count;
			case 5:
				return counters.peakClients;
			case 6:
				return counters.publishesReceived;
			case 7:
				return counters.messagesDelivered;
			case 8:
				return counters.bytesIn;
			case 9:
				return counters.bytesOut;
			case 10:
				return store.retainedCount;
			case 11:
				return subscriptions.count;
			case 12:
				return counters.droppedQueue;
			case 13:
				return counters.droppedSize;
			case 14:
				return counters.droppedExpired;
			case 15:
				return counters.droppedShared;
			case 16:
				return counters.connectsRefused;
			case 17:
				return counters.publishesOverQuota;
			case 18:
				return counters.publishesDenied;
			case 19:
				return counters.subscriptionsOverQuota;
			case 20:
				return sessions.bytes;
			case 21:
				return sessions.peak;
			case 22:
				return subscriptions.tree.bytes;
			case 23:
				return subscriptions.tree.peak;
			case 24:
				return store.messages.arena.used;
			case 25:
				return store.messages.arena.peak;
			case 26:
				return queues.contents.arena.used;
			case 27:
				return queues.contents.arena.peak;
			case 28:
				return settings.queuedMessages - queues.free;
			case 29:
				return settings.queuedMessages - queues.leastFree;
			case 30:
				return subscriptions.tree.count;
			case 31:
				return aliases.count;
			case 32:
				return aliases.bytes;
			case 33:
				return counters.requestsRefused;
			case 34:
				return counters.peerFaults;
			case 35:
				return counters.timeouts;
			case 36:
				return counters.takeovers;
			case 37:
				return counters.connectionsLost;
			case 38:
				return counters.storageWrites;
			case 39:
				return counters.storageFailures;
			case 40:
				return counters.internalErrors;
			case 41:
				return counters.partialsRefused;
			case 42:
				return counters.turnsEnded;
			case 43:
				return counters.endedSize;
			case 44:
				return counters.endedMalformed;
			case 45:
				return counters.endedQuota;
			case 46:
				return counters.connectionsEvicted;
			default:
				return counters.sessionsEvicted;
		}
	}
}
