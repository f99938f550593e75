import type { DropPolicy } from "./events";
import { DROPPED_CORRUPTED, DROPPED_OLDEST, DROPPED_THINNED, DROPPED_UNREADABLE } from "./events";
import { WORD_ACKNOWLEDGED, WORD_DROPPED, WORD_HEAD, WORD_RECORDS, WORD_RING_SIZE, WORD_SEQUENCE, WORD_USED, WORD_WAITING } from "./layout";
import { DEAD, known, REFUSED, RETURNED, Record, SENT, STATE } from "./record";
import { repair } from "./repair";
import type { Retained } from "./retained";
import { Ring } from "./ring";
import { hasUnanswered, releasedAt } from "./survey";

export interface OutboxHandler {
	/** A report was given up, and that is durable. The sequence number is 0 where it could not be read. */
	onDropped(sequence: number, policy: DropPolicy): void;
}

/**
 * Reports that wait for their acknowledgement. A report counts from the commit that follows {@link append}, and is over from
 * the one byte that marks it dead, so that a reset between any two bytes leaves it either waiting or not, and never torn.
 */
export class Outbox {
	/** The record that {@link next} found. */
	readonly record = new Record();

	readonly #retained: Retained;
	readonly #words: Uint32Array;
	readonly #ring: Ring;
	readonly #handler: OutboxHandler;
	readonly #longest: number;
	readonly #thins: boolean;
	readonly #reserve: number;
	/** Made when records first have to be moved or mended. */
	#scratch: Record | undefined;
	/** Bytes from the cursor to the end of the newest record. */
	#ahead = 0;
	/** Index of the record that `next` found; −1 when it may have moved. */
	#found = -1;
	/** Sequence number of the record that `next` found last; 0: none since `rewind`. */
	#last = 0;

	/** @param longest bytes of the longest record that will be appended; `thin` keeps as much room free to move records through */
	constructor(retained: Retained, policy: "dropOldest" | "thin", longest: number, handler: OutboxHandler) {
		this.#retained = retained;
		this.#words = retained.words;
		this.#ring = new Ring(retained);
		this.#handler = handler;
		this.#longest = longest;
		this.#thins = policy === "thin";
		this.#reserve = this.#thins ? longest : 0;
	}

	/** For moving and mending. */
	get scratch(): Record {
		this.#scratch ??= new Record();
		return this.#scratch;
	}

	/** Reports waiting. */
	get waiting(): number {
		return this.#words[WORD_WAITING];
	}

	/** Call once after the header was restored: settles what a reset left half done; damaged records are left out and counted. */
	recover(): void {
		this.settle(false);
		this.sort();
		this.front();
	}

	/** Gives up everything: the records belong to another list of sensors or another ring. Told before it is durable, as one commit ends it all. */
	discard(): void {
		const words = this.#words;
		const ring = this.#ring;
		const handler = this.#handler;
		for (let lost = this.agree(false); lost > 0; lost--) handler.onDropped(0, DROPPED_CORRUPTED);
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.waits(index)) {
				words[WORD_WAITING]--;
				words[WORD_DROPPED + DROPPED_UNREADABLE]++;
				handler.onDropped(ring.sequence(index), DROPPED_UNREADABLE);
			}
			ring.shift();
		}
		this.#retained.adopt();
		this.#retained.commit();
		this.front();
	}

	/**
	 * Takes a report with the next sequence number; it is safe from the next commit on, which is the caller's. Where the ring is
	 * full the policy makes room.
	 * @param record filled, not yet sealed
	 * @returns false where it is longer than the ring
	 */
	append(record: Record): boolean {
		const words = this.#words;
		const ring = this.#ring;
		const { length } = record;
		const need = length + this.#reserve;
		if (need > words[WORD_RING_SIZE]) return false;
		if (ring.room < need + this.#longest) this.compact();
		if (ring.room < need) this.makeRoom(need);
		const sequence = words[WORD_SEQUENCE];
		record.seal(sequence);
		ring.write(record);
		words[WORD_SEQUENCE] = sequence + 1;
		words[WORD_WAITING]++;
		this.#ahead += length;
		return true;
	}

	/** Moves the cursor before the oldest report. */
	rewind(): void {
		this.settle(false);
		this.front();
	}

	private front(): void {
		this.#ahead = this.#words[WORD_USED];
		this.#found = -1;
		this.#last = 0;
	}

	/** Moves the cursor over the next waiting report, which is then in {@link record}; false after the newest. */
	next(): boolean {
		const words = this.#words;
		const ring = this.#ring;
		const { record } = this;
		while (this.#ahead > 0) {
			const index = ring.index(words[WORD_USED] - this.#ahead);
			const length = ring.length(index);
			if (length > 0 && length <= this.#ahead) {
				this.#ahead -= length;
				if (!ring.waits(index)) continue;
				ring.read(index, length, record);
				if (record.open() && known(record.bytes[STATE])) {
					this.#found = index;
					this.#last = record.sequence;
					return true;
				}
			}
			// Neither this record nor its length can be trusted.
			this.settle(true);
			this.reseek();
		}
		return false;
	}

	/** Notes in retained memory that the record found last was sent. */
	markSent(): void {
		if (this.#found >= 0) this.#ring.setState(this.#found, SENT);
	}

	/** Notes in retained memory that the broker has answered a report with a refusal. @param index from {@link find}, with nothing done to the outbox since */
	markReturned(index: number): void {
		this.#ring.setState(index, RETURNED);
	}

	/** Whether a report was sent and not answered. */
	get unanswered(): boolean {
		return hasUnanswered(this.#ring);
	}

	/** Moves the cursor behind the report with this sequence number. */
	seek(sequence: number): void {
		this.#last = sequence;
		this.#found = -1;
		this.reseek();
	}

	/** A report was acknowledged: removes it. @param index from {@link find}, with nothing done to the outbox since */
	remove(index: number): void {
		this.#ring.setState(index, DEAD);
		this.release();
		this.#words[WORD_WAITING]--;
		this.#words[WORD_ACKNOWLEDGED]++;
	}

	/** Gives up a report that can never be sent. */
	refuse(sequence: number): void {
		const index = this.find(sequence);
		if (index < 0) return;
		// Dead before it is counted, it would pass for acknowledged after a reset in between.
		this.#ring.setState(index, REFUSED);
		this.give(sequence, DROPPED_UNREADABLE);
		this.#ring.setState(index, DEAD);
		this.release();
	}

	/** Index of a waiting report; −1: not here (any more). */
	find(sequence: number): number {
		const ring = this.#ring;
		const used = this.#words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.index(offset);
			const length = ring.length(index);
			if (length === 0) break;
			if (ring.waits(index) && ring.sequence(index) === sequence) return index;
			offset += length;
		}
		return -1;
	}

	/** Index of the sensor whose value is the first in a report. @param index from {@link find}, with nothing done to the outbox since */
	sensor(index: number): number {
		return this.#ring.sensor(index);
	}

	/** Node time from which something that waits may be tried. @param grouped one topic serves all */
	released(grouped: boolean): number {
		return releasedAt(this.#ring, grouped);
	}

	/** Counts a report that has just left the ring, makes both durable, and tells. */
	private give(sequence: number, policy: DropPolicy): void {
		const words = this.#words;
		words[WORD_WAITING]--;
		words[WORD_DROPPED + policy]++;
		this.#retained.commit();
		this.#handler.onDropped(sequence, policy);
	}

	private makeRoom(need: number): void {
		const words = this.#words;
		const ring = this.#ring;
		this.settle(false);
		this.release();
		while (ring.room < need) {
			// To thin takes room for the longest record, and more than two to keep the ends.
			if (this.#thins && ring.room >= this.#reserve && words[WORD_WAITING] > 2) this.thin();
			else this.dropOldest();
		}
		this.#found = -1;
		this.reseek();
	}

	/**
	 * Gives back the room of what is dead behind a report that waits longer than others do, as on a topic that is paused. Once around, each record that waits is
	 * moved behind the newest; worth it where a quarter is dead, and possible with room for one.
	 */
	private compact(): void {
		const words = this.#words;
		const records = words[WORD_RECORDS];
		if ((records - words[WORD_WAITING]) * 4 < records || this.#ring.room < this.#longest) return;
		this.settle(false);
		for (let left = words[WORD_RECORDS]; left > 0; left--) this.rotate();
		this.#found = -1;
		this.reseek();
	}

	private dropOldest(): void {
		const sequence = this.#ring.sequence(this.#words[WORD_HEAD]);
		this.#ring.shift();
		this.give(sequence, DROPPED_OLDEST);
		this.release();
	}

	/**
	 * Drops every second one of the older half, so that the time they cover stays covered. Once around: each record that stays
	 * is copied behind the newest and left out in front in one commit, until the oldest is in front again.
	 */
	private thin(): void {
		const words = this.#words;
		const ring = this.#ring;
		const half = (words[WORD_WAITING] + 1) >> 1;
		let ordinal = 0;
		for (let left = words[WORD_RECORDS]; left > 0; left--) {
			const index = words[WORD_HEAD];
			if (ring.waits(index) && ++ordinal <= half && (ordinal & 1) === 0) {
				const sequence = ring.sequence(index);
				ring.shift();
				this.give(sequence, DROPPED_THINNED);
			} else this.rotate();
		}
	}

	/** Moves the record in front behind the newest, or leaves it out if it is dead. There must be room. */
	private rotate(): void {
		const ring = this.#ring;
		const index = this.#words[WORD_HEAD];
		if (!ring.waits(index)) {
			ring.shift();
			return;
		}
		const { scratch } = this;
		ring.read(index, ring.length(index), scratch);
		ring.write(scratch);
		ring.shift();
		this.#retained.commit();
	}

	/** A reset amid {@link thin} leaves the records in order but for where they begin: goes on around until the oldest is in front. */
	private sort(): void {
		const words = this.#words;
		const ring = this.#ring;
		const used = words[WORD_USED];
		let previous = 0;
		let turns = 0;
		for (let offset = 0, passed = 0; offset < used; passed++) {
			const index = ring.index(offset);
			if (ring.waits(index)) {
				const sequence = ring.sequence(index);
				if (sequence < previous) turns = passed;
				previous = sequence;
			}
			offset += ring.length(index);
		}
		if (turns === 0 || ring.room < this.#longest) return;
		while (turns-- > 0) this.rotate();
	}

	/** Makes header and ring agree, and counts what damage has cost; durable where there was damage. @param doubt every record is checked */
	private settle(doubt: boolean): void {
		let lost = this.agree(doubt);
		if (lost < 0) return;
		this.#retained.commit();
		for (; lost > 0; lost--) this.#handler.onDropped(0, DROPPED_CORRUPTED);
	}

	/** −1: there was no damage; else how many reports it cost. */
	private agree(doubt: boolean): number {
		const words = this.#words;
		const before = words[WORD_WAITING];
		const mended = repair(this.#ring, this, doubt);
		const lost = Math.max(mended, 0);
		if (words[WORD_WAITING] > before) this.bury();
		words[WORD_DROPPED + DROPPED_CORRUPTED] += lost;
		// A record dies by its byte alone only when it is acknowledged; drops are committed together with their count. Fewer than
		// none: damage has brought back what was acknowledged, and it will be again.
		words[WORD_ACKNOWLEDGED] += before - lost - words[WORD_WAITING];
		return mended;
	}

	/** More wait than the header says: a reset has cut {@link refuse} short after its commit. */
	private bury(): void {
		const words = this.#words;
		const ring = this.#ring;
		const used = words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.index(offset);
			if (ring.waits(index) && ring.state(index) === REFUSED) {
				ring.setState(index, DEAD);
				words[WORD_WAITING]--;
			}
			offset += ring.length(index);
		}
	}

	/** Puts the cursor behind the record found last, after records have moved. */
	private reseek(): void {
		const ring = this.#ring;
		const used = this.#words[WORD_USED];
		const last = this.#last;
		let offset = 0;
		while (offset < used) {
			const index = ring.index(offset);
			if (ring.waits(index) && ring.sequence(index) > last) break;
			offset += ring.length(index);
		}
		this.#ahead = used - offset;
	}

	/** Leaves out what is dead in front. */
	private release(): void {
		const words = this.#words;
		const ring = this.#ring;
		while (words[WORD_USED] > 0) {
			const index = words[WORD_HEAD];
			if (ring.length(index) === 0 || ring.waits(index)) break;
			ring.shift();
		}
		if (this.#ahead > words[WORD_USED]) this.#ahead = words[WORD_USED];
	}
}
