import { DROPPED_CORRUPTED, DROPPED_UNREADABLE } from "../../device-events";
import {
	DROP_COUNTERS,
	FLAG_SESSION_OWN,
	WORD_BROKER_HASH,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_HEAD,
	WORD_RECORDS,
	WORD_RING_SIZE,
	WORD_SENSORS_HASH,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "../retained/layout";
import type { RestoreResult } from "../retained/retained-state";
import { FlashCopy, NO_SLOT } from "./flash-copy";
import { INTACT, NO_RECORD } from "./flash-records";
import { UNREADABLE } from "./flash-storage";
import {
	MARK_DAMAGED,
	MARK_RESTORING,
	MARK_TIME_LOST,
	SUMMARY_BROKER,
	SUMMARY_DROPPED,
	SUMMARY_FLAGS,
	SUMMARY_SENSORS,
	SUMMARY_SEQUENCE,
	SUMMARY_TIMELESS,
} from "./flash-summary";
import { OFFSET_STATE, type ReportRecord, TIME_UNKNOWN } from "./report-record";

/**
 * Puts back from flash what retained memory has lost, at boot, when all of flash can be read. A read that
 * fails nevertheless leaves that record alone.
 */
export class FlashRestore extends FlashCopy {
	/** A record could not be read. Absent: all could. */
	declare protected sawUnreadable?: boolean;

	/**
	 * Reads the record of a slot into the scratch record; false: there is none that counts, and it is deleted,
	 * or none that can be read.
	 */
	protected readSlot(slot: number): boolean {
		const { scratch, flash } = this;
		const { bytes } = scratch;
		const found = flash.read(slot, scratch);
		if (found === INTACT && bytes[scratch.length - 1] === slot) return true;
		if (found === UNREADABLE) this.sawUnreadable = true;
		else this.deleteSlot(slot);
		return false;
	}

	/** A restore has begun and not ended: flash holds what is true. */
	protected get isRestoring(): boolean {
		return this.flash.readSummary() && this.flash.restoreMarks !== 0;
	}

	/**
	 * After a reset: retained memory holds what is true, and flash may lack the last step of it. If the supply
	 * was away, retained memory may be older, and lack what damage has taken: that is put back.
	 */
	protected compare(): void {
		const { ring, scratch, flash } = this;
		const { words } = ring;
		const corrupted = WORD_DROPPED + DROPPED_CORRUPTED;
		const corruptedNow = words[corrupted];
		const corruptedThen = flash.summary[SUMMARY_DROPPED + DROPPED_CORRUPTED];
		const isDamaged = (flash.isDamaged || corruptedNow > corruptedThen) && flash.isSummaryOf(words);
		if (isDamaged) {
			words[WORD_SEQUENCE] = Math.max(words[WORD_SEQUENCE], flash.summary[SUMMARY_SEQUENCE]);
			words[corrupted] = Math.min(corruptedNow, corruptedThen);
		}
		const corruptedBefore = words[corrupted];
		const marks = isDamaged ? MARK_DAMAGED : 0;
		// A drop whose commit a reset has prevented was none
		if (this.holdsDropped) flash.writeSummary(words, 0, marks);
		else flash.rewriteSummary(words, marks);
		words[corrupted] = corruptedNow;
		let missing = 0;
		for (let slot = 0; slot < NO_SLOT; slot++) {
			if (!this.readSlot(slot)) continue;
			const { sequence } = scratch;
			const index = this.find(sequence);
			const isMissing = index < 0 ? isDamaged : !this.isIntact(index);
			if (isMissing && !flash.isDropped(sequence)) missing++;
			else if (index < 0 || ring.lastByteAt(index) !== slot) this.deleteSlot(slot);
		}
		this.writeRing();
		if (missing > 0) {
			// What damage has taken was counted; what an older header lacks was not.
			words[corrupted] = Math.max(corruptedNow - missing, corruptedBefore);
			if (!this.restore(false)) words[corrupted] = corruptedNow;
		} else if (isDamaged) flash.writeSummary(words, 0);
	}

	/** Whether a report that the summary counts as dropped is in the ring. */
	private get holdsDropped(): boolean {
		const { ring } = this;
		const used = ring.words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index) && this.flash.isDropped(ring.sequenceAt(index))) return true;
			offset += length;
		}
		return false;
	}

	/** A reset, a crash or a loss of power came before a restore had ended: begins it anew. */
	protected resumeRestore(restored: RestoreResult): void {
		const timeIsLost = restored === "garbage" || (this.flash.restoreMarks & MARK_TIME_LOST) !== 0;
		// If storage has failed since, a report may be in the ring only
		if (restored === "valid") this.writeRing();
		this.restoreSummary();
		this.restore(timeIsLost);
	}

	/** Takes over what the summary says; false: there is none, and no record counts. */
	protected restoreSummary(): boolean {
		const { words } = this.ring;
		if (!this.flash.readSummary()) {
			this.deleteSlots();
			return false;
		}
		const { summary } = this.flash;
		for (let i = 0; i < DROP_COUNTERS; i++) words[WORD_DROPPED + i] = summary[SUMMARY_DROPPED + i];
		words[WORD_SEQUENCE] = Math.max(words[WORD_SEQUENCE], summary[SUMMARY_SEQUENCE]);
		if (summary[SUMMARY_SENSORS] === words[WORD_SENSORS_HASH]) {
			words[WORD_BROKER_HASH] = summary[SUMMARY_BROKER];
			words[WORD_FLAGS] = summary[SUMMARY_FLAGS] & FLAG_SESSION_OWN;
		}
		return true;
	}

	/**
	 * Puts what is in flash into the ring in its order, in place of what is there. A drop commits the part that
	 * was put back, so that flash is marked until all of it was: from the first change of the ring on, only
	 * flash and its summary count.
	 * @param timeIsLost whether node time has begun anew
	 * @returns false: a report is in the ring only, and cannot be written; the rest is looked for later
	 */
	protected restore(timeIsLost: boolean): boolean {
		const { ring, scratch, flash } = this;
		const { words, retained } = ring;
		const isForeign = !flash.isSummaryOf(words);
		if (!isForeign && !this.storeRing()) {
			this.sawUnreadable = true;
			return false;
		}
		const found = new Float64Array(NO_SLOT);
		let count = 0;
		for (let slot = 0; slot < NO_SLOT; slot++)
			if (this.readSlot(slot)) {
				if (!flash.isDropped(scratch.sequence)) found[count++] = scratch.sequence * (NO_SLOT + 1) + slot;
				else this.deleteSlot(slot);
			}
		if (count > 0) flash.rewriteSummary(words, MARK_RESTORING | (timeIsLost ? MARK_TIME_LOST : 0));
		words[WORD_HEAD] = words[WORD_USED] = words[WORD_RECORDS] = words[WORD_WAITING] = 0;
		// No commit may cover the bytes that are written now
		retained.commit();
		// Ascending; the free ones are in front.
		found.sort();
		for (let i = NO_SLOT - count; i < NO_SLOT; i++) {
			const slot = found[i] % (NO_SLOT + 1);
			if (!this.readSlot(slot)) continue;
			if (timeIsLost || scratch.sequence < flash.summary[SUMMARY_TIMELESS]) this.forgetTime(scratch);
			if (this.keepsStates) {
				const state = flash.readState(slot, scratch.sequence);
				if (state === UNREADABLE) {
					this.sawUnreadable = true;
					continue;
				}
				scratch.bytes[OFFSET_STATE] = state;
			}
			if (scratch.sequence >= words[WORD_SEQUENCE]) words[WORD_SEQUENCE] = scratch.sequence + 1;
			while (!isForeign && ring.freeBytes < scratch.length && words[WORD_WAITING] > 0)
				this.giveUpHead(DROPPED_UNREADABLE);
			if (scratch.length > words[WORD_RING_SIZE]) continue;
			ring.appendRecord(scratch);
			words[WORD_WAITING]++;
			if (isForeign) this.giveUpHead(DROPPED_UNREADABLE);
		}
		retained.commit();
		// What is in flash has the times of before
		if (timeIsLost) flash.summary[SUMMARY_TIMELESS] = words[WORD_SEQUENCE];
		if (isForeign || flash.isMarked) flash.writeSummary(words, 0);
		this.rewind();
		return true;
	}

	/**
	 * Writes what is in the ring only, as flash could not be read when it was accepted.
	 * @returns whether flash has all reports of the ring that are intact
	 */
	private storeRing(): boolean {
		const { ring, scratch, flash, record } = this;
		const used = ring.words[WORD_USED];
		let isStored = true;
		let free = 0;
		for (let offset = 0; offset < used && isStored; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index) && this.isIntact(index)) {
				let slot = ring.lastByteAt(index);
				if (slot === NO_SLOT) {
					while (free < NO_SLOT && flash.read(free, record) !== NO_RECORD) free++;
					slot = free;
					scratch.bytes[length - 1] = slot;
					scratch.seal(scratch.sequence);
					if (slot < NO_SLOT) flash.write(slot, scratch);
					if (this.keepsStates) flash.writeState(slot, scratch.sequence, ring.stateAt(index));
				}
				// A later one has its slot: it was delivered, and the header is an older one
				const isCopied = flash.read(slot, record) === INTACT && record.sequence >= scratch.sequence;
				isStored = isCopied || flash.isDropped(scratch.sequence);
			}
			offset += length;
		}
		record.sequence = 0;
		return isStored;
	}

	/** A time from the first start on says nothing after a loss of power, which has taken some. */
	protected forgetTime(record: ReportRecord): void {
		if (!record.relative) return;
		record.time = TIME_UNKNOWN;
		record.seal(record.sequence);
	}

	/** Whether every record in flash can be read now. */
	protected get isReadable(): boolean {
		const { flash, scratch } = this;
		for (let slot = 0; slot < NO_SLOT; slot++) {
			const found = flash.read(slot, scratch);
			if (found === NO_RECORD) continue;
			if (found === UNREADABLE) return false;
			if (this.keepsStates && flash.readState(slot, scratch.sequence) === UNREADABLE) return false;
		}
		return true;
	}
}
