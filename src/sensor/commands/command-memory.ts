import { readUint32, writeUint16, writeUint32 } from "../../mqtt/bytes";
import { mix32 } from "../retained/checksum";

/*
 * The end of retained memory on a node that takes commands: two copies of a state, each with a checksum, then
 * the area of the answers (answer-area.ts), and a byte of its own. The newer valid copy applies. Changes are
 * made in the other one, which a reset before the commit leaves invalid.
 */

/** Bytes of retained memory for commands: both copies and the answers. */
export const COMMAND_BYTES = 1024;
/** Increment the last byte whenever the meaning of a byte changes. */
const MAGIC = 0x46_6c_43_01;

// Offsets in a copy
const AT_MAGIC = 0;
const AT_CHECKSUM = 4;
const AT_GENERATION = 8;
const AT_SUBSCRIBED = 12;
const AT_SETTINGS = 16;
const AT_UNSETTLED = 20;
const AT_TRIAL_WAKES = 21;
const AT_SUBSCRIBE_PAUSE = 22;
const AT_NEXT_EXECUTED = 23;
const AT_RECEIVED_COUNT = 24;
const AT_ANSWER_COUNT = 25;
const AT_ANSWERS_USED = 26;
const AT_ANSWERS_SENT = 28;
const AT_ANSWERS_DONE = 30;
const AT_ANSWER_SEQUENCE = 32;
const AT_ANSWER_TRIES = 34;
const AT_EXECUTED = 36;
/** Commands that are remembered, so that they are executed once. */
export const EXECUTED_LIMIT = 8;
/** Identity and packet identifier. */
const EXECUTED_SIZE = 6;
const AT_RECEIVED = AT_EXECUTED + EXECUTED_LIMIT * EXECUTED_SIZE;
/** QoS 2 messages that are not released, at most: SILENT_RECEIVE_MAXIMUM of command-session.ts. */
export const RECEIVED_LIMIT = 32;
/** A multiple of 8, as the checksum requires. */
const SIZE = (AT_RECEIVED + RECEIVED_LIMIT * 2 + 7) & ~7;

/**
 * Bytes behind the answers: whether CONNACK is awaited, whether there may be an update, after how many wakes
 * settings were restored, and the complement of that: older firmware has left anything there.
 */
const TAIL = 4;
/** Bytes for answers. */
export const ANSWER_AREA_SIZE: number = COMMAND_BYTES - 2 * SIZE - TAIL;

/**
 * What a node that takes commands has to know after sleep and reset. It is read and written in retained
 * memory itself, so that a wake without a command takes no RAM for it. Every change is durable from the next
 * commit.
 */
export class CommandMemory {
	/** Neither copy was valid: after power-on, or with the first firmware that has commands. */
	readonly wasLost: boolean;
	readonly bytes: Uint8Array;
	/** Where it begins in `bytes`. */
	readonly start: number;
	/** The copy that is read: the newest valid one, and the other from a change to its commit. */
	private at: number;
	private isChanged = false;

	/** @param bytes retained memory, at whose end it is; at least {@link COMMAND_BYTES} */
	constructor(bytes: Uint8Array) {
		const start = (bytes.length - COMMAND_BYTES) & ~3;
		this.bytes = bytes;
		this.start = this.at = start;
		const second = start + SIZE;
		const firstValid = this.isValid(start);
		const secondValid = this.isValid(second);
		this.wasLost = !firstValid && !secondValid;
		if (this.wasLost) this.clear();
		else if (secondValid && (!firstValid || this.isNewer(second, start))) this.at = second;
	}

	/** Start of the answers in `bytes`. */
	get answersStart(): number {
		return this.start + 2 * SIZE;
	}

	/**
	 * A CONNECT may have been sent whose CONNACK has not come. Durable at once, without a commit: every
	 * connection sets it, and nothing else changes in most of them.
	 */
	get isConnackAwaited(): boolean {
		return this.bytes[this.tail] !== 0;
	}

	set isConnackAwaited(awaited: boolean) {
		this.bytes[this.tail] = awaited ? 1 : 0;
	}

	/**
	 * Storage may have an update that is not over, or must be looked into for one. Durable at once, without a
	 * commit.
	 */
	get isUpdatePending(): boolean {
		return this.bytes[this.tail + 1] !== 0;
	}

	set isUpdatePending(pending: boolean) {
		this.bytes[this.tail + 1] = pending ? 1 : 0;
	}

	/**
	 * Wakes without a report after which settings were restored, of which an answer is owed; 0: none is.
	 * Durable at once, without a commit.
	 */
	get restoredAfter(): number {
		const { bytes, tail } = this;
		const wakes = bytes[tail + 2];
		return bytes[tail + 3] === (wakes ^ 0xff) ? wakes : 0;
	}

	set restoredAfter(wakes: number) {
		const { bytes, tail } = this;
		bytes[tail + 2] = wakes;
		bytes[tail + 3] = wakes ^ 0xff;
	}

	/** Makes all changes durable. */
	commit(): void {
		if (!this.isChanged) return;
		const { bytes, at } = this;
		writeUint32(bytes, at + AT_GENERATION, (readUint32(bytes, at + AT_GENERATION) + 1) >>> 0);
		writeUint32(bytes, at + AT_CHECKSUM, this.checksum(at));
		this.isChanged = false;
	}

	/** Identifies the subscription that the session has; 0: none. */
	get subscribed(): number {
		return readUint32(this.bytes, this.at + AT_SUBSCRIBED);
	}

	set subscribed(hash: number) {
		writeUint32(this.bytes, this.changing() + AT_SUBSCRIBED, hash);
	}

	/** Connections for which no SUBSCRIBE is sent, after the broker has refused one. */
	get subscribePause(): number {
		return this.bytes[this.at + AT_SUBSCRIBE_PAUSE];
	}

	set subscribePause(connections: number) {
		this.bytes[this.changing() + AT_SUBSCRIBE_PAUSE] = connections;
	}

	/** Generation of the stored settings in force; 0: those of the firmware. */
	get settings(): number {
		return readUint32(this.bytes, this.at + AT_SETTINGS);
	}

	set settings(generation: number) {
		writeUint32(this.bytes, this.changing() + AT_SETTINGS, generation);
	}

	/** Storage is being written: only it tells which settings are in force. */
	get isSettingUnsettled(): boolean {
		return this.bytes[this.at + AT_UNSETTLED] !== 0;
	}

	set isSettingUnsettled(unsettled: boolean) {
		this.bytes[this.changing() + AT_UNSETTLED] = unsettled ? 1 : 0;
	}

	/** Wakes with these settings, all without an acknowledged report. */
	get trialWakes(): number {
		return this.bytes[this.at + AT_TRIAL_WAKES];
	}

	set trialWakes(wakes: number) {
		this.bytes[this.changing() + AT_TRIAL_WAKES] = wakes;
	}

	/**
	 * Whether a command was executed, and is still remembered.
	 * @param packetId 0: whatever its packet identifier was
	 */
	wasExecuted(identity: number, packetId: number): boolean {
		const { bytes } = this;
		const from = this.at + AT_EXECUTED;
		for (let at = from; at < from + EXECUTED_LIMIT * EXECUTED_SIZE; at += EXECUTED_SIZE)
			if (readUint32(bytes, at) === identity && (packetId === 0 || this.read16(at + 4) === packetId))
				return true;
		return false;
	}

	/** Remembers a command in place of the oldest. @param packetId of its message; 0: QoS 0 */
	remember(identity: number, packetId: number): void {
		const { bytes } = this;
		const base = this.changing();
		const index = bytes[base + AT_NEXT_EXECUTED];
		bytes[base + AT_NEXT_EXECUTED] = (index + 1) % EXECUTED_LIMIT;
		const at = base + AT_EXECUTED + index * EXECUTED_SIZE;
		writeUint16(bytes, writeUint32(bytes, at, identity), packetId);
	}

	/**
	 * The broker has the acknowledgement of a command's message, and will not repeat it: its packet identifier
	 * has no meaning any more.
	 */
	forgetPacketId(identity: number, packetId: number): void {
		const { bytes } = this;
		const from = this.changing() + AT_EXECUTED;
		for (let at = from; at < from + EXECUTED_LIMIT * EXECUTED_SIZE; at += EXECUTED_SIZE)
			if (readUint32(bytes, at) === identity && this.read16(at + 4) === packetId)
				writeUint16(bytes, at + 4, 0);
	}

	/** QoS 2 messages that were taken, and that the broker has not released. */
	get receivedCount(): number {
		return this.bytes[this.at + AT_RECEIVED_COUNT];
	}

	receivedId(index: number): number {
		return this.read16(this.at + AT_RECEIVED + 2 * index);
	}

	addReceived(packetId: number): void {
		const { receivedCount } = this;
		if (receivedCount === RECEIVED_LIMIT) return;
		const base = this.changing();
		writeUint16(this.bytes, base + AT_RECEIVED + 2 * receivedCount, packetId);
		this.bytes[base + AT_RECEIVED_COUNT] = receivedCount + 1;
	}

	removeReceived(packetId: number): void {
		const last = this.receivedCount - 1;
		for (let i = 0; i <= last; i++) {
			if (this.receivedId(i) !== packetId) continue;
			const base = this.changing();
			writeUint16(this.bytes, base + AT_RECEIVED + 2 * i, this.receivedId(last));
			this.bytes[base + AT_RECEIVED_COUNT] = last;
			return;
		}
	}

	clearReceived(): void {
		if (this.receivedCount > 0) this.bytes[this.changing() + AT_RECEIVED_COUNT] = 0;
	}

	/** Answers in the area. */
	get answerCount(): number {
		return this.bytes[this.at + AT_ANSWER_COUNT];
	}

	set answerCount(count: number) {
		this.bytes[this.changing() + AT_ANSWER_COUNT] = count;
	}

	/** Bytes of these. */
	get answersUsed(): number {
		return this.read16(this.at + AT_ANSWERS_USED);
	}

	set answersUsed(bytes: number) {
		writeUint16(this.bytes, this.changing() + AT_ANSWERS_USED, bytes);
	}

	/** A bit for each answer: it was sent in the present session. */
	get answersSent(): number {
		return this.read16(this.at + AT_ANSWERS_SENT);
	}

	set answersSent(bits: number) {
		writeUint16(this.bytes, this.changing() + AT_ANSWERS_SENT, bits);
	}

	/** A bit for each answer: the broker has acknowledged it. */
	get answersDone(): number {
		return this.read16(this.at + AT_ANSWERS_DONE);
	}

	set answersDone(bits: number) {
		writeUint16(this.bytes, this.changing() + AT_ANSWERS_DONE, bits);
	}

	/** Answers before the first one of the area, since power-on, modulo 2^16. */
	get answerSequence(): number {
		return this.read16(this.at + AT_ANSWER_SEQUENCE);
	}

	set answerSequence(sequence: number) {
		writeUint16(this.bytes, this.changing() + AT_ANSWER_SEQUENCE, sequence & 0xffff);
	}

	/** Connections that ended with an answer sent and none acknowledged, in a row. */
	get answerTries(): number {
		return this.bytes[this.at + AT_ANSWER_TRIES];
	}

	set answerTries(tries: number) {
		this.bytes[this.changing() + AT_ANSWER_TRIES] = tries;
	}

	/** The start of the copy in which changes are made. */
	private changing(): number {
		if (this.isChanged) return this.at;
		const { bytes, start, at } = this;
		const to = at === start ? start + SIZE : start;
		this.at = to;
		this.isChanged = true;
		// Its checksum is wrong until the commit, except while nothing differs
		for (let i = 0; i < SIZE; i++) bytes[to + i] = bytes[at + i];
		return to;
	}

	private get tail(): number {
		return this.start + COMMAND_BYTES - TAIL;
	}

	private clear(): void {
		const { bytes, start } = this;
		for (let i = 0; i < 2 * SIZE; i++) bytes[start + i] = 0;
		this.isConnackAwaited = false;
		this.isUpdatePending = true;
		this.restoredAfter = 0;
		writeUint32(bytes, start + AT_MAGIC, MAGIC);
		writeUint32(bytes, start + AT_CHECKSUM, this.checksum(start));
	}

	private isValid(at: number): boolean {
		const { bytes } = this;
		return (
			readUint32(bytes, at + AT_MAGIC) === MAGIC && readUint32(bytes, at + AT_CHECKSUM) === this.checksum(at)
		);
	}

	/** Generations wrap around: the sign of the difference shows which copy is newer. */
	private isNewer(at: number, than: number): boolean {
		const { bytes } = this;
		return ((readUint32(bytes, at + AT_GENERATION) - readUint32(bytes, than + AT_GENERATION)) | 0) > 0;
	}

	private checksum(at: number): number {
		const { buffer, byteOffset } = this.bytes;
		const length = (SIZE - AT_GENERATION) / 4;
		return mix32(new Uint32Array(buffer, byteOffset + at + AT_GENERATION, length));
	}

	private read16(at: number): number {
		return (this.bytes[at] << 8) | this.bytes[at + 1];
	}
}
