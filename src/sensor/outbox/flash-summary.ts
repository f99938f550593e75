import type { Device } from "../../device";
import { mix32 } from "../retained/checksum";
import {
	DROP_COUNTERS,
	FLAG_FLASH_UNREAD,
	LAYOUT_VERSION,
	WORD_BROKER_HASH,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_SENSORS_HASH,
	WORD_SEQUENCE,
} from "../retained/layout";
import { FlashStorage, OUTBOX_PATH, UNREADABLE } from "./flash-storage";

// Words of the summary
const CHECKSUM = 0;
/** Counts summaries: the newer one applies. */
const COUNT = 1;
export const SUMMARY_SENSORS = 2;
export const SUMMARY_BROKER = 3;
/** Sequence number of the next report, unless a record has a higher one. */
export const SUMMARY_SEQUENCE = 4;
export const SUMMARY_FLAGS = 5;
/** Four counters of dropped reports. */
export const SUMMARY_DROPPED = 6;
/**
 * Sequence number of the report that was dropped last, and is counted: its record may still be there; 0:
 * none.
 */
const SUMMARY_DROPPING = 10;
const VERSION = 11;
/** Words of a summary that earlier firmware has written. */
const EARLIER_WORDS = 12;
/**
 * Sequence number up to which a time from the first start on says nothing: node time has begun anew since,
 * and what is in flash of these records does not say so.
 */
export const SUMMARY_TIMELESS = 12;
/** Even, as the checksum requires. */
const WORDS = 14;

// Marks beside the flags of the retained header, whose bits are lower
/** {@link SUMMARY_DROPPING} stands for all reports up to it. */
export const MARK_ALL_DROPPED = 0x2000_0000;
/** Records are being put back into retained memory, which lacks some until that has ended. */
export const MARK_RESTORING = 0x4000_0000;
/** Beside it: node time has begun anew before. */
export const MARK_TIME_LOST = 0x1000_0000;
/** The supply was away: what retained memory lacks was not looked for yet. */
export const MARK_DAMAGED = 0x0800_0000;
const FLAGS = 0xff | FLAG_FLASH_UNREAD;

/** The keys of the summary, which are written in turn. */
const EVEN_KEY = "ma";
const ODD_KEY = "mb";

/**
 * What the outbox has left in flash does not count any more: without its summary no record does. For a node
 * whose outbox is not in flash, or not any more; otherwise its old reports would be sent, once it is again.
 */
export function forgetRecords({ storage }: Pick<Device, "storage">): void {
	try {
		const opened = storage?.open({ path: OUTBOX_PATH, format: "buffer" });
		try {
			opened?.delete(EVEN_KEY);
			opened?.delete(ODD_KEY);
			opened?.sync?.();
		} finally {
			opened?.close();
		}
	} catch {
		// Storage that does not work has nothing that could be read later.
	}
}

/**
 * What the records in flash mean: of which sensors they are, and which of them count. It is in key-value
 * storage, under two keys in turn. While one of these cannot be read, nothing is known, and nothing written.
 */
export class FlashSummary extends FlashStorage {
	/** Words of the summary that {@link readSummary} or {@link writeSummary} had last. */
	readonly summary: Uint32Array;
	private readonly summaryBytes: Uint8Array;
	/** Whether the summary in storage was looked for. */
	private known = false;

	// A constructor that takes any arguments would allocate them, here and below
	constructor(device: Pick<Device, "event" | "storage" | "trace">) {
		super(device);
		this.summary = new Uint32Array(WORDS);
		this.summaryBytes = new Uint8Array(this.summary.buffer);
	}

	/** Whether there is a summary; it is then in {@link summary}. */
	readSummary(): boolean {
		if (!this.known) {
			this.summary.fill(0);
			this.known = this.load(EVEN_KEY) && this.load(ODD_KEY);
		}
		return this.known && this.summary[COUNT] > 0;
	}

	/** Whether the summary cannot be read now. After {@link readSummary}. */
	get isSummaryUnreadable(): boolean {
		return !this.known;
	}

	/**
	 * Whether the summary is of these sensors. After {@link readSummary}.
	 * @param header words of the retained header
	 */
	isSummaryOf(header: Uint32Array): boolean {
		return this.summary[SUMMARY_SENSORS] === header[WORD_SENSORS_HASH];
	}

	/** The marks of a restore that has begun and not ended; 0: there is none. After {@link readSummary}. */
	get restoreMarks(): number {
		const flags = this.summary[SUMMARY_FLAGS];
		return (flags & MARK_RESTORING) === 0 ? 0 : flags & (MARK_RESTORING | MARK_TIME_LOST);
	}

	/** Whether a report was dropped and counted, so that its record is only to be deleted. */
	isDropped(sequence: number): boolean {
		const { summary } = this;
		const dropping = summary[SUMMARY_DROPPING];
		return (summary[SUMMARY_FLAGS] & MARK_ALL_DROPPED) === 0 ? sequence === dropping : sequence <= dropping;
	}

	/** Whether any mark is set. After {@link readSummary}. */
	get isMarked(): boolean {
		return this.summary[SUMMARY_FLAGS] > FLAGS;
	}

	/** There may be records with other numbers, which could not be read. After {@link readSummary}. */
	get hasUnread(): boolean {
		return (this.summary[SUMMARY_FLAGS] & FLAG_FLASH_UNREAD) !== 0;
	}

	/** Adds {@link MARK_DAMAGED} to the summary, if there is one. */
	markDamaged(): void {
		if (!this.readSummary()) return;
		this.summary[SUMMARY_FLAGS] |= MARK_DAMAGED;
		this.store();
	}

	get isDamaged(): boolean {
		return (this.summary[SUMMARY_FLAGS] & MARK_DAMAGED) !== 0;
	}

	/**
	 * Writes a summary that says the same of what was dropped last as the one before.
	 * @param marks beside {@link MARK_ALL_DROPPED}
	 */
	rewriteSummary(header: Uint32Array, marks = 0): void {
		const { summary } = this;
		this.writeSummary(header, summary[SUMMARY_DROPPING], (summary[SUMMARY_FLAGS] & MARK_ALL_DROPPED) | marks);
	}

	/**
	 * During a restore it keeps the summary's word on whose reports these are.
	 * @param header words of the retained header
	 * @param dropping the report that is about to be dropped; 0: none
	 */
	writeSummary(header: Uint32Array, dropping: number, marks = 0): void {
		this.readSummary();
		if (!this.known) return;
		const { summary } = this;
		if ((marks & MARK_RESTORING) === 0) {
			summary[SUMMARY_SENSORS] = header[WORD_SENSORS_HASH];
			summary[SUMMARY_BROKER] = header[WORD_BROKER_HASH];
			summary[SUMMARY_FLAGS] = header[WORD_FLAGS];
		}
		summary[SUMMARY_SEQUENCE] = header[WORD_SEQUENCE];
		summary[SUMMARY_FLAGS] = (summary[SUMMARY_FLAGS] & FLAGS) | marks;
		for (let i = 0; i < DROP_COUNTERS; i++) summary[SUMMARY_DROPPED + i] = header[WORD_DROPPED + i];
		summary[SUMMARY_DROPPING] = dropping;
		this.store();
	}

	/** Deletes the summary, also if it cannot be read. @returns whether there is none any more */
	deleteSummary(): boolean {
		const { summary } = this;
		if (!this.deleteKey(EVEN_KEY) || !this.deleteKey(ODD_KEY)) return false;
		summary.fill(0);
		this.known = true;
		return true;
	}

	private store(): void {
		const { summary } = this;
		summary[COUNT]++;
		summary[VERSION] = LAYOUT_VERSION;
		summary[CHECKSUM] = 0;
		summary[CHECKSUM] = mix32(summary);
		this.writeKey(summary[COUNT] % 2 === 0 ? EVEN_KEY : ODD_KEY, this.summaryBytes);
	}

	/**
	 * Loads a summary, if it is intact and newer than the one that was loaded before.
	 * @returns false: it cannot be read
	 */
	private load(key: string): boolean {
		const { summary } = this;
		const bytes = new Uint8Array(WORDS * 4);
		const length = this.readKey(key, bytes);
		if (length === UNREADABLE) return false;
		if (length !== WORDS * 4 && length !== EARLIER_WORDS * 4) return true;
		const found = new Uint32Array(bytes.buffer);
		const checksum = found[CHECKSUM];
		found[CHECKSUM] = 0;
		const isIntact = mix32(found.subarray(0, length / 4)) === checksum && found[VERSION] === LAYOUT_VERSION;
		if (isIntact && found[COUNT] > summary[COUNT]) summary.set(found);
		return true;
	}
}
