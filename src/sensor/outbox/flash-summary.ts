import type { Device, Storage } from "../../device";
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
import { type FlashStorage, OUTBOX_PATH, UNREADABLE } from "./flash-storage";

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
	let opened: Storage | undefined;
	try {
		opened = storage?.open({ path: OUTBOX_PATH, format: "buffer" });
		opened?.delete(EVEN_KEY);
		opened?.delete(ODD_KEY);
		opened?.sync?.();
	} catch {
		// Storage that does not work has nothing that could be read later.
	} finally {
		opened?.close();
	}
}

/**
 * What the records in flash mean: of which sensors they are, and which of them count. It is in key-value
 * storage, under two keys in turn. While one of these cannot be read, nothing is known, and nothing written.
 */
export class FlashSummary {
	/** What {@link read} or {@link write} had last. */
	readonly words = new Uint32Array(WORDS);
	private readonly storage: FlashStorage;
	private readonly bytes: Uint8Array;
	/** Whether the summary in storage was looked for. */
	private known = false;

	constructor(storage: FlashStorage) {
		this.storage = storage;
		this.bytes = new Uint8Array(this.words.buffer);
	}

	/** Whether there is a summary; it is then in {@link words}. */
	read(): boolean {
		if (!this.known) {
			this.words.fill(0);
			this.known = this.load(EVEN_KEY) && this.load(ODD_KEY);
		}
		return this.known && this.words[COUNT] > 0;
	}

	/** Whether it cannot be read now. */
	get isUnreadable(): boolean {
		this.read();
		return !this.known;
	}

	/** Whether it is of these sensors. After {@link read}. @param header words of the retained header */
	isOf(header: Uint32Array): boolean {
		return this.words[SUMMARY_SENSORS] === header[WORD_SENSORS_HASH];
	}

	/** The marks of a restore that has begun and not ended; 0: there is none. After {@link read}. */
	get restoreMarks(): number {
		const flags = this.words[SUMMARY_FLAGS];
		return (flags & MARK_RESTORING) === 0 ? 0 : flags & (MARK_RESTORING | MARK_TIME_LOST);
	}

	/** Whether a report was dropped and counted, so that its record is only to be deleted. */
	isDropped(sequence: number): boolean {
		const { words } = this;
		const dropping = words[SUMMARY_DROPPING];
		return (words[SUMMARY_FLAGS] & MARK_ALL_DROPPED) === 0 ? sequence === dropping : sequence <= dropping;
	}

	/** Whether any mark is set. After {@link read}. */
	get isMarked(): boolean {
		return this.words[SUMMARY_FLAGS] > FLAGS;
	}

	/** Records may be there of reports with other numbers, which could not be read. After {@link read}. */
	get hasUnread(): boolean {
		return (this.words[SUMMARY_FLAGS] & FLAG_FLASH_UNREAD) !== 0;
	}

	/** Adds {@link MARK_DAMAGED} to the summary, if there is one. */
	markDamaged(): void {
		if (!this.read()) return;
		this.words[SUMMARY_FLAGS] |= MARK_DAMAGED;
		this.store();
	}

	get isDamaged(): boolean {
		return (this.words[SUMMARY_FLAGS] & MARK_DAMAGED) !== 0;
	}

	/**
	 * Writes a summary that says the same of what was dropped last as the one before.
	 * @param marks beside {@link MARK_ALL_DROPPED}
	 */
	rewrite(header: Uint32Array, marks = 0): void {
		const { words } = this;
		this.write(header, words[SUMMARY_DROPPING], (words[SUMMARY_FLAGS] & MARK_ALL_DROPPED) | marks);
	}

	/**
	 * During a restore it keeps the summary's word on whose reports these are.
	 * @param header words of the retained header
	 * @param dropping the report that is about to be dropped; 0: none
	 */
	write(header: Uint32Array, dropping: number, marks = 0): void {
		if (this.isUnreadable) return;
		const { words } = this;
		if ((marks & MARK_RESTORING) === 0) {
			words[SUMMARY_SENSORS] = header[WORD_SENSORS_HASH];
			words[SUMMARY_BROKER] = header[WORD_BROKER_HASH];
			words[SUMMARY_FLAGS] = header[WORD_FLAGS];
		}
		words[SUMMARY_SEQUENCE] = header[WORD_SEQUENCE];
		words[SUMMARY_FLAGS] = (words[SUMMARY_FLAGS] & FLAGS) | marks;
		for (let i = 0; i < DROP_COUNTERS; i++) words[SUMMARY_DROPPED + i] = header[WORD_DROPPED + i];
		words[SUMMARY_DROPPING] = dropping;
		this.store();
	}

	/** Deletes it, also if it cannot be read. @returns whether there is none any more */
	delete(): boolean {
		const { storage, words } = this;
		if (!storage.delete(EVEN_KEY) || !storage.delete(ODD_KEY)) return false;
		words.fill(0);
		this.known = true;
		return true;
	}

	private store(): void {
		const { words } = this;
		words[COUNT]++;
		words[VERSION] = LAYOUT_VERSION;
		words[CHECKSUM] = 0;
		words[CHECKSUM] = mix32(words);
		this.storage.write(words[COUNT] % 2 === 0 ? EVEN_KEY : ODD_KEY, this.bytes);
	}

	/**
	 * Loads a summary, if it is intact and newer than the one that was loaded before.
	 * @returns false: it cannot be read
	 */
	private load(key: string): boolean {
		const { words } = this;
		const bytes = new Uint8Array(WORDS * 4);
		const length = this.storage.read(key, bytes);
		if (length === UNREADABLE) return false;
		if (length !== bytes.length && length !== EARLIER_WORDS * 4) return true;
		const found = new Uint32Array(bytes.buffer);
		const checksum = found[CHECKSUM];
		found[CHECKSUM] = 0;
		const isIntact = mix32(found.subarray(0, length / 4)) === checksum && found[VERSION] === LAYOUT_VERSION;
		if (isIntact && found[COUNT] > words[COUNT]) words.set(found);
		return true;
	}
}
