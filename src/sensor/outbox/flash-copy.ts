import type { Device } from "../../device";
import type { DropReason } from "../../device-events";
import {
	FLAG_FLASH_UNREAD,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";
import { FlashRecords, INTACT, NO_RECORD } from "./flash-records";
import { UNREADABLE } from "./flash-storage";
import { MARK_ALL_DROPPED } from "./flash-summary";
import { Outbox, type OutboxHandler } from "./outbox";
import { isKnownState, ReportRecord } from "./report-record";

/**
 * Entries of ESP-IDF's NVS, of 32 bytes, that records take at most: of the 630 that the SDK's partition has.
 */
const ENTRIES = 360;
const ENTRY_SIZE = 32;
/** Slots at most, and the number of none: the report is in retained memory only. */
export const NO_SLOT = 255;
/** Slots that cannot be read, after which no further one is looked at for a free one. */
const UNREADABLE_LIMIT = 8;

/** Entries of one value: two for the key, one before the bytes and one for their position. */
export function entriesOf(bytes: number): number {
	return 2 + Math.ceil(bytes / ENTRY_SIZE);
}

/** Reports that wait at most where they survive a loss of power. @param longestRecord bytes */
export function reportsInFlash(longestRecord: number): number {
	return Math.min(NO_SLOT, Math.floor(ENTRIES / entriesOf(longestRecord + 1)));
}

/**
 * An outbox whose reports are in flash, too, each before it counts as accepted, and until it is acknowledged
 * or dropped.
 *
 * A record has a slot, a key of the storage, which is its last byte. With QoS 2 each state of a delivery is
 * written as well. Each write allocates the key's name and a view.
 */
export class FlashCopy extends Outbox {
	protected readonly flash: FlashRecords;
	protected readonly keepsStates: boolean;
	private readonly slots: number;
	/** Slots in use, a bit each. */
	private readonly taken = new Uint8Array(32);

	/** @param keepsStates whether a report may have QoS 2 */
	constructor(
		retained: RetainedState,
		policy: "dropOldest" | "thin",
		longestRecord: number,
		handler: OutboxHandler,
		device: Pick<Device, "event" | "storage" | "trace">,
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

	override append(record: ReportRecord): boolean {
		const { words } = this.ring;
		this.flash.prepare();
		if (words[WORD_WAITING] >= this.slots) this.makeRoom(0, this.slots - 1);
		const slot = this.findFreeSlot();
		record.bytes[record.length++] = slot;
		if (!super.append(record)) return false;
		if (slot === NO_SLOT) return true;
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
		if (isNewest) this.writeSummary(0);
		this.deleteSlot(slot);
	}

	/**
	 * Otherwise the session would be discarded after a loss of power, and what is in flight would arrive
	 * twice.
	 */
	override recordSession(): void {
		this.writeSummary(0);
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

	protected override commitDrop(index: number, reason: DropReason): void {
		const { ring } = this;
		const { words } = ring;
		// The count first: a record that is gone without being counted would be lost.
		words[WORD_DROPPED + reason]++;
		this.writeSummary(ring.sequenceAt(index), this.flash.restoreMarks);
		words[WORD_DROPPED + reason]--;
		this.deleteSlot(ring.lastByteAt(index));
		super.commitDrop(index, reason);
	}

	/** While flash has what could not be read, the summary that says so is the only one that may change. */
	protected get mayWriteSummary(): boolean {
		if ((this.ring.words[WORD_FLAGS] & FLAG_FLASH_UNREAD) === 0) return true;
		return this.flash.readSummary() && this.flash.hasUnread && this.flash.isSummaryOf(this.ring.words);
	}

	/** See {@link FlashSummary.write}. */
	protected writeSummary(dropping: number, marks = 0): void {
		if (this.mayWriteSummary) this.flash.writeSummary(this.ring.words, dropping, marks);
	}

	/** Whether nothing of the record at an index is damaged. Reads it into the scratch record. */
	protected isIntact(index: number): boolean {
		const { ring, scratch } = this;
		ring.readRecord(index, ring.lengthAt(index), scratch);
		return scratch.parse() && isKnownState(ring.stateAt(index));
	}

	private writeRecord(index: number): void {
		const { ring, scratch } = this;
		ring.readRecord(index, ring.lengthAt(index), scratch);
		this.flash.write(ring.lastByteAt(index), scratch);
	}

	private writeState(index: number): void {
		const { ring } = this;
		const slot = ring.lastByteAt(index);
		if (slot !== NO_SLOT) this.flash.writeState(slot, ring.sequenceAt(index), ring.stateAt(index));
	}

	/** @returns whether nothing is left of it */
	protected deleteSlot(slot: number): boolean {
		if (slot === NO_SLOT) return true;
		const isDeleted = this.flash.delete(slot);
		return this.keepsStates ? this.flash.deleteState(slot) && isDeleted : isDeleted;
	}

	/** @returns whether nothing is left in any of them */
	protected deleteSlots(): boolean {
		let areDeleted = true;
		for (let slot = 0; slot < NO_SLOT; slot++) if (!this.deleteSlot(slot)) areDeleted = false;
		return areDeleted;
	}

	/** Deletes the records of what is in the ring. */
	protected deleteOwnSlots(): void {
		const { ring } = this;
		const used = ring.words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index)) this.deleteSlot(ring.lastByteAt(index));
			offset += length;
		}
	}

	/** All reports were counted as dropped: none counts any more, even if deleting them is interrupted. */
	protected deleteAll(): void {
		const { words } = this.ring;
		this.flash.writeSummary(words, words[WORD_SEQUENCE] - 1, MARK_ALL_DROPPED);
		this.deleteSlots();
	}

	/**
	 * A slot that no report of the ring has. While flash has what could not be read, one in which there is
	 * nothing; {@link NO_SLOT}: there is none, or flash cannot be read.
	 */
	protected findFreeSlot(): number {
		const { ring } = this;
		const used = ring.words[WORD_USED];
		const { taken } = this;
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
		const isUnread = (ring.words[WORD_FLAGS] & FLAG_FLASH_UNREAD) !== 0;
		if (isUnread && !this.mayWriteSummary) return NO_SLOT;
		let unreadable = 0;
		for (let slot = 0; slot < NO_SLOT; slot++) {
			if ((taken[slot >> 3] & (1 << (slot & 7))) !== 0) continue;
			const found = isUnread ? this.flash.read(slot, this.scratch) : NO_RECORD;
			if (found === NO_RECORD) return slot;
			if (found === UNREADABLE && ++unreadable === UNREADABLE_LIMIT) break;
		}
		return isUnread ? NO_SLOT : NO_SLOT - 1;
	}

	/** Writes what the ring has and flash lacks, and the states of all deliveries. */
	protected writeRing(): void {
		const { ring, scratch } = this;
		const used = ring.words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			const slot = ring.isWaiting(index) ? ring.lastByteAt(index) : NO_SLOT;
			if (slot !== NO_SLOT && !this.flash.isDropped(ring.sequenceAt(index))) {
				// What cannot be read there is this report; of a damaged one in the ring it is the only copy
				if (this.flash.read(slot, scratch) !== INTACT && this.isIntact(index)) this.writeRecord(index);
				if (this.keepsStates && isKnownState(ring.stateAt(index))) this.writeState(index);
			}
			offset += length;
		}
	}
}
