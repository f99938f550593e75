import { readUint32, writeUint16, writeUint32 } from "../../mqtt/bytes";
import { CRC_START, crc16 } from "../../text/crc16";
import { ANSWER_AREA_SIZE, type CommandMemory } from "./command-memory";

/*
 * Answers that the broker has not acknowledged, in retained memory: they are sent on this connection or a
 * later one. An answer is written behind the others and exists from the commit that counts it. The area is
 * emptied once all of them are acknowledged.
 *
 * An answer: checksum of the rest (2 bytes), length of the whole (2), of the topic (2) and of the correlation
 * data (1), whether there are any (1), identity of the command (4), packet identifier of its message (2),
 * topic, correlation data, payload.
 */

/** Bytes before the topic of an answer. */
const HEADER = 14;
/** Answers in the area, at most. */
export const ANSWER_LIMIT = 16;
/** Longest payload of an answer, bytes; and of one to the command `summary`. */
export const ANSWER_PAYLOAD_LIMIT = 224;
export const SUMMARY_PAYLOAD_LIMIT = 464;

/** Identity of an answer to no command: settings were restored. */
export const RESTORED_OUTCOME = 0;
/** A topic that stands for the one of the configuration. */
const DEFAULT_TOPIC: Uint8Array = new Uint8Array(0);

/** Longest response topic that an answer is sent to, bytes. */
export const RESPONSE_TOPIC_LIMIT = 128;
/** Longest correlation data that an answer returns, bytes. */
export const CORRELATION_LIMIT = 64;

/**
 * Whether one more answer finds room, however long its payload is.
 * @param payloadLimit of such an answer
 */
export function hasRoomForAnswer(
	memory: CommandMemory,
	topicLength: number,
	correlationLength: number,
	payloadLimit = ANSWER_PAYLOAD_LIMIT,
): boolean {
	const need = HEADER + topicLength + correlationLength + payloadLimit;
	return memory.answerCount < ANSWER_LIMIT && memory.answersUsed + need <= ANSWER_AREA_SIZE;
}

/**
 * Adds an answer; the caller commits it.
 * @param packetId of the command's message, as it is remembered
 * @param topic empty: the topic of the configuration
 * @param correlation undefined: none
 */
export function addAnswer(
	memory: CommandMemory,
	identity: number,
	packetId: number,
	topic: Uint8Array,
	correlation: Uint8Array | undefined,
	payload: Uint8Array,
): void {
	const { bytes, answersStart, answersUsed, answerCount } = memory;
	const start = answersStart + answersUsed;
	const correlationLength = correlation === undefined ? 0 : correlation.length;
	const length = HEADER + topic.length + correlationLength + payload.length;
	writeUint16(bytes, start + 2, length);
	writeUint16(bytes, start + 4, topic.length);
	bytes[start + 6] = correlationLength;
	bytes[start + 7] = correlation === undefined ? 0 : 1;
	writeUint16(bytes, writeUint32(bytes, start + 8, identity), packetId);
	let at = start + HEADER;
	bytes.set(topic, at);
	at += topic.length;
	if (correlation !== undefined) bytes.set(correlation, at);
	bytes.set(payload, at + correlationLength);
	writeUint16(bytes, start, crc16(bytes, start + 2, start + length, CRC_START));
	memory.answersUsed = answersUsed + length;
	memory.answerCount = answerCount + 1;
}

/**
 * Adds an answer to no command, unless it is in the area already. The caller commits it.
 * @returns false: there is no room before the area is emptied
 */
export function addOutcome(memory: CommandMemory, identity: number, payload: Uint8Array): boolean {
	for (let i = 0; i < memory.answerCount; i++)
		if (!isAnswerDone(memory, i) && readAnswer(memory, i)?.identity === identity) return true;
	if (!hasRoomForAnswer(memory, 0, 0)) return false;
	addAnswer(memory, identity, 0, DEFAULT_TOPIC, undefined, payload);
	return true;
}

/** An answer of the area. Allocates: for when there is one. */
export class StoredAnswer {
	readonly identity: number;
	readonly packetId: number;
	/** Empty: the topic of the configuration. */
	readonly topic: Uint8Array;
	readonly correlation: Uint8Array | undefined;
	readonly payload: Uint8Array;

	constructor(bytes: Uint8Array, start: number, end: number) {
		const topicEnd = start + HEADER + ((bytes[start + 4] << 8) | bytes[start + 5]);
		const correlationEnd = topicEnd + bytes[start + 6];
		this.identity = readUint32(bytes, start + 8);
		this.packetId = (bytes[start + 12] << 8) | bytes[start + 13];
		this.topic = bytes.slice(start + HEADER, topicEnd);
		this.correlation = bytes[start + 7] === 0 ? undefined : bytes.slice(topicEnd, correlationEnd);
		this.payload = bytes.slice(correlationEnd, end);
	}
}

/** Reads an answer; undefined if memory was damaged. @param index 0 … answerCount − 1 */
export function readAnswer(memory: CommandMemory, index: number): StoredAnswer | undefined {
	const { bytes, answersStart, answersUsed } = memory;
	const limit = answersStart + answersUsed;
	let start = answersStart;
	for (let i = 0; ; i++) {
		const length = (bytes[start + 2] << 8) | bytes[start + 3];
		const end = start + length;
		if (length < HEADER || end > limit) return undefined;
		if (i < index) {
			start = end;
			continue;
		}
		if (((bytes[start] << 8) | bytes[start + 1]) !== crc16(bytes, start + 2, end, CRC_START))
			return undefined;
		const content = ((bytes[start + 4] << 8) | bytes[start + 5]) + bytes[start + 6];
		return HEADER + content > length ? undefined : new StoredAnswer(bytes, start, end);
	}
}

/** Whether the broker has an answer. */
export function isAnswerDone(memory: CommandMemory, index: number): boolean {
	return ((memory.answersDone >> index) & 1) !== 0;
}

/** Answers that the broker has not acknowledged. */
export function owedAnswers(memory: CommandMemory): number {
	let count = 0;
	for (let i = 0; i < memory.answerCount; i++) if (!isAnswerDone(memory, i)) count++;
	return count;
}

/** An answer has reached the broker, or cannot: empties the area after the last one. The caller commits. */
export function completeAnswer(memory: CommandMemory, index: number): void {
	const done = memory.answersDone | (1 << index);
	const { answerCount } = memory;
	if (done !== (1 << answerCount) - 1) {
		memory.answersDone = done;
		return;
	}
	memory.answerSequence += answerCount;
	memory.answerCount = memory.answersUsed = memory.answersSent = memory.answersDone = 0;
}
