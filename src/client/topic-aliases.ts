/**
 * Bytes of the shortest topic that gets an alias. The property takes three bytes, once beside the topic and
 * then in its place: from this length on the first message without the topic has paid for it.
 */
export const SHORTEST_ALIASED_TOPIC = 7;

/** Topic aliases of a client, at most. */
export const MAXIMUM_TOPIC_ALIASES = 255;

/** Bytes of the longest topic with an alias, by default. */
export const DEFAULT_ALIASED_TOPIC_BYTES = 64;

// Columns of a cell, before the bytes of its topic
const STATE = 0;
const LENGTH = 1;
const TOPIC = 2;

// States of a cell
/** Published once on this connection, without an alias: it may never come again. */
const SEEN = 1;
/** The broker knows the alias. */
const ANNOUNCED = 2;

/**
 * Topics that were published on this connection, and their aliases (§3.3.2.3.4): a topic gets one with its
 * second message, and from the third on the alias replaces it. A table of fixed size; a topic that was seen
 * once gives way to another, one with an alias stays until the connection ends.
 */
export class TopicAliases {
	private readonly bytes: Uint8Array;
	private readonly cellSize: number;
	/** Cells before it are in use. */
	private count = 0;
	/** The cell that is looked at first for a topic that gives way. */
	private next = 0;

	/**
	 * @param count of aliases, 1 … {@link MAXIMUM_TOPIC_ALIASES}
	 * @param topicBytes of the longest topic, {@link SHORTEST_ALIASED_TOPIC} … 255
	 * @throws RangeError if they are not
	 */
	constructor(count: number, topicBytes: number = DEFAULT_ALIASED_TOPIC_BYTES) {
		if (!(count >= 1 && count <= MAXIMUM_TOPIC_ALIASES))
			throw new RangeError(`topicAliases: ${count}, not 0 to ${MAXIMUM_TOPIC_ALIASES}`);
		if (!(topicBytes >= SHORTEST_ALIASED_TOPIC && topicBytes <= 255))
			throw new RangeError(`aliasedTopicBytes: ${topicBytes}, not ${SHORTEST_ALIASED_TOPIC} to 255`);
		this.cellSize = TOPIC + topicBytes;
		this.bytes = new Uint8Array(count * this.cellSize);
	}

	/** Call when a connection begins: the broker knows no alias. [MQTT-3.3.2-7] */
	reset(): void {
		this.count = this.next = 0;
	}

	/**
	 * The alias with which a message on topic [start, end) is to be sent; 0: none.
	 * @param maximum the broker's Topic Alias Maximum [MQTT-3.2.2-17] [MQTT-3.3.2-9]
	 */
	find(topic: Uint8Array, start: number, end: number, maximum: number): number {
		const bytes = this.bytes;
		const size = this.cellSize;
		const length = end - start;
		if (length < SHORTEST_ALIASED_TOPIC || length > size - TOPIC) return 0;
		const count = this.count < maximum ? this.count : maximum;
		for (let i = 0, cell = 0; i < count; i++, cell += size) {
			if (bytes[cell + LENGTH] !== length) continue;
			// Topics of one device differ at their end.
			let rest = length;
			while (rest > 0 && bytes[cell + TOPIC + rest - 1] === topic[start + rest - 1]) rest--;
			if (rest === 0) return i + 1;
		}
		return 0;
	}

	/** Whether the alias stands for its topic by now. */
	isAnnounced(alias: number): boolean {
		return this.bytes[(alias - 1) * this.cellSize + STATE] === ANNOUNCED;
	}

	/** A message was staged with an alias, and with its topic if the alias was not announced. */
	announce(alias: number): void {
		this.bytes[(alias - 1) * this.cellSize + STATE] = ANNOUNCED;
	}

	/** A message was staged on a topic without an alias. @param maximum as of {@link find} */
	remember(topic: Uint8Array, start: number, end: number, maximum: number): void {
		const bytes = this.bytes;
		const size = this.cellSize;
		const length = end - start;
		if (length < SHORTEST_ALIASED_TOPIC || length > size - TOPIC) return;
		const capacity = bytes.length / size;
		const cell = this.cellFor(capacity < maximum ? capacity : maximum);
		if (cell < 0) return;
		bytes[cell + STATE] = SEEN;
		bytes[cell + LENGTH] = length;
		for (let i = 0; i < length; i++) bytes[cell + TOPIC + i] = topic[start + i];
	}

	/** First byte of a cell that is free, or whose topic has no alias; −1: there is none. */
	private cellFor(limit: number): number {
		if (this.count < limit) return this.count++ * this.cellSize;
		for (let tries = 0; tries < limit; tries++) {
			const index = this.next;
			this.next = index + 1 < limit ? index + 1 : 0;
			const cell = index * this.cellSize;
			if (this.bytes[cell + STATE] !== ANNOUNCED) return cell;
		}
		return -1;
	}
}
