import type { Device, Storage } from "../../device";
import { mix32 } from "../retained/checksum";
import {
	DROP_COUNTERS,
	LAYOUT_VERSION,
	WORD_BROKER_HASH,
	WORD_DROPPED,
	WORD_FLAGS,
	WORD_SENSORS_HASH,
	WORD_SEQUENCE,
} from "../retained/layout";
import { isKnownState, type RecordState, type ReportRecord, STATE_UNSENT } from "./report-record";

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
const WORDS = 12;

// Marks beside the flags of the retained header, whose bits are lower
/** {@link SUMMARY_DROPPING} stands for all reports up to it. */
export const MARK_ALL_DROPPED = 0x2000_0000;
/** Records are being put back into retained memory, which lacks some until that has ended. */
export const MARK_RESTORING = 0x4000_0000;
/** Beside it: node time has begun anew before. */
export const MARK_TIME_LOST = 0x1000_0000;
/** The supply was away: what retained memory lacks was not looked for yet. */
export const MARK_DAMAGED = 0x0800_0000;
const FLAGS = 0xff;

/** Storage of the outbox, and the keys of its summary, which are written in turn. */
const PATH = "outbox";
const EVEN_KEY = "ma";
const ODD_KEY = "mb";

/** Bytes of a state: sequence number, the state, and its complement. */
const STATE_SIZE = 6;

/**
 * What the outbox has left in flash does not count any more: without its summary no record does. For a node
 * whose outbox is not in flash, or not any more; otherwise its old reports would be sent, once it is again.
 */
export function forgetRecords({ storage }: Pick<Device, "storage">): void {
	let opened: Storage | undefined;
	try {
		opened = storage?.open({ path: PATH, format: "buffer" });
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
 * The outbox's copy in key-value storage: a key for each record, and a summary under two keys in turn. A
 * write that a loss of power interrupts leaves a wrong CRC, which counts as nothing: a record's is that of
 * the outbox.
 *
 * If the storage fails, reports are still in retained memory; it says so once.
 */
export class FlashRecords {
	/** Words of the summary that {@link readSummary} or {@link writeSummary} had last. */
	readonly summary = new Uint32Array(WORDS);
	private readonly device: Pick<Device, "storage" | "trace">;
	private readonly summaryBytes: Uint8Array;
	private readonly state = new Uint8Array(STATE_SIZE);
	private storage: Storage | undefined;
	/** Whether the summary in storage was looked for. */
	private known = false;
	private failed = false;

	constructor(device: Pick<Device, "storage" | "trace">) {
		this.device = device;
		this.summaryBytes = new Uint8Array(this.summary.buffer);
	}

	/** Reads the record of a slot; false: there is none, or it is damaged. */
	read(slot: number, record: ReportRecord): boolean {
		try {
			const length = this.open()?.read(`r${slot}`, record.bytes);
			return length !== undefined && record.parse() && record.length === length;
		} catch (error) {
			this.fail(error);
			return false;
		}
	}

	/** @param record with all its bytes */
	write(slot: number, record: ReportRecord): void {
		try {
			this.open()?.write(`r${slot}`, record.bytes.subarray(0, record.bytes[0]));
		} catch (error) {
			this.fail(error);
		}
	}

	delete(slot: number): void {
		try {
			this.open()?.delete(`r${slot}`);
		} catch (error) {
			this.fail(error);
		}
	}

	/** State of a record's delivery; that of one which was never sent, if no other is known. */
	readState(slot: number, sequence: number): RecordState {
		const bytes = this.state;
		try {
			if (this.open()?.read(`t${slot}`, bytes) !== STATE_SIZE) return STATE_UNSENT;
		} catch (error) {
			this.fail(error);
			return STATE_UNSENT;
		}
		const state = bytes[4];
		const of = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
		return of === sequence && bytes[5] === (state ^ 0xff) && isKnownState(state) ? state : STATE_UNSENT;
	}

	/** An interrupted write leaves {@link STATE_UNSENT}: the report is sent again, under its identifier. */
	writeState(slot: number, sequence: number, state: number): void {
		const bytes = this.state;
		for (let i = 0; i < 4; i++) bytes[i] = sequence >>> (8 * i);
		bytes[4] = state;
		bytes[5] = state ^ 0xff;
		try {
			this.open()?.write(`t${slot}`, bytes);
		} catch (error) {
			this.fail(error);
		}
	}

	deleteState(slot: number): void {
		try {
			this.open()?.delete(`t${slot}`);
		} catch (error) {
			this.fail(error);
		}
	}

	/** Whether there is a summary; it is then in {@link summary}. */
	readSummary(): boolean {
		const { summary } = this;
		if (!this.known) {
			this.known = true;
			this.load(EVEN_KEY);
			this.load(ODD_KEY);
		}
		return summary[COUNT] > 0;
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
	rewriteSummary(words: Uint32Array, marks = 0): void {
		const { summary } = this;
		this.writeSummary(words, summary[SUMMARY_DROPPING], (summary[SUMMARY_FLAGS] & MARK_ALL_DROPPED) | marks);
	}

	/**
	 * During a restore it keeps the summary's word on whose reports these are.
	 * @param words of the retained header
	 * @param dropping the report that is about to be dropped; 0: none
	 */
	writeSummary(words: Uint32Array, dropping: number, marks = 0): void {
		this.readSummary();
		const { summary } = this;
		if ((marks & MARK_RESTORING) === 0) {
			summary[SUMMARY_SENSORS] = words[WORD_SENSORS_HASH];
			summary[SUMMARY_BROKER] = words[WORD_BROKER_HASH];
			summary[SUMMARY_FLAGS] = words[WORD_FLAGS];
		}
		summary[SUMMARY_SEQUENCE] = words[WORD_SEQUENCE];
		summary[SUMMARY_FLAGS] = (summary[SUMMARY_FLAGS] & FLAGS) | marks;
		for (let i = 0; i < DROP_COUNTERS; i++) summary[SUMMARY_DROPPED + i] = words[WORD_DROPPED + i];
		summary[SUMMARY_DROPPING] = dropping;
		this.store();
	}

	private store(): void {
		const { summary } = this;
		summary[COUNT]++;
		summary[VERSION] = LAYOUT_VERSION;
		summary[CHECKSUM] = 0;
		summary[CHECKSUM] = mix32(summary);
		try {
			this.open()?.write(summary[COUNT] % 2 === 0 ? EVEN_KEY : ODD_KEY, this.summaryBytes);
		} catch (error) {
			this.fail(error);
		}
	}

	/** Loads a summary, if it is intact and newer than the one that was loaded before. */
	private load(key: string): void {
		const { summary } = this;
		const bytes = new Uint8Array(WORDS * 4);
		try {
			if (this.open()?.read(key, bytes) !== bytes.length) return;
		} catch (error) {
			this.fail(error);
			return;
		}
		const words = new Uint32Array(bytes.buffer);
		const checksum = words[CHECKSUM];
		words[CHECKSUM] = 0;
		if (mix32(words) !== checksum || words[VERSION] !== LAYOUT_VERSION) return;
		if (words[COUNT] > summary[COUNT]) summary.set(words);
	}

	private open(): Storage | undefined {
		if (this.storage === undefined && !this.failed) {
			this.storage = this.device.storage?.open({ path: PATH, format: "buffer" });
			if (this.storage === undefined) this.fail(new Error("the host has none"));
		}
		return this.storage;
	}

	private fail(error: unknown): void {
		if (this.failed) return;
		this.failed = true;
		this.device.trace(`storage: ${error}; until it works, a loss of power loses reports`);
	}
}
