import type { DropReason } from "./events";
import { DROPPED_CORRUPTED, DROPPED_OLDEST, DROPPED_THINNED, DROPPED_UNREADABLE } from "./events";
import {
	WORD_ACKNOWLEDGED,
	WORD_DROPPED,
	WORD_HEAD,
	WORD_RECORDS,
	WORD_RING_SIZE,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "./layout";
import { hasUnanswered, sendableAt } from "./outbox-queries";
import {
	isKnownState,
	OFFSET_STATE,
	ReportRecord,
	STATE_DEAD,
	STATE_DROPPING,
	STATE_REFUSED,
	STATE_SENT,
} from "./report-record";
import type { RetainedState } from "./retained-state";
import { Ring } from "./ring";
import { recoverRing } from "./ring-recovery";

export interface OutboxHandler {
	/** A report was given up, and that is durable. The sequence number is 0 where it could not be read. */
	onDropped(sequence: number, reason: DropReason): void;
}

/**
 * Reports that wait for their acknowledgement. A report counts from the commit that follows {@link append},
 * and is over from the one byte that marks it dead, so that a reset between any two bytes leaves it either
 * waiting or not, and never torn.
 */
export class Outbox {
	/** The record that {@link next} found. */
	readonly record = new ReportRecord();

	readonly #retained: RetainedState;
	readonly #words: Uint32Array;
	readonly #ring: Ring;
	readonly #handler: OutboxHandler;
	readonly #longestRecord: number;
	readonly #thinsWhenFull: boolean;
	readonly #reserve: number;
	/** Made when records first have to be moved or mended. */
	#scratch: ReportRecord | undefined;
	/** Bytes from the cursor to the end of the newest record. */
	#bytesAhead = 0;
	/** Index of the record that `next` found; −1 when it may have moved. */
	#cursorIndex = -1;
	/** Sequence number of the record that `next` found last; 0: none since `rewind`. */
	#cursorSequence = 0;

	/**
	 * @param longestRecord bytes of the longest record that will be appended; `thin` keeps as much room free to
	 *   move records through
	 */
	constructor(
		retained: RetainedState,
		policy: "dropOldest" | "thin",
		longestRecord: number,
		handler: OutboxHandler,
	) {
		this.#retained = retained;
		this.#words = retained.words;
		this.#ring = new Ring(retained);
		this.#handler = handler;
		this.#longestRecord = longestRecord;
		this.#thinsWhenFull = policy === "thin";
		this.#reserve = this.#thinsWhenFull ? longestRecord : 0;
	}

	/** For moving and mending. */
	get scratch(): ReportRecord {
		this.#scratch ??= new ReportRecord();
		return this.#scratch;
	}

	/** Reports waiting. */
	get waitingCount(): number {
		return this.#words[WORD_WAITING];
	}

	/**
	 * Call once after the header was restored: settles what a reset left half done; damaged records are left
	 * out and counted.
	 */
	recover(): void {
		this.reconcileAndCommit(false);
		this.finishRotation();
		this.rewindCursor();
	}

	/**
	 * Gives up everything: the records belong to another list of sensors or another ring. Told before it is
	 * durable, as one commit ends it all.
	 */
	discard(): void {
		const words = this.#words;
		const ring = this.#ring;
		const handler = this.#handler;
		for (let lost = this.reconcile(false); lost > 0; lost--) handler.onDropped(0, DROPPED_CORRUPTED);
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.isWaiting(index)) {
				words[WORD_WAITING]--;
				words[WORD_DROPPED + DROPPED_UNREADABLE]++;
				handler.onDropped(ring.sequenceAt(index), DROPPED_UNREADABLE);
			}
			ring.dropHead();
		}
		this.#retained.resetLayout();
		this.#retained.commit();
		this.rewindCursor();
	}

	/**
	 * Takes a report with the next sequence number; it is safe from the next commit on, which is the caller's.
	 * Where the ring is full the policy makes room.
	 * @param record filled, not yet sealed
	 * @returns false where it is longer than the ring
	 */
	append(record: ReportRecord): boolean {
		const words = this.#words;
		const ring = this.#ring;
		const { length } = record;
		const need = length + this.#reserve;
		if (need > words[WORD_RING_SIZE]) return false;
		if (ring.freeBytes < need + this.#longestRecord) this.compact();
		if (ring.freeBytes < need) this.makeRoom(need);
		const sequence = words[WORD_SEQUENCE];
		record.seal(sequence);
		ring.appendRecord(record);
		words[WORD_SEQUENCE] = sequence + 1;
		words[WORD_WAITING]++;
		this.#bytesAhead += length;
		return true;
	}

	/** Moves the cursor before the oldest report. */
	rewind(): void {
		this.reconcileAndCommit(false);
		this.rewindCursor();
	}

	private rewindCursor(): void {
		this.#bytesAhead = this.#words[WORD_USED];
		this.#cursorIndex = -1;
		this.#cursorSequence = 0;
	}

	/**
	 * Moves the cursor over the next waiting report, which is then in {@link record}; false after the newest.
	 */
	next(): boolean {
		const words = this.#words;
		const ring = this.#ring;
		const { record } = this;
		while (this.#bytesAhead > 0) {
			const index = ring.indexAt(words[WORD_USED] - this.#bytesAhead);
			const length = ring.lengthAt(index);
			if (length > 0 && length <= this.#bytesAhead) {
				this.#bytesAhead -= length;
				if (!ring.isWaiting(index)) continue;
				ring.readRecord(index, length, record);
				if (record.parse() && isKnownState(record.bytes[OFFSET_STATE])) {
					this.#cursorIndex = index;
					this.#cursorSequence = record.sequence;
					return true;
				}
			}
			// Neither this record nor its length can be trusted.
			this.reconcileAndCommit(true);
			this.restoreCursor();
		}
		return false;
	}

	/** Notes in retained memory that the record found last was sent. */
	markSent(): void {
		if (this.#cursorIndex >= 0) this.#ring.setState(this.#cursorIndex, STATE_SENT);
	}

	/**
	 * Notes in retained memory that the broker has answered a report with a refusal.
	 * @param index from {@link find}, with nothing done to the outbox since
	 */
	markRefused(index: number): void {
		this.#ring.setState(index, STATE_REFUSED);
	}

	/** Whether a report was sent and not answered. */
	get unanswered(): boolean {
		return hasUnanswered(this.#ring);
	}

	/** Moves the cursor behind the report with this sequence number. */
	seek(sequence: number): void {
		this.#cursorSequence = sequence;
		this.#cursorIndex = -1;
		this.restoreCursor();
	}

	/**
	 * A report was acknowledged: removes it.
	 * @param index from {@link find}, with nothing done to the outbox since
	 */
	remove(index: number): void {
		this.#ring.setState(index, STATE_DEAD);
		this.freeDeadHead();
		this.#words[WORD_WAITING]--;
		this.#words[WORD_ACKNOWLEDGED]++;
	}

	/** Gives up a report that can never be sent. */
	dropUnsendable(sequence: number): void {
		const index = this.find(sequence);
		if (index < 0) return;
		// Dead before it is counted, it would pass for acknowledged after a reset in between.
		this.#ring.setState(index, STATE_DROPPING);
		this.commitDrop(sequence, DROPPED_UNREADABLE);
		this.#ring.setState(index, STATE_DEAD);
		this.freeDeadHead();
	}

	/** Index of a waiting report; −1: not here (any more). */
	find(sequence: number): number {
		const ring = this.#ring;
		const used = this.#words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index) && ring.sequenceAt(index) === sequence) return index;
			offset += length;
		}
		return -1;
	}

	/**
	 * Index of the sensor whose value is the first in a report.
	 * @param index from {@link find}, with nothing done to the outbox since
	 */
	firstSensor(index: number): number {
		return this.#ring.firstSensorAt(index);
	}

	/** Node time from which something that waits may be tried. @param grouped one topic serves all */
	sendableAt(grouped: boolean): number {
		return sendableAt(this.#ring, grouped);
	}

	/** Counts a report that has just left the ring, makes both durable, and tells. */
	private commitDrop(sequence: number, reason: DropReason): void {
		const words = this.#words;
		words[WORD_WAITING]--;
		words[WORD_DROPPED + reason]++;
		this.#retained.commit();
		this.#handler.onDropped(sequence, reason);
	}

	private makeRoom(need: number): void {
		const words = this.#words;
		const ring = this.#ring;
		this.reconcileAndCommit(false);
		this.freeDeadHead();
		while (ring.freeBytes < need) {
			// To thin takes room for the longest record, and more than two to keep the ends.
			if (this.#thinsWhenFull && ring.freeBytes >= this.#reserve && words[WORD_WAITING] > 2) this.thin();
			else this.dropOldest();
		}
		this.#cursorIndex = -1;
		this.restoreCursor();
	}

	/**
	 * Gives back the room of what is dead behind a report that waits longer than others do, as on a topic that
	 * is paused. Once around, each record that waits is moved behind the newest; worth it where a quarter is
	 * dead, and possible with room for one.
	 */
	private compact(): void {
		const words = this.#words;
		const records = words[WORD_RECORDS];
		if ((records - words[WORD_WAITING]) * 4 < records || this.#ring.freeBytes < this.#longestRecord) return;
		this.reconcileAndCommit(false);
		for (let left = words[WORD_RECORDS]; left > 0; left--) this.moveHeadToTail();
		this.#cursorIndex = -1;
		this.restoreCursor();
	}

	private dropOldest(): void {
		const sequence = this.#ring.sequenceAt(this.#words[WORD_HEAD]);
		this.#ring.dropHead();
		this.commitDrop(sequence, DROPPED_OLDEST);
		this.freeDeadHead();
	}

	/**
	 * Drops every second one of the older half, so that the time they cover stays covered. Once around: each
	 * record that stays is copied behind the newest and left out in front in one commit, until the oldest is in
	 * front again.
	 */
	private thin(): void {
		const words = this.#words;
		const ring = this.#ring;
		const half = (words[WORD_WAITING] + 1) >> 1;
		let ordinal = 0;
		for (let left = words[WORD_RECORDS]; left > 0; left--) {
			const index = words[WORD_HEAD];
			if (ring.isWaiting(index) && ++ordinal <= half && (ordinal & 1) === 0) {
				const sequence = ring.sequenceAt(index);
				ring.dropHead();
				this.commitDrop(sequence, DROPPED_THINNED);
			} else this.moveHeadToTail();
		}
	}

	/** Moves the record in front behind the newest, or leaves it out if it is dead. There must be room. */
	private moveHeadToTail(): void {
		const ring = this.#ring;
		const index = this.#words[WORD_HEAD];
		if (!ring.isWaiting(index)) {
			ring.dropHead();
			return;
		}
		const { scratch } = this;
		ring.readRecord(index, ring.lengthAt(index), scratch);
		ring.appendRecord(scratch);
		ring.dropHead();
		this.#retained.commit();
	}

	/**
	 * A reset amid {@link thin} leaves the records in order but for where they begin: goes on around until the
	 * oldest is in front.
	 */
	private finishRotation(): void {
		const words = this.#words;
		const ring = this.#ring;
		const used = words[WORD_USED];
		let previous = 0;
		let turns = 0;
		for (let offset = 0, passed = 0; offset < used; passed++) {
			const index = ring.indexAt(offset);
			if (ring.isWaiting(index)) {
				const sequence = ring.sequenceAt(index);
				if (sequence < previous) turns = passed;
				previous = sequence;
			}
			offset += ring.lengthAt(index);
		}
		if (turns === 0 || ring.freeBytes < this.#longestRecord) return;
		while (turns-- > 0) this.moveHeadToTail();
	}

	/**
	 * Makes header and ring agree, and counts what damage has cost; durable where there was damage.
	 * @param checkAll every record is checked
	 */
	private reconcileAndCommit(checkAll: boolean): void {
		let lost = this.reconcile(checkAll);
		if (lost < 0) return;
		this.#retained.commit();
		for (; lost > 0; lost--) this.#handler.onDropped(0, DROPPED_CORRUPTED);
	}

	/** −1: there was no damage; else how many reports it cost. */
	private reconcile(checkAll: boolean): number {
		const words = this.#words;
		const before = words[WORD_WAITING];
		const lostToDamage = recoverRing(this.#ring, this, checkAll);
		const lost = Math.max(lostToDamage, 0);
		if (words[WORD_WAITING] > before) this.deleteDropped();
		words[WORD_DROPPED + DROPPED_CORRUPTED] += lost;
		// A record dies by its byte alone only when it is acknowledged; drops are committed together with their
		// count. Fewer than none: damage has brought back what was acknowledged, and it will be again.
		words[WORD_ACKNOWLEDGED] += before - lost - words[WORD_WAITING];
		return lostToDamage;
	}

	/** More wait than the header says: a reset has cut {@link dropUnsendable} short after its commit. */
	private deleteDropped(): void {
		const words = this.#words;
		const ring = this.#ring;
		const used = words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			if (ring.isWaiting(index) && ring.stateAt(index) === STATE_DROPPING) {
				ring.setState(index, STATE_DEAD);
				words[WORD_WAITING]--;
			}
			offset += ring.lengthAt(index);
		}
	}

	/** Puts the cursor behind the record found last, after records have moved. */
	private restoreCursor(): void {
		const ring = this.#ring;
		const used = this.#words[WORD_USED];
		const last = this.#cursorSequence;
		let offset = 0;
		while (offset < used) {
			const index = ring.indexAt(offset);
			if (ring.isWaiting(index) && ring.sequenceAt(index) > last) break;
			offset += ring.lengthAt(index);
		}
		this.#bytesAhead = used - offset;
	}

	/** Leaves out what is dead in front. */
	private freeDeadHead(): void {
		const words = this.#words;
		const ring = this.#ring;
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.lengthAt(index) === 0 || ring.isWaiting(index)) break;
			ring.dropHead();
		}
		if (this.#bytesAhead > words[WORD_USED]) this.#bytesAhead = words[WORD_USED];
	}
}
