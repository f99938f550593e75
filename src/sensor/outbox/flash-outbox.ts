import { DROPPED_UNREADABLE } from "../../device-events";
import {
	FLAG_FLASH_MISSING,
	FLAG_FLASH_RENUMBERED,
	FLAG_FLASH_UNREAD,
	FLASH_FLAGS,
	FLASH_TRIES_SHIFT,
	FLASH_WAIT_SHIFT,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "../retained/layout";
import type { RestoreResult } from "../retained/retained-state";
import { NO_SLOT } from "./flash-copy";
import { FlashRestore } from "./flash-restore";
import { SUMMARY_TIMELESS } from "./flash-summary";
import { isKnownState, OFFSET_STATE, STATE_SENT } from "./report-record";

const TRIES_MASK = 15 << FLASH_TRIES_SHIFT;
/** After so many tries to read flash, it is read again with every 256th try to report. */
const MOST_TRIES = 8;

/**
 * An outbox that survives a loss of power (`outbox.storage: "flash"`). Flash is read after a loss of power,
 * and after a reset, which may have come between retained memory and flash.
 *
 * If it cannot be read then, nothing in it is deleted or overwritten. The node reports what it samples, with
 * numbers that go on from retained memory, or begin at 1 where that is lost; and looks into flash again with
 * each try to report, more and more seldom where only records cannot be read. What it then finds gets new
 * numbers behind those that wait. Until all of flash was read, a report goes to a slot that is known to be
 * empty, or stays in retained memory only.
 */
export class FlashOutbox extends FlashRestore {
	/** Absent: it was not. */
	declare private supplyWasAway?: true;

	/**
	 * Call after the supply was away, before {@link recover}: what that counts as damaged may be in flash, and
	 * a reset before {@link start} has put it back must not make it count as acknowledged.
	 */
	markDamaged(): void {
		this.supplyWasAway = true;
		this.flash.markDamaged();
	}

	/**
	 * Call at boot, after {@link recover} or {@link discard}.
	 * @param restored how the retained header was found
	 * @param interrupted whether the chip was reset since it last slept
	 */
	start(restored: RestoreResult, interrupted: boolean): void {
		if (restored === "valid" && !interrupted) return;
		if (this.isUnread) {
			if (this.supplyWasAway) this.setFlags(FLAG_FLASH_MISSING);
			if (this.mayWriteSummary) this.writeRing();
			return;
		}
		const { flash } = this;
		flash.prepare();
		// Without a summary no record counts, and there is no scratch record yet
		const isReadable = flash.readSummary() ? this.isReadable : !flash.isSummaryUnreadable;
		if (!isReadable || (restored === "garbage" && flash.hasUnread)) {
			this.postpone(restored);
			return;
		}
		if (this.isRestoring) this.resumeRestore(restored);
		else if (restored === "garbage") {
			if (this.restoreSummary()) this.restore(true);
		} else if (restored === "valid") this.compare();
		if (this.sawUnreadable) this.setFlags(FLAG_FLASH_UNREAD | FLAG_FLASH_MISSING);
	}

	/** Call when the node is about to report: looks for what could not be read before, if it is time. */
	retry(): void {
		if (!this.isUnread) return;
		const { words } = this.ring;
		const wait = words[WORD_FLAGS] >>> FLASH_WAIT_SHIFT;
		if (wait > 0) words[WORD_FLAGS] -= 1 << FLASH_WAIT_SHIFT;
		else this.adopt();
	}

	override discard(): void {
		// Flash has more reports than the ring: `start` counts them
		if (this.isRestoring) this.ring.retained.resetLayout();
		else if (this.flash.isSummaryUnreadable || this.isUnread) {
			this.deleteOwnSlots();
			this.setFlags(FLAG_FLASH_UNREAD | FLAG_FLASH_MISSING);
			super.discard();
		} else {
			super.discard();
			this.deleteAll();
		}
	}

	/** Also what cannot be read: so the command `clear` makes room where nothing else does. */
	override clear(): void {
		const { isUnread } = this;
		super.clear();
		if (!isUnread) this.deleteAll();
		else if (this.flash.deleteSummary() && this.deleteSlots()) {
			this.clearFlags();
			this.flash.writeSummary(this.ring.words, 0);
		}
	}

	/** Flash has, or may have, reports that could not be read. */
	private get isUnread(): boolean {
		return (this.ring.words[WORD_FLAGS] & FLAG_FLASH_UNREAD) !== 0;
	}

	private setFlags(flags: number): void {
		const { words, retained } = this.ring;
		words[WORD_FLAGS] |= flags;
		retained.commit();
	}

	private clearFlags(): void {
		const { words, retained } = this.ring;
		words[WORD_FLAGS] &= ~FLASH_FLAGS;
		retained.commit();
	}

	/** Flash cannot be read: goes on with what retained memory has. */
	private postpone(restored: RestoreResult): void {
		const { flash } = this;
		const { words } = this.ring;
		const isKnown = flash.readSummary();
		const isWhole = restored === "valid" && !this.supplyWasAway && isKnown && !flash.isDamaged;
		this.setFlags(
			FLAG_FLASH_UNREAD |
				(isWhole ? 0 : FLAG_FLASH_MISSING) |
				(restored === "garbage" ? FLAG_FLASH_RENUMBERED : 0),
		);
		this.flash.device.trace("reports in flash cannot be read: they are kept, and looked for again");
		if (!isKnown || !flash.isSummaryOf(words)) return;
		if (restored === "garbage") flash.summary[SUMMARY_TIMELESS] = 0;
		this.markUnread();
	}

	/** Writes a summary that says that there may be others; without that of a drop where that is ambiguous. */
	private markUnread(): void {
		const { ring, flash } = this;
		if ((ring.words[WORD_FLAGS] & FLAG_FLASH_RENUMBERED) === 0) flash.rewriteSummary(ring.words);
		else flash.writeSummary(ring.words, 0);
	}

	/** Appends what flash has beside the ring, as far as it can be read now, as new reports. */
	private adopt(): void {
		const { ring, scratch, flash } = this;
		const { words } = ring;
		const isKnown = flash.readSummary();
		// A read that fails costs next to nothing: the next try to report looks again.
		if (flash.isSummaryUnreadable) return;
		this.sawUnreadable = false;
		const isForeign = isKnown && !flash.isSummaryOf(words);
		const isMissing = isKnown && (words[WORD_FLAGS] & FLAG_FLASH_MISSING) !== 0;
		const marksDrops = (words[WORD_FLAGS] & FLAG_FLASH_RENUMBERED) === 0;
		const found = new Float64Array(NO_SLOT);
		let count = 0;
		for (let slot = 0; slot < NO_SLOT; slot++) {
			if (!this.readSlot(slot)) continue;
			const { sequence } = scratch;
			const index = this.find(sequence);
			if (index >= 0 && ring.lastByteAt(index) === slot) {
				if (!this.isIntact(index)) this.mendRecord(index, slot);
			} else if (!isMissing || (marksDrops && flash.isDropped(sequence))) this.deleteSlot(slot);
			else found[count++] = sequence * (NO_SLOT + 1) + slot;
		}
		if (isKnown && !isForeign) this.markUnread();
		// Ascending; the free ones are in front.
		found.sort();
		for (let i = NO_SLOT - count; i < NO_SLOT; i++) this.adoptSlot(found[i] % (NO_SLOT + 1), isForeign);
		if (this.sawUnreadable) this.postponeAgain();
		else {
			this.clearFlags();
			flash.writeSummary(words, 0);
			this.storeUnstored();
		}
	}

	/** Puts what flash has of a damaged record in its place; what is known of its delivery stays. */
	private mendRecord(index: number, slot: number): void {
		const { ring, scratch, flash } = this;
		const state = ring.stateAt(index);
		if (!this.readSlot(slot) || scratch.length !== ring.lengthAt(index)) return;
		if (scratch.sequence < flash.summary[SUMMARY_TIMELESS]) this.forgetTime(scratch);
		// Pending or dead is unknown: a report sent twice is better than a lost one.
		scratch.bytes[OFFSET_STATE] = isKnownState(state) ? state : STATE_SENT;
		ring.replaceRecord(index, scratch);
	}

	/** @param isForeign it is of other sensors: it can only be counted */
	private adoptSlot(slot: number, isForeign: boolean): void {
		if (!isForeign && this.findFreeSlot() === NO_SLOT) this.sawUnreadable = true;
		else if (this.readSlot(slot)) this.adoptRecord(slot, isForeign);
	}

	/** Appends the scratch record, which is in a slot. */
	private adoptRecord(slot: number, isForeign: boolean): void {
		const { ring, record, scratch } = this;
		const { words, retained } = ring;
		if (isForeign || scratch.length > record.bytes.length) {
			words[WORD_SEQUENCE]++;
			words[WORD_DROPPED + DROPPED_UNREADABLE]++;
			retained.commit();
			this.deleteSlot(slot);
			this.handler.onDropped(words[WORD_SEQUENCE] - 1, DROPPED_UNREADABLE);
			return;
		}
		record.bytes.set(scratch.bytes.subarray(0, scratch.length));
		record.parse();
		this.forgetTime(record);
		// Without the slot, which becomes another one
		record.length--;
		if (!this.append(record)) return;
		retained.commit();
		this.deleteSlot(slot);
		this.flash.device.event?.("accepted", record.sequence, words[WORD_WAITING]);
	}

	/** Writes what is in retained memory only, as there was no slot for it while flash could not be read. */
	private storeUnstored(): void {
		const { ring, scratch, flash } = this;
		const used = ring.words[WORD_USED];
		for (let offset = 0; offset < used; ) {
			const index = ring.indexAt(offset);
			const length = ring.lengthAt(index);
			if (length === 0) break;
			if (ring.isWaiting(index) && ring.lastByteAt(index) === NO_SLOT && this.isIntact(index)) {
				const slot = this.findFreeSlot();
				scratch.bytes[length - 1] = slot;
				scratch.seal(scratch.sequence);
				flash.write(slot, scratch);
				ring.replaceRecord(index, scratch);
				if (this.keepsStates) flash.writeState(slot, scratch.sequence, ring.stateAt(index));
			}
			offset += length;
		}
		ring.retained.commit();
	}

	private postponeAgain(): void {
		const { words, retained } = this.ring;
		const tries = Math.min(MOST_TRIES, ((words[WORD_FLAGS] & TRIES_MASK) >> FLASH_TRIES_SHIFT) + 1);
		const kept = words[WORD_FLAGS] & ((1 << FLASH_TRIES_SHIFT) - 1);
		words[WORD_FLAGS] = kept | (tries << FLASH_TRIES_SHIFT) | ((1 << tries) << FLASH_WAIT_SHIFT);
		retained.commit();
	}
}
