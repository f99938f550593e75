import { FNV_SEED, fnv1a } from "../../text/fnv1a";

/** Bytes that discovery takes of retained memory, at its end, before those of commands. */
export const ANNOUNCED_SIZE = 12;

// Offsets in the record
const HASH = 0;
const FLAGS = 4;
/** One more than the index of the message that waits for its PUBACK; 0: none. */
const STEP = 5;
const FAILURES = 6;
/** Exchanges without a try that are still to pass. */
const SKIPS = 7;
const CHECK = 8;

const ANNOUNCED = 1;
const STATE_SETTLED = 2;

/** Failures in a row after which the pause between tries grows no further: 127 exchanges. */
const MOST_FAILURES = 7;
/** More messages than a byte counts are not identified. */
const MOST_STEPS = 255;

/**
 * What the broker has of an announcement, in retained memory. Each change takes effect at once;
 * one that a reset interrupts leaves a wrong checksum, and everything is announced anew.
 */
export class AnnouncedRecord {
	private readonly memory: Uint8Array;
	private readonly start: number;

	/**
	 * @param end index after its last byte
	 * @param hash identifies what is to be announced, to whom: what is known of another is forgotten
	 */
	constructor(memory: Uint8Array, end: number, hash: number) {
		this.memory = memory;
		this.start = end - ANNOUNCED_SIZE;
		if (this.number(HASH) !== hash >>> 0 || this.number(CHECK) !== this.checksum()) this.reset(hash);
	}

	/** Forgets everything, except what is to be announced. */
	clear(): void {
		this.reset(this.number(HASH));
	}

	/** The broker has acknowledged all of it. */
	get isAnnounced(): boolean {
		return (this.byte(FLAGS) & ANNOUNCED) !== 0;
	}

	/** The broker has acknowledged the state that lasts until the next connection. */
	get isStateSettled(): boolean {
		return (this.byte(FLAGS) & STATE_SETTLED) !== 0;
	}

	set isStateSettled(settled: boolean) {
		this.put(FLAGS, settled ? this.byte(FLAGS) | STATE_SETTLED : this.byte(FLAGS) & ~STATE_SETTLED);
	}

	/** Index of the message that was sent and not acknowledged; −1: none. */
	get unansweredStep(): number {
		return this.byte(STEP) - 1;
	}

	set unansweredStep(index: number) {
		this.put(STEP, index < MOST_STEPS ? index + 1 : 0);
	}

	/** The broker has acknowledged everything. */
	finish(): void {
		this.put(FLAGS, this.byte(FLAGS) | ANNOUNCED);
		this.put(FAILURES, 0);
	}

	/**
	 * A try has failed: after each further one, twice as many exchanges pass without one.
	 * @param forGood whether the next one would fail, too @returns exchanges until the next try
	 */
	countFailure(forGood: boolean): number {
		const failures = forGood ? MOST_FAILURES : Math.min(this.byte(FAILURES) + 1, MOST_FAILURES);
		this.put(FAILURES, failures);
		this.put(SKIPS, (1 << (failures - 1)) - 1);
		return this.byte(SKIPS) + 1;
	}

	/** Call at each exchange. @returns whether a try may be made in it */
	takeTurn(): boolean {
		const skips = this.byte(SKIPS);
		if (skips === 0) return true;
		this.put(SKIPS, skips - 1);
		return false;
	}

	private reset(hash: number): void {
		const { memory, start } = this;
		memory.fill(0, start, start + CHECK);
		this.putNumber(HASH, hash);
		this.seal();
	}

	private put(at: number, value: number): void {
		if (this.byte(at) === value) return;
		this.memory[this.start + at] = value;
		this.seal();
	}

	private seal(): void {
		this.putNumber(CHECK, this.checksum());
	}

	private putNumber(at: number, value: number): void {
		for (let i = 0; i < 4; i++) this.memory[this.start + at + i] = (value >>> (8 * i)) & 0xff;
	}

	private checksum(): number {
		return fnv1a(this.memory, this.start, this.start + CHECK, FNV_SEED) >>> 0;
	}

	private byte(at: number): number {
		return this.memory[this.start + at];
	}

	private number(at: number): number {
		const { memory } = this;
		const from = this.start + at;
		const high = memory[from + 3] << 24;
		return (memory[from] | (memory[from + 1] << 8) | (memory[from + 2] << 16) | high) >>> 0;
	}
}
