import type { Time } from "../device";
import type { RecordSet } from "./records";

/** Between two times that a record is sent to all, at least, ms; against a probe (RFC 6762 §6). */
const RECORD_INTERVAL_MS = 1000;
const DEFENCE_INTERVAL_MS = 250;

/** Records that wait to be sent to all, and when each was sent last. */
export class AnswerQueue {
	#time: Time;
	/** Ticks. */
	#sentAt: Float64Array;
	#everSent: RecordSet = 0;
	#pending: RecordSet = 0;
	#pendingSince = 0;
	#pendingDelayMs = 0;
	/** Among those pending: somebody else is about to claim their names. */
	#urgent: RecordSet = 0;
	/** For one querier whose known answers are still arriving. */
	#held: RecordSet = 0;
	#heldFor = 0;
	#heldSince = 0;
	#heldDelayMs = 0;

	/** @param count of all records */
	constructor(time: Time, count: number) {
		this.#time = time;
		this.#sentAt = new Float64Array(count);
	}

	/** As at start. */
	clear(): void {
		this.drop();
		this.#everSent = 0;
	}

	/** Nothing waits any more. */
	drop(): void {
		this.#pending = this.#urgent = this.#held = 0;
	}

	/** Sends records after a delay, or with those that wait already if that is earlier. */
	add(records: RecordSet, delayMs: number): void {
		if (records === 0) return;
		if (this.#pending === 0 || delayMs < this.#pendingDelayMs - this.#time.delta(this.#pendingSince)) {
			this.#pendingSince = this.#time.ticks;
			this.#pendingDelayMs = delayMs;
		}
		this.#pending |= records;
	}

	/** Sends them at once, more often than others if need be. */
	defend(records: RecordSet): void {
		this.add(records, 0);
		this.#urgent |= records;
	}

	/**
	 * Records for a querier that announces further known answers.
	 * @param address of the querier @returns false: another one is being waited for
	 */
	hold(records: RecordSet, address: number, delayMs: number): boolean {
		if (this.#held !== 0 && this.#heldFor !== address) return false;
		this.#held |= records;
		this.#heldFor = address;
		this.#heldSince = this.#time.ticks;
		this.#heldDelayMs = delayMs;
		return true;
	}

	/** A querier has these already. */
	removeKnown(records: RecordSet, address: number): void {
		if (this.#heldFor === address) this.#held &= ~records;
	}

	/** Somebody else has sent them to all (RFC 6762 §7.4). */
	removeAnswered(records: RecordSet): void {
		this.#pending &= ~records;
		this.#urgent &= ~records;
		this.#held &= ~records;
	}

	/** Whether a record was sent to all within a time, ms. */
	sentWithin(record: number, ms: number): boolean {
		if ((this.#everSent & (1 << record)) === 0) return false;
		const age = this.#time.delta(this.#sentAt[record]);
		// Ticks that wrap make an old record seem to be of the future.
		return age >= 0 && age < ms;
	}

	/** Takes the records that are to be sent now. */
	take(): RecordSet {
		if (this.#held !== 0 && this.#remaining(this.#heldSince, this.#heldDelayMs) === 0) {
			this.add(this.#held, 0);
			this.#held = 0;
		}
		if (this.#pending === 0 || this.#remaining(this.#pendingSince, this.#pendingDelayMs) > 0) return 0;
		let ready = 0;
		for (let i = 0; i < this.#sentAt.length; i++)
			if ((this.#pending & (1 << i)) !== 0 && !this.sentWithin(i, this.#intervalOf(i))) ready |= 1 << i;
		this.#pending &= ~ready;
		this.#urgent &= ~ready;
		return ready;
	}

	/** Records were sent to all. */
	onSent(records: RecordSet): void {
		const now = this.#time.ticks;
		for (let i = 0; i < this.#sentAt.length; i++) if ((records & (1 << i)) !== 0) this.#sentAt[i] = now;
		this.#everSent |= records;
	}

	/** Time, in ms, until {@link take} has something; −1: nothing waits. */
	wait(): number {
		let wait = this.#held === 0 ? Infinity : this.#remaining(this.#heldSince, this.#heldDelayMs);
		for (let i = 0; i < this.#sentAt.length; i++) {
			if ((this.#pending & (1 << i)) === 0) continue;
			const interval = this.#intervalOf(i);
			const blocked = this.sentWithin(i, interval) ? this.#remaining(this.#sentAt[i], interval) : 0;
			wait = Math.min(wait, Math.max(blocked, this.#remaining(this.#pendingSince, this.#pendingDelayMs)));
		}
		return wait === Infinity ? -1 : wait;
	}

	#intervalOf(record: number): number {
		return (this.#urgent & (1 << record)) === 0 ? RECORD_INTERVAL_MS : DEFENCE_INTERVAL_MS;
	}

	#remaining(since: number, delayMs: number): number {
		const elapsed = this.#time.delta(since);
		return elapsed < 0 || elapsed >= delayMs ? 0 : delayMs - elapsed;
	}
}
