import { utf8 } from "../../mqtt/utf8";
import { writeInteger } from "../../text/decimal";
import { VERSION } from "../../version";
import type { Core } from "../core/core";
import { TIMESTAMP_LIMIT } from "../core/timestamp";
import type { Message } from "../pool/message";

const DOLLAR = 0x24;
/** Offset of the composed message in the send area, which leaves room to encode the PUBLISH in place. */
const MESSAGE_OFFSET = 32;

/** Name of a topic, without `$SYS/`, and how its value is read, or the value itself if it is constant. */
type Row = readonly [name: string, read: ((core: Core) => number) | Uint8Array];

/** The topics that are published at intervals, in this order. */
const ROWS: readonly Row[] = [
	["broker/version", utf8(VERSION)],
	["broker/uptime", (core) => Math.floor(core.clock.nowMs / 1000)],
	["broker/clients/connected", (core) => core.openCount],
	["broker/clients/total", (core) => core.sessions.count],
	["broker/clients/maximum", (core) => core.counters.peakClients],
	["broker/messages/received", (core) => core.counters.publishesReceived],
	["broker/messages/sent", (core) => core.counters.messagesDelivered],
	["broker/bytes/received", (core) => core.counters.bytesIn],
	["broker/bytes/sent", (core) => core.counters.bytesOut],
	["broker/retained/count", (core) => core.store.retainedCount],
	["broker/subscriptions/count", (core) => core.subscriptions.count],
	["broker/dropped/queue", (core) => core.counters.droppedQueue],
	["broker/dropped/size", (core) => core.counters.droppedSize],
	["broker/dropped/expired", (core) => core.counters.droppedExpired],
	["broker/dropped/share", (core) => core.counters.droppedShared],
	["broker/refused/connect", (core) => core.counters.connectsRefused],
	["broker/refused/quota", (core) => core.counters.publishesOverQuota],
	["broker/refused/denied", (core) => core.counters.publishesDenied],
	["broker/refused/subscribe", (core) => core.counters.subscriptionsOverQuota],
	["broker/memory/sessions", (core) => core.sessions.bytes],
	["broker/memory/sessions/peak", (core) => core.sessions.peak],
	["broker/memory/filters", (core) => core.subscriptions.tree.bytes],
	["broker/memory/filters/peak", (core) => core.subscriptions.tree.peak],
	["broker/memory/values", (core) => core.store.messages.arena.used],
	["broker/memory/values/peak", (core) => core.store.messages.arena.peak],
	["broker/memory/queue", (core) => core.queues.contents.arena.used],
	["broker/memory/queue/peak", (core) => core.queues.contents.arena.peak],
	["broker/entries/used", (core) => core.settings.queuedMessages - core.queues.free],
	["broker/entries/peak", (core) => core.settings.queuedMessages - core.queues.table.leastFree],
	["broker/levels/used", (core) => core.subscriptions.tree.count],
	["broker/aliases/used", (core) => core.aliases.count],
	["broker/memory/aliases", (core) => core.aliases.bytes],
	["broker/refused/requests", (core) => core.counters.requestsRefused],
	["broker/ended/faults", (core) => core.counters.peerFaults],
	["broker/ended/timeouts", (core) => core.counters.timeouts],
	["broker/ended/takeovers", (core) => core.counters.takeovers],
	["broker/ended/lost", (core) => core.counters.connectionsLost],
	["broker/storage/writes", (core) => core.counters.storageWrites],
	["broker/storage/failed", (core) => core.counters.storageFailures],
	["broker/errors", (core) => core.counters.internalErrors],
	["broker/refused/assembly", (core) => core.counters.partialsRefused],
	["broker/turns/ended", (core) => core.counters.turnsEnded],
	["broker/ended/size", (core) => core.counters.endedSize],
	["broker/ended/malformed", (core) => core.counters.endedMalformed],
	["broker/ended/quota", (core) => core.counters.endedQuota],
	["broker/ended/shares", (core) => core.counters.connectionsEvicted],
	["broker/ended/sessions", (core) => core.counters.sessionsEvicted],
	// Only with a bridge
	["bridge/connected", (core) => (core.bridge!.isConnected ? 1 : 0)],
	["bridge/messages/in", (core) => core.bridge!.messagesIn],
	["bridge/messages/out", (core) => core.bridge!.messagesOut],
	["bridge/dropped/in", (core) => core.bridge!.droppedIn],
	["bridge/dropped/out", (core) => core.bridge!.droppedOut],
	["bridge/dropped/queue", (core) => core.queues.lost(core.bridge!.session)],
	["bridge/queued", (core) => core.queues.entries(core.bridge!.session)],
];
/** Number of the last rows that need a bridge. */
const BRIDGE_ROWS = 7;
/** Each value is published at least in one update of so many, the others leave out what has not changed. */
const UPDATES_PER_WHOLE_ONE = 6;

// In a preloaded module these lie in flash; never written
const SYS_PREFIX = utf8("$SYS/");
const LAST_PREFIX = utf8("$SYS/last/");
/** The names of ROWS, one after the other. */
const NAMES = utf8(freezeRows());
/** Where each of them starts, and behind the last one where it ends. */
const NAME_STARTS = nameStarts();

/** Freezes ROWS deeply. @returns all names as one text */
function freezeRows(): string {
	let names = "";
	for (let i = 0; i < ROWS.length; i++) {
		const [name, read] = ROWS[i];
		names += name;
		if (typeof read === "function") Object.freeze(read);
		Object.freeze(ROWS[i]);
	}
	Object.freeze(ROWS);
	return names;
}

function nameStarts(): Uint16Array {
	const starts = new Uint16Array(ROWS.length + 1);
	for (let i = 0; i < ROWS.length; i++) starts[i + 1] = starts[i] + utf8(ROWS[i][0]).length;
	return starts;
}

/**
 * The broker's own topics, composed on demand: `$SYS/broker/…` with its state, `$SYS/bridge/…` with that of
 * its bridge if it has one, and `$SYS/last/<topic>` with the arrival time of a topic's current value. They
 * are numbered from 1 to `count`.
 */
export class SysTopics {
	/** Number of `$SYS/broker/…` and `$SYS/bridge/…` topics, which are published at intervals. */
	periodicCount: number;
	count: number;
	readonly #core: Core;
	/**
	 * By number: the lower half of the value published last. Of two values that differ in the upper half
	 * alone the later one waits for a whole update.
	 */
	readonly #published: Uint16Array;
	/** The topic that the present update has come to; 0 between two. */
	#cursor = 0;
	/** Updates since the last whole one. */
	#updates = 0;

	constructor(core: Core) {
		this.#core = core;
		this.#published = core.memory.tables.u16(core.settings.systemInterval === 0 ? 0 : ROWS.length + 1);
		this.periodicCount = core.settings.systemInterval === 0 ? 0 : ROWS.length - BRIDGE_ROWS;
		this.count = this.periodicCount + core.store.records;
	}

	/** Adds the topics of the bridge. */
	includeBridge(): void {
		if (this.periodicCount === 0) return;
		this.periodicCount += BRIDGE_ROWS;
		this.count += BRIDGE_ROWS;
	}

	/** Makes the next update a whole one, as somebody else has subscribed. */
	includeAll(): void {
		this.#updates = UPDATES_PER_WHOLE_ONE;
	}

	/** The next topic of the present update, which the first call begins; 0: it is complete. */
	next(): number {
		if (this.#cursor === 0 && ++this.#updates > UPDATES_PER_WHOLE_ONE) this.#updates = 1;
		while (this.#cursor < this.periodicCount) {
			const read = ROWS[this.#cursor++][1];
			const value = typeof read === "function" ? read(this.#core) & 0xffff : 0;
			if (this.#updates !== 1 && value === this.#published[this.#cursor]) continue;
			this.#published[this.#cursor] = value;
			return this.#cursor;
		}
		this.#cursor = 0;
		return 0;
	}

	/** Whether a topic filter can match only these topics: it begins with `$SYS/`. */
	isSysFilter(bytes: Uint8Array, start: number, end: number): boolean {
		const { length } = SYS_PREFIX;
		if (end - start < length) return false;
		for (let i = 0; i < length; i++) if (bytes[start + i] !== SYS_PREFIX[i]) return false;
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
		const { store, memory, clock } = this.#core;
		if (!store.isInitialValue(record, true, clock.nowMs)) return 0;
		store.messages.readInto(record, message);
		const { bytes } = memory;
		const { topicStart, topicEnd } = message;
		const topic = at + LAST_PREFIX.length;
		const end = topic + topicEnd - topicStart;
		if (bytes[topicStart] === DOLLAR || end + TIMESTAMP_LIMIT > memory.sendStart + memory.sendSize) return 0;
		message.qos = 0;
		bytes.set(LAST_PREFIX, at);
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
		const end = NAME_STARTS[index];
		bytes.set(SYS_PREFIX, at);
		at += SYS_PREFIX.length;
		for (let from = NAME_STARTS[index - 1]; from < end; from++) bytes[at++] = NAMES[from];
		return at;
	}

	private writeValue(index: number, at: number): number {
		const { bytes } = this.#core.memory;
		const read = ROWS[index - 1][1];
		if (typeof read === "function") return writeInteger(bytes, at, Math.max(0, read(this.#core)));
		bytes.set(read, at);
		return at + read.length;
	}
}
