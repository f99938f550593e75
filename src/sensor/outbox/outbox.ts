import type { DropReason } from "../../device-events";
import { DROPPED_CLEARED, DROPPED_CORRUPTED, DROPPED_OLDEST, DROPPED_UNREADABLE } from "../../device-events";
import {
	FLAG_SESSION_OWN,
	WORD_ACKNOWLEDGED,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_HEAD,
	WORD_RECORDS,
	WORD_RING_SIZE,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";
import { hasUnanswered, releaseOversized, sendableAt } from "./outbox-queries";
import {
	isKnownState,
	ReportRecord,
	STATE_DEAD,
	STATE_DROPPING,
	STATE_OVERSIZED,
	STATE_RECEIVED,
	STATE_REFUSED,
	STATE_SENT,
} from "./report-record";
import { Ring } from "./ring";
import { deleteDropped, recoverRing } from "./ring-recovery";
import { finishRotation, rotate, thin } from "./ring-rotation";

export interface OutboxHandler {
	/** A report was dropped, which is durable already. The sequence number is 0 if it could not be read. */
	onDropped(sequence: number, reason: DropReason): void;
}

/**
 * Reports that wait for their acknowledgement. A report exists from the commit that follows {@link append}
 * until the write of the one byte that marks it dead, so that a reset at any byte leaves it either pending or
 * not, and never torn.
 */
export class Outbox {
	/** The record that {@link next} found, until it is used for another, as for what is appended. */
	readonly record: ReportRecord;

	private readonly words: Uint32Array;
	readonly ring: Ring;
	protected readonly handler: OutboxHandler;
	readonly longestRecord: number;
	/** Bytes that must stay free; 0: the policy is `dropOldest`. */
	private readonly reserve: number;
	/** Created when records first have to be moved or recovered. */
	private scratchRecord: ReportRecord | undefined;
	/** Bytes from the cursor to the end of the newest record. */
	bytesAhead = 0;
	/** Index of what is in `record`; −1: unknown. */
	private recordIndex = -1;
	/** Index of the record that `next` found; −1 if it may have moved. */
	private cursorIndex = -1;
	/** Sequence number of the record that `next` found last; 0: none since `rewind`. */
	cursorSequence = 0;

	/**
	 * @param longestRecord bytes of the longest record that will be appended; policy `thin` keeps that much
	 *   room free to move records
	 */
	constructor(
		retained: RetainedState,
		policy: "dropOldest" | "thin",
		longestRecord: number,
		handler: OutboxHandler,
	) {
		this.record = new ReportRecord(longestRecord);
		this.words = retained.words;
		this.ring = new Ring(retained);
		this.handler = handler;
		this.longestRecord = longestRecord;
		this.reserve = policy === "thin" ? longestRecord : 0;
	}

	/** Record for moving and recovery. */
	get scratch(): ReportRecord {
		this.scratchRecord ??= this.makeScratch();
		return this.scratchRecord;
	}

	protected makeScratch(): ReportRecord {
		return new ReportRecord(this.longestRecord);
	}

	/** Number of pending reports. */
	get waitingCount(): number {
		return this.words[WORD_WAITING];
	}

	/**
	 * Call once after the header was restored: completes what a reset interrupted; damaged records are removed
	 * and counted.
	 */
	recover(): void {
		this.reconcileAndCommit(false);
		finishRotation(this);
		this.rewindCursor();
	}

	/**
	 * Drops all reports: they belong to another list of sensors or another ring. The handler is called before
	 * this is durable, as one final commit covers all of it.
	 */
	discard(): void {
		this.dropAll(DROPPED_UNREADABLE);
		this.ring.retained.resetLayout();
		this.ring.retained.commit();
		this.rewindCursor();
	}

	/** Drops all reports, as a command asks. */
	clear(): void {
		this.dropAll(DROPPED_CLEARED);
		this.ring.retained.commit();
		this.rewindCursor();
	}

	private dropAll(reason: typeof DROPPED_UNREADABLE | typeof DROPPED_CLEARED): void {
		const words = this.words;
		const ring = this.ring;
		const handler = this.handler;
		for (let lost = this.reconcile(false); lost > 0; lost--) handler.onDropped(0, DROPPED_CORRUPTED);
		if (this.unanswered) this.disownSession();
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.isWaiting(index)) {
				words[WORD_WAITING]--;
				words[WORD_DROPPED + DROPPED_UNREADABLE]++;
				handler.onDropped(ring.sequenceAt(index), reason);
			}
			ring.dropHead();
		}
	}

	/**
	 * Appends a report with the next sequence number. It is durable from the next commit, which the caller
	 * makes. If the ring is full, the policy makes room.
	 * @param record filled, not yet sealed
	 * @returns false if it is longer than the ring
	 */
	append(record: ReportRecord): boolean {
		const words = this.words;
		const ring = this.ring;
		const length = record.length;
		const need = length + this.reserve;
		const size = words[WORD_RING_SIZE];
		if (need > size) return false;
		if (size - words[WORD_USED] < need + this.longestRecord) {
			this.compact();
			if (ring.freeBytes < need) this.makeRoom(need, Infinity);
		}
		const sequence = words[WORD_SEQUENCE];
		record.seal(sequence);
		const index = ring.appendRecord(record);
		this.recordIndex = record === this.record ? index : -1;
		words[WORD_SEQUENCE] = sequence + 1;
		words[WORD_WAITING]++;
		this.bytesAhead += length;
		return true;
	}

	/** Moves the cursor to before the oldest report. */
	rewind(): void {
		// It is there already; each record is checked when it is found.
		if (this.cursorSequence === 0 && this.bytesAhead === this.words[WORD_USED]) return;
		this.reconcileAndCommit(false);
		this.rewindCursor();
	}

	private rewindCursor(): void {
		this.bytesAhead = this.words[WORD_USED];
		this.cursorIndex = -1;
		this.cursorSequence = 0;
	}

	/**
	 * Moves the cursor past the next pending report, which is then in {@link record}; false after the newest.
	 */
	next(): boolean {
		while (this.bytesAhead > 0) {
			const ring = this.ring;
			const record = this.record;
			const index = ring.indexAt(this.words[WORD_USED] - this.bytesAhead);
			// Of what was appended last, only the state may have changed.
			const isLoaded = index === this.recordIndex && record.sequence !== 0;
			const length = isLoaded ? record.length : ring.lengthAt(index);
			if (length > 0 && length <= this.bytesAhead) {
				this.bytesAhead -= length;
				const state = ring.stateOrDead(index);
				if (state === STATE_DEAD) continue;
				if (isLoaded) record.beginAgain(state);
				if (isLoaded || (isKnownState(state) && this.load(index, length))) {
					this.cursorIndex = index;
					this.cursorSequence = record.sequence;
					return true;
				}
			}
			// Neither this record nor its length is reliable.
			this.cursorIndex = -1;
			this.reconcileAndCommit(true);
			this.restoreCursor();
		}
		return false;
	}

	/** Reads a record into {@link record}: false if it is damaged. */
	private load(index: number, length: number): boolean {
		this.recordIndex = index;
		this.ring.readRecord(index, length, this.record);
		return this.record.parse();
	}

	/** Reads the record that {@link next} found last again; false: it is not pending any more, or damaged. */
	reload(): boolean {
		const ring = this.ring;
		const index = this.find(this.cursorSequence);
		if (index < 0) return false;
		this.cursorIndex = index;
		return this.load(index, ring.lengthAt(index));
	}

	/** Records in retained memory that the report found last was sent. */
	markSent(): void {
		if (this.cursorIndex >= 0) this.ring.setState(this.cursorIndex, STATE_SENT);
	}

	/**
	 * Records in retained memory that the broker has a report, and waits for PUBREL.
	 * @param index from {@link find}, with no change to the outbox since
	 */
	markReceived(index: number): void {
		this.ring.setState(index, STATE_RECEIVED);
	}

	/**
	 * Records in retained memory that the broker refused a report.
	 * @param index from {@link find}, with no change to the outbox since
	 */
	markRefused(index: number): void {
		this.ring.setState(index, STATE_REFUSED);
	}

	/**
	 * Records in retained memory that the report found last is larger than the broker's packets may be. The
	 * limit is committed before: a reset in between must not leave a report waiting for it to change.
	 */
	markOversized(): void {
		this.ring.retained.commit();
		if (this.cursorIndex >= 0) this.ring.setState(this.cursorIndex, STATE_OVERSIZED);
	}

	/** Makes such reports sendable again; returns whether there were any. */
	releaseOversized(): boolean {
		return releaseOversized(this.ring);
	}

	/** The broker's session is this node's: call before anything is published in it. */
	recordSession(): void {
		// Retained memory says so.
	}

	/** Whether a report was sent and not acknowledged. */
	get unanswered(): boolean {
		return hasUnanswered(this.ring);
	}

	/** Moves the cursor to after the report with this sequence number. */
	seek(sequence: number): void {
		this.cursorSequence = sequence;
		this.cursorIndex = -1;
		this.restoreCursor();
	}

	/**
	 * Removes an acknowledged report.
	 * @param index from {@link find}, with no change to the outbox since
	 */
	remove(index: number): void {
		if (index === this.cursorIndex) this.cursorIndex = -1;
		const words = this.words;
		const ring = this.ring;
		ring.setState(index, STATE_DEAD);
		// The oldest is acknowledged first, and most often alone.
		if (index === words[WORD_HEAD]) ring.dropHead();
		this.freeDeadHead();
		words[WORD_WAITING]--;
		words[WORD_ACKNOWLEDGED]++;
	}

	/** Drops a report that can never be sent. */
	dropUnsendable(sequence: number): void {
		const index = this.find(sequence);
		if (index < 0) return;
		this.disownSessionOf(index);
		// If it were dead before it is counted, a reset in between would make it count as acknowledged.
		this.ring.setState(index, STATE_DROPPING);
		this.commitDrop(index, DROPPED_UNREADABLE);
		if (index === this.cursorIndex) this.cursorIndex = -1;
		this.ring.setState(index, STATE_DEAD);
		this.freeDeadHead();
	}

	/** Index of a pending report; −1: it is not, or no longer, in the outbox. */
	find(sequence: number): number {
		if (sequence === this.cursorSequence && this.cursorIndex >= 0) return this.cursorIndex;
		const ring = this.ring;
		const used = this.words[WORD_USED];
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
	 * Index of the sensor of the first value in a report.
	 * @param index from {@link find}, with no change to the outbox since
	 */
	firstSensor(index: number): number {
		return this.ring.firstSensorAt(index);
	}

	/** Node time from which a pending report may be sent. @param grouped all reports have the same topic */
	sendableAt(grouped: boolean): number {
		return sendableAt(this.ring, grouped);
	}

	/**
	 * Call for a report that is about to be dropped, though the broker may have it: with QoS 2 nothing releases
	 * its packet identifier there any more. It would take one of the broker's places for good, and the report
	 * that has the identifier next would pass for a repetition.
	 */
	protected disownSessionOf(index: number): void {
		const state = this.ring.stateOrDead(index);
		if (state === STATE_SENT || state === STATE_RECEIVED) this.disownSession();
	}

	/** The next connection begins a session anew, where one matters. The caller commits. */
	private disownSession(): void {
		this.words[WORD_FLAGS] &= ~FLAG_SESSION_OWN;
	}

	/**
	 * Counts a report that was just removed from the ring, commits both, and notifies the handler.
	 * @param index where its bytes still are
	 */
	protected commitDrop(index: number, reason: DropReason): void {
		const words = this.words;
		const sequence = this.ring.sequenceAt(index);
		words[WORD_WAITING]--;
		words[WORD_DROPPED + reason]++;
		this.ring.retained.commit();
		this.handler.onDropped(sequence, reason);
	}

	/** By the policy. @param need free bytes @param most reports that may wait */
	protected makeRoom(need: number, most: number): void {
		const words = this.words;
		const ring = this.ring;
		this.reconcileAndCommit(false);
		this.freeDeadHead();
		while (ring.freeBytes < need || words[WORD_WAITING] > most) {
			// Thinning needs room for the longest record, and more than two reports, as it keeps the first and the
			// last.
			if (this.reserve > 0 && ring.freeBytes >= this.reserve && words[WORD_WAITING] > 2) thin(this);
			else {
				this.giveUpHead(DROPPED_OLDEST);
				this.freeDeadHead();
			}
		}
		this.cursorIndex = this.recordIndex = -1;
		this.restoreCursor();
	}

	/**
	 * Frees the room of dead records behind a report that waits longer than others, as on a paused topic. In
	 * one pass, each pending record is moved to after the newest; this pays off if a quarter is dead, and needs
	 * room for one record.
	 */
	private compact(): void {
		const words = this.words;
		const records = words[WORD_RECORDS];
		if ((records - words[WORD_WAITING]) * 4 < records || this.ring.freeBytes < this.longestRecord) return;
		this.reconcileAndCommit(false);
		rotate(this, words[WORD_RECORDS]);
		this.cursorIndex = this.recordIndex = -1;
		this.restoreCursor();
	}

	/** Drops the oldest record of the ring, which is pending, and counts it. */
	giveUpHead(reason: DropReason): void {
		const index = this.words[WORD_HEAD];
		this.disownSessionOf(index);
		this.ring.dropHead();
		this.commitDrop(index, reason);
	}

	/**
	 * Makes header and ring consistent, and counts the reports lost to damage; commits if there was damage.
	 * @param checkAll every record is checked
	 */
	private reconcileAndCommit(checkAll: boolean): void {
		let lost = this.reconcile(checkAll);
		if (lost < 0) return;
		this.ring.retained.commit();
		for (; lost > 0; lost--) this.handler.onDropped(0, DROPPED_CORRUPTED);
	}

	/** −1: no damage; otherwise the number of reports lost to it. */
	private reconcile(checkAll: boolean): number {
		const words = this.words;
		const before = words[WORD_WAITING];
		const lostToDamage = recoverRing(this.ring, this, checkAll);
		const lost = Math.max(lostToDamage, 0);
		if (words[WORD_WAITING] > before) deleteDropped(this.ring);
		words[WORD_DROPPED + DROPPED_CORRUPTED] += lost;
		// A record is marked dead without a commit only when it is acknowledged; drops are committed together
		// with their count. A negative number: damage has restored acknowledged reports, which will be
		// acknowledged again.
		words[WORD_ACKNOWLEDGED] += before - lost - words[WORD_WAITING];
		return lostToDamage;
	}

	/** Moves the cursor to after the record found last, once records have moved. */
	private restoreCursor(): void {
		const ring = this.ring;
		const used = this.words[WORD_USED];
		const last = this.cursorSequence;
		let offset = 0;
		while (offset < used) {
			const index = ring.indexAt(offset);
			if (ring.isWaiting(index) && ring.sequenceAt(index) > last) break;
			offset += ring.lengthAt(index);
		}
		this.bytesAhead = used - offset;
	}

	/** Removes dead records at the head. */
	private freeDeadHead(): void {
		const words = this.words;
		const ring = this.ring;
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.stateOrDead(index) !== STATE_DEAD || ring.lengthAt(index) === 0) break;
			ring.dropHead();
		}
		if (this.bytesAhead > words[WORD_USED]) this.bytesAhead = words[WORD_USED];
	}
}
