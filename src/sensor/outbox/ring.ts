import {
	WORD_GENERATION,
	WORD_HEAD,
	WORD_RECORDS,
	WORD_RING_SIZE,
	WORD_RING_START,
	WORD_USED,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";
import type { RecordState, ReportRecord } from "./report-record";
import { OFFSET_LENGTH, OFFSET_SEQUENCE, OFFSET_STATE, RECORD_HEADER, STATE_DEAD } from "./report-record";

/**
 * Records of up to 255 bytes, oldest first, in a ring of bytes in retained memory. The header holds their
 * start and end: an appended record counts from the next commit. Bytes that the last commit still covers are
 * never overwritten.
 *
 * An "index" is a position in the ring, an "offset" the distance from the oldest record.
 */
export class Ring {
	readonly retained: RetainedState;
	readonly words: Uint32Array;
	readonly memory: Uint8Array;

	/** Bytes freed at the head since commit `freedGeneration`; a reset would bring them back into use. */
	private uncommittedFreed = 0;
	private freedGeneration = 0;

	constructor(retained: RetainedState) {
		this.retained = retained;
		this.words = retained.words;
		this.memory = retained.memory;
	}

	/** Free bytes. */
	get freeBytes(): number {
		return this.words[WORD_RING_SIZE] - this.words[WORD_USED];
	}

	indexAt(offset: number): number {
		const words = this.words;
		const index = words[WORD_HEAD] + offset;
		const size = words[WORD_RING_SIZE];
		return index >= size ? index - size : index;
	}

	/** Length of the record at an index: bytes to the next one, 1 … 255; 0: the chain is damaged. */
	lengthAt(index: number): number {
		return this.memory[this.words[WORD_RING_START] + index];
	}

	/** Whether the record at an index is pending. */
	isWaiting(index: number): boolean {
		return this.stateOrDead(index) !== STATE_DEAD;
	}

	/** As {@link stateAt}; STATE_DEAD of a filler, which may be too short for a state. */
	stateOrDead(index: number): number {
		const memory = this.memory;
		const words = this.words;
		const start = words[WORD_RING_START];
		if (memory[start + index] <= OFFSET_STATE) return STATE_DEAD;
		const at = index + OFFSET_STATE;
		return memory[at < words[WORD_RING_SIZE] ? start + at : start];
	}

	/** State byte of the record at an index, which must not be a filler; unknown if it is damaged. */
	stateAt(index: number): number {
		return this.byteAt(index + OFFSET_STATE);
	}

	sequenceAt(index: number): number {
		const words = this.words;
		const memory = this.memory;
		const at = index + OFFSET_SEQUENCE;
		if (at + 4 <= words[WORD_RING_SIZE]) {
			const address = words[WORD_RING_START] + at;
			return (
				(memory[address] |
					(memory[address + 1] << 8) |
					(memory[address + 2] << 16) |
					(memory[address + 3] << 24)) >>>
				0
			);
		}
		return (
			(this.byteAt(at) |
				(this.byteAt(at + 1) << 8) |
				(this.byteAt(at + 2) << 16) |
				(this.byteAt(at + 3) << 24)) >>>
			0
		);
	}

	/** Sensor of the first value in the record at an index. */
	firstSensorAt(index: number): number {
		return this.byteAt(index + RECORD_HEADER);
	}

	/** Last byte of the record at an index. */
	lastByteAt(index: number): number {
		return this.byteAt(index + this.lengthAt(index) - 1);
	}

	/** Durable at once, as the write of one byte is atomic. */
	setState(index: number, state: RecordState): void {
		const words = this.words;
		const start = words[WORD_RING_START];
		const at = index + OFFSET_STATE;
		this.memory[at < words[WORD_RING_SIZE] ? start + at : start] = state;
	}

	/** Turns [index, index + length) into a filler, which readers skip. */
	fillGap(index: number, length: number): void {
		this.memory[this.words[WORD_RING_START] + index] = length;
		if (length > OFFSET_STATE) this.setState(index, STATE_DEAD);
	}

	/** Copies `length` bytes at an index to a record; the caller then parses it. */
	readRecord(index: number, length: number, record: ReportRecord): void {
		const { words, memory } = this;
		const { bytes } = record;
		const start = words[WORD_RING_START];
		const bytesToEnd = words[WORD_RING_SIZE] - index;
		const split = bytesToEnd < length ? bytesToEnd : length;
		let base = start + index;
		let i = 0;
		for (; i < split; i++) bytes[i] = memory[base + i];
		for (base = start - split; i < length; i++) bytes[i] = memory[base + i];
	}

	/** Appends a record after the newest. The caller must have made room. @returns its index */
	appendRecord(record: ReportRecord): number {
		const words = this.words;
		const bytes = record.bytes;
		const length = bytes[OFFSET_LENGTH];
		const used = words[WORD_USED];
		const size = words[WORD_RING_SIZE];
		let free = size - used;
		if (this.freedGeneration === words[WORD_GENERATION]) {
			if (length > free - this.uncommittedFreed) this.retained.commit();
			else free -= this.uncommittedFreed;
		}
		let index = words[WORD_HEAD] + used;
		if (index >= size) index -= size;
		const room = size - index;
		// Natively, with what is behind the record, to free space
		if (bytes.length <= free && bytes.length <= room) this.memory.set(bytes, words[WORD_RING_START] + index);
		else this.writeBytes(index, bytes, length, room);
		words[WORD_USED] = used + length;
		words[WORD_RECORDS]++;
		return index;
	}

	/** Writes a record over the one at an index, which must be as long. */
	replaceRecord(index: number, record: ReportRecord): void {
		this.writeBytes(index, record.bytes, record.length, this.words[WORD_RING_SIZE] - index);
	}

	/** @param room bytes from the index to the end of the ring */
	private writeBytes(index: number, bytes: Uint8Array, length: number, room: number): void {
		const memory = this.memory;
		const start = this.words[WORD_RING_START];
		const split = room < length ? room : length;
		let base = start + index;
		let i = 0;
		for (; i < split; i++) memory[base + i] = bytes[i];
		for (base = start - split; i < length; i++) memory[base + i] = bytes[i];
	}

	/** Removes the oldest record. */
	dropHead(): void {
		const words = this.words;
		const head = words[WORD_HEAD];
		const size = words[WORD_RING_SIZE];
		const length = this.memory[words[WORD_RING_START] + head];
		const generation = words[WORD_GENERATION];
		if (this.freedGeneration === generation) this.uncommittedFreed += length;
		else {
			this.freedGeneration = generation;
			this.uncommittedFreed = length;
		}
		const next = head + length;
		words[WORD_HEAD] = next >= size ? next - size : next;
		words[WORD_USED] -= length;
		words[WORD_RECORDS]--;
	}

	private byteAt(index: number): number {
		return this.memory[this.addressOf(index)];
	}

	/** Address in memory of an index, which may exceed the ring's end by less than its size. */
	private addressOf(index: number): number {
		const words = this.words;
		const size = words[WORD_RING_SIZE];
		return words[WORD_RING_START] + (index >= size ? index - size : index);
	}
}
