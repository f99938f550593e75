import { WORD_GENERATION, WORD_HEAD, WORD_RECORDS, WORD_RING_SIZE, WORD_RING_START, WORD_USED } from "./layout";
import type { Record } from "./record";
import { DEAD, LENGTH, RECORD_HEADER, SEQUENCE, STATE } from "./record";
import type { Retained } from "./retained";

/**
 * Records of up to 255 bytes, oldest first, in a ring of bytes in retained memory. The header says where they begin and end:
 * what is written counts from its next commit on. Bytes that the last commit still spans are never overwritten.
 *
 * An "index" is a place in the ring, an "offset" the distance from the oldest record.
 */
export class Ring {
	readonly retained: Retained;
	readonly words: Uint32Array;
	readonly memory: Uint8Array;

	/** Bytes left out in front since the commit `#freedAt`; after a reset they would be in use again. */
	#freed = 0;
	#freedAt = 0;

	constructor(retained: Retained) {
		this.retained = retained;
		this.words = retained.words;
		this.memory = retained.memory;
	}

	/** Free bytes. */
	get room(): number {
		return this.words[WORD_RING_SIZE] - this.words[WORD_USED];
	}

	index(offset: number): number {
		const { words } = this;
		const index = words[WORD_HEAD] + offset;
		const size = words[WORD_RING_SIZE];
		return index >= size ? index - size : index;
	}

	/** Of the record at an index: bytes to the next one, 1 … 255; 0: the chain is damaged. */
	length(index: number): number {
		return this.memory[this.words[WORD_RING_START] + index];
	}

	/** Whether the record at an index waits; what has no room for a state is a filler. */
	waits(index: number): boolean {
		return this.length(index) > STATE && this.byte(index + STATE) !== DEAD;
	}

	/** Of a record that is no filler. */
	state(index: number): number {
		return this.byte(index + STATE);
	}

	sequence(index: number): number {
		const { words, memory } = this;
		const at = index + SEQUENCE;
		if (at + 4 <= words[WORD_RING_SIZE]) {
			const address = words[WORD_RING_START] + at;
			return (memory[address] | (memory[address + 1] << 8) | (memory[address + 2] << 16) | (memory[address + 3] << 24)) >>> 0;
		}
		return (this.byte(at) | (this.byte(at + 1) << 8) | (this.byte(at + 2) << 16) | (this.byte(at + 3) << 24)) >>> 0;
	}

	/** Of the record at an index: the sensor of its first value. */
	sensor(index: number): number {
		return this.byte(index + RECORD_HEADER);
	}

	/** Durable at once: a byte cannot be torn. */
	setState(index: number, state: number): void {
		this.memory[this.address(index + STATE)] = state;
	}

	/** Makes [index, index + length) something to be passed over. */
	fill(index: number, length: number): void {
		this.memory[this.words[WORD_RING_START] + index] = length;
		if (length > STATE) this.setState(index, DEAD);
	}

	/** Copies `length` bytes at an index to a record, which is then to be opened. */
	read(index: number, length: number, record: Record): void {
		const { words, memory } = this;
		const { bytes } = record;
		const start = words[WORD_RING_START];
		const before = words[WORD_RING_SIZE] - index;
		const split = before < length ? before : length;
		let base = start + index;
		let i = 0;
		for (; i < split; i++) bytes[i] = memory[base + i];
		for (base = start - split; i < length; i++) bytes[i] = memory[base + i];
	}

	/** Adds a record behind the newest. There must be room. */
	write(record: Record): void {
		const { words, memory } = this;
		const { bytes } = record;
		const length = bytes[LENGTH];
		if (this.#freedAt === words[WORD_GENERATION] && length > this.room - this.#freed) this.retained.commit();
		const used = words[WORD_USED];
		const start = words[WORD_RING_START];
		const index = this.index(used);
		const before = words[WORD_RING_SIZE] - index;
		const split = before < length ? before : length;
		let base = start + index;
		let i = 0;
		for (; i < split; i++) memory[base + i] = bytes[i];
		for (base = start - split; i < length; i++) memory[base + i] = bytes[i];
		words[WORD_USED] = used + length;
		words[WORD_RECORDS]++;
	}

	/** Leaves out the record in front. */
	shift(): void {
		const { words } = this;
		const length = this.length(words[WORD_HEAD]);
		const generation = words[WORD_GENERATION];
		if (this.#freedAt === generation) this.#freed += length;
		else {
			this.#freedAt = generation;
			this.#freed = length;
		}
		words[WORD_HEAD] = this.index(length);
		words[WORD_USED] -= length;
		words[WORD_RECORDS]--;
	}

	private byte(index: number): number {
		return this.memory[this.address(index)];
	}

	/** Where in memory an index lies that may be beyond the end by less than the ring's size. */
	private address(index: number): number {
		const { words } = this;
		const size = words[WORD_RING_SIZE];
		return words[WORD_RING_START] + (index >= size ? index - size : index);
	}
}
