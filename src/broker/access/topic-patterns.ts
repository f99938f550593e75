import { SLASH } from "../../text/ascii";

const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;
/** Bytes that mark the placeholders; neither occurs in UTF-8. */
export const USER_PLACEHOLDER = 0xff;
export const ID_PLACEHOLDER = 0xfe;

/**
 * Matches topic filters with placeholders. The caller sets the values of the placeholders first; they are
 * taken literally, and must not contain `/`, `+` or `#` nor begin with `$`. Ranges must be valid patterns,
 * topic names or topic filters (§4.7). Allocates nothing.
 */
export class TopicPatterns {
	/** Bytes of all patterns. */
	readonly bytes: Uint8Array;
	user: Uint8Array;
	userStart = 0;
	userEnd = 0;
	id: Uint8Array;
	idStart = 0;
	idEnd = 0;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
		this.user = bytes;
		this.id = bytes;
	}

	/** Whether a topic name matches the pattern in [start, end). */
	matches(start: number, end: number, topic: Uint8Array, topicStart: number, topicEnd: number): boolean {
		const { bytes } = this;
		let p = start;
		let t = topicStart;
		if (topic[t] === DOLLAR && (bytes[p] === HASH || bytes[p] === PLUS)) return false; // [MQTT-4.7.2-1]
		for (;;) {
			if (p === end) return t === topicEnd;
			const byte = bytes[p];
			if (byte === HASH) return true;
			if (byte === PLUS) {
				p++;
				while (t < topicEnd && topic[t] !== SLASH) t++;
			} else if (byte >= ID_PLACEHOLDER) {
				t = this.skipPlaceholder(byte, topic, t, topicEnd);
				if (t < 0) return false;
				p++;
			} else if (t === topicEnd) return byte === SLASH && p + 2 === end && bytes[p + 1] === HASH;
			else {
				if (byte !== topic[t]) return false;
				p++;
				t++;
			}
		}
	}

	/**
	 * Whether the pattern in [start, end) matches every topic name that a topic filter matches. Returns false
	 * for some unusual pairs where it does, such as `+/#` and `#`.
	 */
	covers(start: number, end: number, filter: Uint8Array, filterStart: number, filterEnd: number): boolean {
		return this.compare(start, end, filter, filterStart, filterEnd, true);
	}

	/** Whether any topic name matches both the pattern in [start, end) and a topic filter. */
	overlaps(start: number, end: number, filter: Uint8Array, filterStart: number, filterEnd: number): boolean {
		return this.compare(start, end, filter, filterStart, filterEnd, false);
	}

	/** Compares level by level; an index of end + 1 means that no level is left. */
	private compare(
		start: number,
		end: number,
		filter: Uint8Array,
		filterStart: number,
		filterEnd: number,
		covering: boolean,
	): boolean {
		const { bytes } = this;
		let p = start;
		let f = filterStart;
		for (;;) {
			// "a/#" also matches the parent "a" (§4.7.1.2)
			if (p > end) return f > filterEnd || (!covering && filter[f] === HASH && f < filterEnd);
			const level = p < end ? bytes[p] : 0;
			if (f > filterEnd) return level === HASH;
			const wanted = f < filterEnd ? filter[f] : 0;
			const first = p === start;
			if (level === HASH) return !first || wanted !== DOLLAR; // [MQTT-4.7.2-1]
			if (wanted === HASH) return !covering && (!first || level !== DOLLAR);
			if (level === PLUS || wanted === PLUS) {
				if (covering && level !== PLUS) return false;
				if (first && (level === DOLLAR || wanted === DOLLAR)) return false; // [MQTT-4.7.2-1]
				while (p < end && bytes[p] !== SLASH) p++;
				while (f < filterEnd && filter[f] !== SLASH) f++;
			} else {
				while (p < end && bytes[p] !== SLASH) {
					const byte = bytes[p++];
					if (byte >= ID_PLACEHOLDER) {
						f = this.skipPlaceholder(byte, filter, f, filterEnd);
						if (f < 0) return false;
					} else if (f < filterEnd && filter[f] === byte) f++;
					else return false;
				}
				if (f < filterEnd && filter[f] !== SLASH) return false;
			}
			p++;
			f++;
		}
	}

	/** The index after the value of a placeholder if that value is at `at`; -1 otherwise. */
	private skipPlaceholder(placeholder: number, bytes: Uint8Array, at: number, end: number): number {
		const isUser = placeholder === USER_PLACEHOLDER;
		const name = isUser ? this.user : this.id;
		const nameEnd = isUser ? this.userEnd : this.idEnd;
		let i = isUser ? this.userStart : this.idStart;
		if (at + nameEnd - i > end) return -1;
		while (i < nameEnd) if (name[i++] !== bytes[at++]) return -1;
		return at;
	}
}
