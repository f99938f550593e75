import type { Device } from "../../device";
import { UNREADABLE } from "./flash-storage";
import { FlashSummary } from "./flash-summary";
import { isKnownState, type RecordState, type ReportRecord, STATE_UNSENT } from "./report-record";

/** Bytes of a state: sequence number, the state, and its complement. */
const STATE_SIZE = 6;

// Results of reading a slot, beside UNREADABLE
/** There is no record, or none that was written as a whole. */
export const NO_RECORD = 0;
export const INTACT = 1;

/**
 * The records of the outbox in key-value storage: a key for each, and one for the state of its delivery. A
 * write that a loss of power interrupts leaves a wrong CRC, which counts as nothing: a record's is that of
 * the outbox. One object with the summary, as each takes RAM.
 */
export class FlashRecords extends FlashSummary {
	private readonly state: Uint8Array;

	constructor(device: Pick<Device, "event" | "storage" | "trace">) {
		super(device);
		this.state = new Uint8Array(STATE_SIZE);
	}

	/** Reads the record of a slot: {@link INTACT}, {@link NO_RECORD} or {@link UNREADABLE}. */
	read(slot: number, record: ReportRecord): typeof INTACT | typeof NO_RECORD | typeof UNREADABLE {
		const length = this.readKey(`r${slot}`, record.bytes);
		if (length === UNREADABLE) return UNREADABLE;
		return length > 0 && record.parse() && record.length === length ? INTACT : NO_RECORD;
	}

	/** @param record with all its bytes */
	write(slot: number, record: ReportRecord): void {
		this.writeKey(`r${slot}`, record.bytes.subarray(0, record.bytes[0]));
	}

	delete(slot: number): boolean {
		return this.deleteKey(`r${slot}`);
	}

	/**
	 * State of a record's delivery; that of one which was never sent, if no other is known; or
	 * {@link UNREADABLE}.
	 */
	readState(slot: number, sequence: number): RecordState | typeof UNREADABLE {
		const bytes = this.state;
		const length = this.readKey(`t${slot}`, bytes);
		if (length === UNREADABLE) return UNREADABLE;
		const state = bytes[4];
		const of = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
		return length === STATE_SIZE && of === sequence && bytes[5] === (state ^ 0xff) && isKnownState(state)
			? state
			: STATE_UNSENT;
	}

	/** An interrupted write leaves {@link STATE_UNSENT}: the report is sent again, under its identifier. */
	writeState(slot: number, sequence: number, state: number): void {
		const bytes = this.state;
		for (let i = 0; i < 4; i++) bytes[i] = sequence >>> (8 * i);
		bytes[4] = state;
		bytes[5] = state ^ 0xff;
		this.writeKey(`t${slot}`, bytes);
	}

	deleteState(slot: number): boolean {
		return this.deleteKey(`t${slot}`);
	}
}
