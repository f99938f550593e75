import { type CheckResult, MALFORMED_PACKET, MAXIMUM_STRING, TOPIC_NAME_INVALID } from "./constants";
import { validUTF8 } from "./utf8";

const SLASH = 0x2f;
/** From here on to the end of ASCII there are no wildcards: most characters of a topic. */
const PLAIN_FROM = 0x2c;
const PLAIN_COUNT = 0x54;
const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

// For four bytes at once: bit 7 of each, and what sets it in a byte from 0x2c to 0x7f
const BITS_7 = 0x8080_8080 | 0;
const TO_BIT_7 = 0x5454_5454;

/** Whether a wildcard character occurs in [start, end). */
export function hasWildcard(bytes: Uint8Array, start: number, end: number): boolean {
	let i = start;
	for (;;) {
		while (i < end && bytes[i] >= PLAIN_FROM) i++;
		if (i >= end) return false;
		const byte = bytes[i++];
		if (byte === HASH || byte === PLUS) return true;
	}
}

/**
 * Whether each byte of [start, end), at least four, is from 0x2c to 0x7f: a letter, a digit, most of the
 * punctuation. Four bytes are compared at a time; the last word overlaps the one before.
 */
function isPlain(words: DataView, start: number, end: number): boolean {
	const last = end - 4;
	let word = words.getInt32(last);
	let bits = word | ~(word + TO_BIT_7);
	for (let at = start; at < last; at += 4) {
		word = words.getInt32(at);
		bits |= word | ~(word + TO_BIT_7);
	}
	return (bits & BITS_7) === 0;
}

/**
 * Checks a received topic name. Returns 0, or the reason code with which it is refused: 0x81 if it is not
 * UTF-8, 0x90 if it has a wildcard. Nearly all topics are plain ASCII, for which one comparison per byte
 * checks both.
 * @param words view of `bytes`, with which a plain topic takes a third of the time on XS
 */
export function checkTopicName(bytes: Uint8Array, start: number, end: number, words?: DataView): CheckResult {
	if (words !== undefined && end - start >= 4 && isPlain(words, start, end)) return 0;
	let i = start;
	for (;;) {
		while (i < end && (bytes[i] - PLAIN_FROM) >>> 0 < PLAIN_COUNT) i++;
		if (i >= end) return 0;
		const byte = bytes[i];
		if (byte > 0x7f) {
			if (!validUTF8(bytes, i, end)) return MALFORMED_PACKET; // [MQTT-1.5.4-1] [MQTT-3.1.1:1.5.3-1]
			return hasWildcard(bytes, i, end) ? TOPIC_NAME_INVALID : 0; // [MQTT-4.7.0-1] [MQTT-3.1.1:4.7.1-1]
		}
		// [MQTT-4.7.0-1] [MQTT-4.7.3-2] [MQTT-3.1.1:4.7.1-1]
		if (byte === HASH || byte === PLUS || byte === 0)
			return validUTF8(bytes, i, end) ? TOPIC_NAME_INVALID : MALFORMED_PACKET;
		i++;
	}
}

/** Whether each wildcard in [start, end) is a whole level, and `#` the last one. */
export function validWildcards(bytes: Uint8Array, start: number, end: number): boolean {
	for (let i = start; i < end; i++) {
		const byte = bytes[i];
		if (byte === HASH) {
			// [MQTT-4.7.1-1] [MQTT-3.1.1:4.7.1-2]
			if (i !== end - 1 || (i > start && bytes[i - 1] !== SLASH)) return false;
		} else if (byte === PLUS) {
			// [MQTT-4.7.1-2] [MQTT-3.1.1:4.7.1-3]
			if ((i > start && bytes[i - 1] !== SLASH) || (i < end - 1 && bytes[i + 1] !== SLASH)) return false;
		}
	}
	return true;
}

/**
 * Whether `bytes` in [start, end) is a topic name (§4.7): well-formed UTF-8 of 1 to 65,535 bytes without
 * wildcards.
 */
export function validTopicName(bytes: Uint8Array, start: number, end: number): boolean {
	const length = end - start;
	if (length < 1 || length > MAXIMUM_STRING) return false; // [MQTT-4.7.3-1] [MQTT-4.7.3-3]
	return checkTopicName(bytes, start, end) === 0; // [MQTT-4.7.0-1] [MQTT-3.1.1:4.7.1-1] [MQTT-4.7.3-2]
}

/**
 * Whether `bytes` in [start, end) is a topic filter (§4.7): well-formed UTF-8 of 1 to 65,535 bytes, each
 * wildcard a whole level, `#` only at the end. A shared subscription's filter passes too; its own rules are
 * those of {@link sharedFilterStart}.
 */
export function validTopicFilter(bytes: Uint8Array, start: number, end: number): boolean {
	const length = end - start;
	if (length < 1 || length > MAXIMUM_STRING) return false; // [MQTT-4.7.3-1] [MQTT-4.7.3-3]
	return validWildcards(bytes, start, end) && validUTF8(bytes, start, end); // [MQTT-4.7.3-2]
}

/**
 * Finds the topic filter in a shared subscription, `$share/name/filter` (§4.8.2).
 * @returns the index of its first byte; 0 if the filter does not start with `$share/`; -1 if it does but its
 *   name or filter is not allowed.
 */
export function sharedFilterStart(bytes: Uint8Array, start: number, end: number): number {
	if (
		end - start < 7 ||
		bytes[start] !== DOLLAR ||
		bytes[start + 1] !== 0x73 ||
		bytes[start + 2] !== 0x68 ||
		bytes[start + 3] !== 0x61 ||
		bytes[start + 4] !== 0x72 ||
		bytes[start + 5] !== 0x65 ||
		bytes[start + 6] !== SLASH
	)
		return 0;
	for (let i = start + 7; i < end; i++) {
		const byte = bytes[i];
		if (byte === HASH || byte === PLUS) return -1; // [MQTT-4.8.2-2]
		if (byte === SLASH) {
			if (i === start + 7) return -1; // [MQTT-4.8.2-1]
			return i + 1 < end ? i + 1 : -1; // [MQTT-4.8.2-2]
		}
	}
	return -1; // [MQTT-4.8.2-2]
}

/**
 * Whether a topic name matches a topic filter (§4.7.1, §4.7.2). Both must be valid. For a shared subscription
 * pass the range from {@link sharedFilterStart} on.
 */
export function matches(
	filter: Uint8Array,
	filterStart: number,
	filterEnd: number,
	topic: Uint8Array,
	topicStart: number,
	topicEnd: number,
): boolean {
	let f = filterStart;
	let t = topicStart;
	if (topic[t] === DOLLAR && (filter[f] === HASH || filter[f] === PLUS)) return false; // [MQTT-4.7.2-1]
	for (;;) {
		if (f === filterEnd) return t === topicEnd;
		const byte = filter[f];
		if (byte === HASH) return true;
		if (byte === PLUS) {
			f++;
			while (t < topicEnd && topic[t] !== SLASH) t++;
		} else if (t === topicEnd) {
			// "a/#" also matches the parent "a" (§4.7.1.2)
			return byte === SLASH && f + 2 === filterEnd && filter[f + 1] === HASH;
		} else {
			if (byte !== topic[t]) return false; // [MQTT-4.7.3-4]
			f++;
			t++;
		}
	}
}
