import type { Device } from "../../device";
import { DROPPED_CORRUPTED, DROPPED_UNREADABLE, type DropReason } from "../../device-events";
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
import type { RestoreResult, RetainedState } from "../retained/retained-state";
import {
	FlashRecords,
	MARK_ALL_DROPPED,
	MARK_DAMAGED,
	MARK_RESTORING,
	MARK_TIME_LOST,
	SUMMARY_BROKER,
	SUMMARY_DROPPED,
	SUMMARY_FLAGS,
	SUMMARY_SENSORS,
	SUMMARY_SEQUENCE,
} from "./flash-records";
import { Outbox, type OutboxHandler } from "./outbox";
import { isKnownState, OFFSET_STATE, ReportRecord, TIME_UNKNOWN } from "./report-record";

/**
 * Entries of ESP-IDF's NVS, of 32 bytes, that records take at most: of the 630 that the SDK's partition has.
 */
const ENTRIES = 360;
const ENTRY_SIZE = 32;
/** Slots at most, and the number of none. */
const NO_SLOT = 255;

/** Entries of one value: two for the key, one before the bytes and one for their position. */
export function entriesOf(bytes: number): number {
	return 2 + Math.ceil(bytes / ENTRY_SIZE);
}

/** Reports that wait at most where they survive a loss of power. @param longestRecord bytes */
export function reportsInFlash(longestRecord: number): number {
	return Math.min(NO_SLOT, Math.floor(ENTRIES / entriesOf(longestRecord + 1)));
}

/**
 * An outbox that survives a loss of power (`outbox.storage: "flash"`): what is in retained memory is in
 * flash, too, before it counts as accepted, and until it is acknowledged or dropped. Flash is read after a
 * loss of power, and after a reset, which may have come between both.
 *
 * A record has a slot, a key of the storage, which is its last byte. With QoS 2 each state of a delivery is
 * written as well. Each write allocates the key's name and a view.
 */
export class FlashOutbox extends Outbox {
	private readonly flash: FlashRecords;
	private readonly slots: number;
	private readonly keepsStates: boolean;
	/** Slots in use, a bit each. */
	private readonly taken = new Uint8Array(32);

	/** @param keepsStates whether a report may have QoS 2 */
	constructor(
		retained: RetainedState,
		policy: "dropOldest" | "thin",
		longestRecord: number,
		handler: OutboxHandler,
		device: Pick<Device, "storage" | "trace">,
		keepsStates: boolean,
	) {
		super(retained, policy, longestRecord + 1, handler);
		this.flash = new FlashRecords(device);
		this.slots = reportsInFlash(longestRecord);
		this.keepsStates = keepsStates;
	}

	/** For what flash has of other settings, too. */
	protected override makeScratch(): ReportRecord {
		return new ReportRecord();
	}

	/**
	 * Call after the supply was away, before {@link recover}: what that counts as damaged may be in flash, and
	 * a reset before {@link start} has put it back must not make it count as acknowledged.
	 */
	markDamaged(): void {
		this.flash.markDamaged();
	}

	/**
	 * Call at boot, after {@link recover} or {@link discard}.
	 * @param restored how the retained header was found
	 * @param interrupted whether the chip was reset since it last slept
	 */
	start(restored: RestoreResult, interrupted: boolean): void {
		if (restored === "valid" && !interrupted) return;
		if (this.isRestoring) this.resumeRestore(restored);
		else if (restored === "garbage") {
			if (this.restoreSummary()) this.restore(true);
		} else if (restored === "valid") this.compare();
	}

	override append(record: ReportRecord): boolean {
		const { words } = this.ring;
		if (words[WORD_WAITING] >= this.slots) this.makeRoom(0, this.slots - 1);
		const slot = this.findFreeSlot();
		record.bytes[record.length++] = slot;
		if (!super.append(record)) return false;
		// Without one, what the records mean would not be known.
		if (!this.flash.readSummary()) this.flash.writeSummary(words, 0);
		this.flash.write(slot, record);
		return true;
	}

	override remove(index: number): void {
		const { ring } = this;
		const slot = ring.lastByteAt(index);
		const isNewest = ring.sequenceAt(index) === ring.words[WORD_SEQUENCE] - 1;
		super.remove(index);
		// Its sequence number must not be given again.
		if (isNewest) this.flash.writeSummary(ring.words, 0);
		this.deleteSlot(slot);
	}

	/**
	 * Otherwise the session would be discarded after a loss of power, and what is in flight would arrive
	 * twice.
	 */
	override recordSession(): void {
		this.flash.writeSummary(this.ring.words, 0);
	}

	override markSent(): void {
		super.markSent();
		if (!this.keepsStates) return;
		const index = this.find(this.record.sequence);
		if (index >= 0) this.writeState(index);
	}

	override markReceived(index: number): void {
		super.markReceived(index);
		if (this.keepsStates) this.writeState(index);
	}

	override markRefused(index: number): void {
		super.markRefused(index);
		if (this.keepsStates) this.writeState(index);
	}

	override discard(): void {
		// Flash has more reports than the ring: `start` counts them
		if (this.isRestoring) this.ring.retained.resetLayout();
		else {
			super.discard();
			this.deleteAll();
		}
	}

	override clear(): void {
		super.clear();
		this.deleteAll();
	}

	protected override commitDrop(index: number, reason: DropReason): void {
		const { ring } = this;
		const { words } = ring;
		// The count first: a record that is gone without being counted would be lost.
		words[WORD_DROPPED + reason]++;
		this.flash.writeSummary(words, ring.sequenceAt(index), this.flash.restoreMarks);
		words[WORD_DROPPED + reason]--;
		this.deleteSlot(ring.lastByteAt(index));
		super.commitDrop(index, reason);
	}

	private writeRecord(index: number): void {
		const { ring, scratch } = this;
		ring.readRecord(index, ring.lengthAt(index), scratch);
		this.flash.write(ring.lastByteAt(index), scratch);
	}

	private writeState(index: number): void {
		const { ring } = this;
		this.flash.writeState(ring.lastByteAt(index), ring.sequenceAt(index), ring.stateAt(index));
	}

	private deleteSlot(slot: number): void {
		this.flash.delete(slot);
		if (this.keepsStates) this.flash.deleteState(slot);
	}

	/** All reports were counted as dropped: none counts any more, even if deleting them is interrupted. */
	private deleteAll(): void {
		const { words } = this.ring;
		this.flash.writeSummary(words, words[WORD_SEQUENCE] - 1, MARK_ALL_DROPPED);
		for (let slot = 0; slot < NO_SLOT; slot++) this.deleteSlot(slot);
	}

	private findFreeSlot(): number {
		const { ring } = this;
		const used = ring.words[WORD_USED];
		const taken = this.taken;
		taken.fill(0);
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index)) {
				const slot = ring.lastByteAt(index);
				taken[slot >> 3] |= 1 << (slot & 7);
			}
			offset += length;
		}
		let slot = 0;
		while (slot < NO_SLOT - 1 && (taken[slot >> 3] & (1 << (slot & 7))) !== 0) slot++;
		return slot;
	}

	/**
	 * Reads the record of a slot into the scratch record; false: there is none that counts, and it is deleted.
	 */
	private readSlot(slot: number): boolean {
		const { scratch } = this;
		const { bytes } = scratch;
		if (this.flash.read(slot, scratch) && bytes[scratch.length - 1] === slot) return true;
		this.deleteSlot(slot);
		return false;
	}

	/** A restore has begun and not ended: flash holds what is true. */
	private get isRestoring(): boolean {
		return this.flash.readSummary() && this.flash.restoreMarks !== 0;
	}

	/**
	 * After a reset: retained memory holds what is true, and flash may lack the last step of it. If the supply
	 * was away, retained memory may be older, and lack what damage has taken: that is put back.
	 */
	private compare(): void {
		const { ring, scratch } = this;
		const { words } = ring;
		const flash = this.flash;
		const { summary } = flash;
		const corrupted = WORD_DROPPED + DROPPED_CORRUPTED;
		const corruptedNow = words[corrupted];
		const isDamaged =
			(flash.isDamaged || corruptedNow > summary[SUMMARY_DROPPED + DROPPED_CORRUPTED]) &&
			summary[SUMMARY_SENSORS] === words[WORD_SENSORS_HASH];
		if (isDamaged) {
			words[WORD_SEQUENCE] = Math.max(words[WORD_SEQUENCE], summary[SUMMARY_SEQUENCE]);
			words[corrupted] = Math.min(corruptedNow, summary[SUMMARY_DROPPED + DROPPED_CORRUPTED]);
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
			this.restore(false);
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

	/** Writes what the ring has and flash lacks, and the states of all deliveries. */
	private writeRing(): void {
		const { ring, scratch, flash } = this;
		const used = ring.words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index) && !flash.isDropped(ring.sequenceAt(index))) {
				if (!flash.read(ring.lastByteAt(index), scratch)) this.writeRecord(index);
				if (this.keepsStates && isKnownState(ring.stateAt(index))) this.writeState(index);
			}
			offset += length;
		}
	}

	/** A reset, a crash or a loss of power came before a restore had ended: begins it anew. */
	private resumeRestore(restored: RestoreResult): void {
		const timeIsLost = restored === "garbage" || (this.flash.restoreMarks & MARK_TIME_LOST) !== 0;
		// If storage has failed since, a report may be in the ring only
		if (restored === "valid") this.writeRing();
		this.restoreSummary();
		this.restore(timeIsLost);
	}

	/** Whether nothing of the record at an index is damaged. */
	private isIntact(index: number): boolean {
		const { ring, scratch } = this;
		ring.readRecord(index, ring.lengthAt(index), scratch);
		return scratch.parse() && isKnownState(ring.stateAt(index));
	}

	/** Takes over what the summary says; false: there is none, and no record counts. */
	private restoreSummary(): boolean {
		const { words } = this.ring;
		if (!this.flash.readSummary()) {
			for (let slot = 0; slot < NO_SLOT; slot++) this.deleteSlot(slot);
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
	 */
	private restore(timeIsLost: boolean): void {
		const flash = this.flash;
		const { ring, scratch } = this;
		const { words, retained } = ring;
		const { summary } = flash;
		const isForeign = summary[SUMMARY_SENSORS] !== words[WORD_SENSORS_HASH];
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
			if (timeIsLost && scratch.relative) this.forgetTime(scratch);
			if (this.keepsStates) scratch.bytes[OFFSET_STATE] = flash.readState(slot, scratch.sequence);
			if (scratch.sequence >= words[WORD_SEQUENCE]) words[WORD_SEQUENCE] = scratch.sequence + 1;
			while (!isForeign && ring.freeBytes < scratch.length && words[WORD_WAITING] > 0) this.giveUpOldest();
			if (scratch.length > words[WORD_RING_SIZE]) continue;
			ring.appendRecord(scratch);
			words[WORD_WAITING]++;
			if (isForeign) this.giveUpOldest();
		}
		retained.commit();
		if (isForeign || flash.isMarked) flash.writeSummary(words, 0);
		this.rewind();
	}

	private giveUpOldest(): void {
		const index = this.ring.words[WORD_HEAD];
		this.ring.dropHead();
		this.commitDrop(index, DROPPED_UNREADABLE);
	}

	/** A time from the first start on says nothing after a loss of power, which has taken some. */
	private forgetTime(record: ReportRecord): void {
		record.time = TIME_UNKNOWN;
		record.seal(record.sequence);
	}
}
