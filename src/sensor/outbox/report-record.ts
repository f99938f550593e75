import { CRC_START, crc16 } from "../../text/crc16";
import { Decimal } from "../../text/decimal";

/** Bytes of the longest record: its length is stored in one byte. */
export const RECORD_LIMIT = 255;
/** Bytes before the first value. */
export const RECORD_HEADER = 14;
/** Maximum bytes of one value. */
export const VALUE_LIMIT = 10;

// Layout: length (1), state (1), CRC-16 of all bytes except itself and the state (2), sequence number (4),
// time (6, milliseconds, little-endian, top bit: counted from the first start instead of 1970), then the
// values.
export const OFFSET_LENGTH = 0;
export const OFFSET_STATE = 1;
const OFFSET_CRC = 2;
export const OFFSET_SEQUENCE = 4;
const OFFSET_TIME = 8;

/**
 * Pending, never sent. A state is one byte, so that a reset cannot tear its change; the CRC does not cover
 * it.
 */
export const STATE_UNSENT = 0x5a;
/** Pending, sent at least once: sent again, it may arrive twice. */
export const STATE_SENT = 0x3c;
/**
 * Pending, and taken by the broker with PUBREC: not sent again, PUBREL is. Firmware that does not know this
 * state takes it for STATE_SENT.
 */
export const STATE_RECEIVED = 0x66;
/** Pending, sent, and refused by the broker: sent again, it is a new message. */
export const STATE_REFUSED = 0xa5;
/**
 * Pending, and larger than the broker's packets may be: not sent until another limit applies. Firmware that
 * does not know this state takes it for STATE_SENT.
 */
export const STATE_OVERSIZED = 0x99;
/**
 * Pending, and sent in the message of an earlier report of its topic: on a new connection it is sent again in
 * that message, or in a new one. Firmware that does not know this state takes it for STATE_SENT.
 */
export const STATE_JOINED = 0x69;
/** Being dropped: pending until the commit that counts it, and dead from then on. */
export const STATE_DROPPING = 0xc3;
/** Acknowledged or dropped: its room is freed once it is the oldest. */
export const STATE_DEAD = 0x00;

export type RecordState =
	| typeof STATE_UNSENT
	| typeof STATE_SENT
	| typeof STATE_RECEIVED
	| typeof STATE_REFUSED
	| typeof STATE_OVERSIZED
	| typeof STATE_JOINED
	| typeof STATE_DROPPING
	| typeof STATE_DEAD;

/** Whether a state byte is valid; any other value results from damage. */
export function isKnownState(state: number): state is RecordState {
	return (
		state === STATE_UNSENT ||
		state === STATE_SENT ||
		state === STATE_RECEIVED ||
		state === STATE_REFUSED ||
		state === STATE_OVERSIZED ||
		state === STATE_DEAD ||
		state === STATE_DROPPING ||
		state === STATE_JOINED
	);
}

/** With {@link ReportRecord.relative}: when the sample was taken cannot be told any more. */
export const TIME_UNKNOWN = 0x7fff_ffff_ffff;

const TIME_RELATIVE = 0x8000;
const TWO_32 = 0x1_0000_0000;

/**
 * In the second byte of a value, the scale lies above the size in bytes: 0 … 22 for decimals, or one of
 * these.
 */
const SCALE_SHIFT = 3;
const FLOAT = 31 << SCALE_SHIFT;

/**
 * One report as stored in the outbox: sequence number, time, and for each value the index of its sensor and
 * the number without loss, as a decimal of as few bytes as possible or, if it has more than 15 digits, as a
 * double. Reusable; allocates nothing after its first double.
 */
export class ReportRecord {
	readonly bytes: Uint8Array;
	length = 0;
	/** 0: {@link bytes} hold no whole record. */
	sequence = 0;
	/** ms since 1970, or since the node's first start where {@link relative}. */
	time = 0;
	/** Whether it was sampled before wall time was known. */
	relative = false;

	/** Index of the sensor of the value that {@link nextValue} found. */
	sensor = 0;
	/** Whether the value is in {@link decimal}; otherwise it is in {@link float}. */
	isDecimal = false;
	readonly decimal = new Decimal();
	get float(): number {
		return this.double === undefined ? NaN : this.double[0];
	}

	/** One double and its bytes, created when first needed: few numbers are not decimals. */
	private double: Float64Array<ArrayBuffer> | undefined;
	private doubleBytes: Uint8Array | undefined;
	private position = 0;
	/** Where in {@link bytes} the value in {@link decimal} or {@link float} is; 0: it is none of them. */
	private valueAt = 0;

	/** @param limit bytes of the longest one */
	constructor(limit = RECORD_LIMIT) {
		this.bytes = new Uint8Array(limit < RECORD_LIMIT ? limit : RECORD_LIMIT);
	}

	/** Starts a record, which {@link addValue} fills and {@link seal} completes. */
	reset(time: number, relative: boolean): void {
		this.length = RECORD_HEADER;
		this.sequence = 0;
		this.time = Math.round(time);
		this.relative = relative;
	}

	/** Returns false if the record is full: the value then belongs to the next one. */
	addValue(sensor: number, value: number): boolean {
		let at = this.length;
		const bytes = this.bytes;
		const decimal = this.decimal;
		if (at + VALUE_LIMIT > bytes.length) return false;
		this.valueAt = at;
		this.sensor = sensor;
		bytes[at] = sensor;
		const tag = at + 1;
		at += 2;
		const isDecimal = decimal.set(value) && decimal.scale >= 0;
		this.isDecimal = isDecimal;
		if (isDecimal) {
			let mantissa = decimal.mantissa;
			// Two's complement in the fewest bytes that keep the sign.
			while (mantissa > 0x3fffffff || mantissa < -0x40000000) {
				const quotient = Math.floor(mantissa / 256);
				bytes[at++] = mantissa - quotient * 256;
				mantissa = quotient;
			}
			while (mantissa > 127 || mantissa < -128) {
				bytes[at++] = mantissa;
				mantissa >>= 8;
			}
			if (mantissa !== 0 || at > tag + 1) bytes[at++] = mantissa;
			bytes[tag] = (decimal.scale << SCALE_SHIFT) | (at - tag - 1);
		} else {
			const floatBytes = this.makeFloatBytes();
			(this.double as Float64Array)[0] = value;
			bytes[tag] = FLOAT;
			bytes.set(floatBytes, at);
			at += 8;
		}
		this.length = at;
		return true;
	}

	/** Writes the header before the values. */
	seal(sequence: number): void {
		const bytes = this.bytes;
		const length = this.length;
		this.sequence = sequence;
		bytes[OFFSET_LENGTH] = length;
		bytes[OFFSET_STATE] = STATE_UNSENT;
		bytes[OFFSET_SEQUENCE] = sequence;
		bytes[OFFSET_SEQUENCE + 1] = sequence >>> 8;
		bytes[OFFSET_SEQUENCE + 2] = sequence >>> 16;
		bytes[OFFSET_SEQUENCE + 3] = sequence >>> 24;
		const high = Math.floor(this.time / TWO_32);
		const low = this.time - high * TWO_32;
		bytes[OFFSET_TIME] = low;
		bytes[OFFSET_TIME + 1] = low >>> 8;
		bytes[OFFSET_TIME + 2] = low >>> 16;
		bytes[OFFSET_TIME + 3] = low >>> 24;
		const flagged = this.relative ? high | TIME_RELATIVE : high;
		bytes[OFFSET_TIME + 4] = flagged;
		bytes[OFFSET_TIME + 5] = flagged >> 8;
		this.writeCrc();
	}

	/** Parses the record in {@link bytes}; false if it is damaged. */
	parse(): boolean {
		const { bytes } = this;
		const length = bytes[OFFSET_LENGTH];
		this.length = length;
		this.sequence = this.valueAt = 0;
		if (length < RECORD_HEADER || length > bytes.length) return false;
		const low8 = bytes[OFFSET_CRC];
		const high8 = bytes[OFFSET_CRC + 1];
		this.writeCrc();
		if (bytes[OFFSET_CRC] !== low8 || bytes[OFFSET_CRC + 1] !== high8) return false;
		this.sequence =
			(bytes[OFFSET_SEQUENCE] |
				(bytes[OFFSET_SEQUENCE + 1] << 8) |
				(bytes[OFFSET_SEQUENCE + 2] << 16) |
				(bytes[OFFSET_SEQUENCE + 3] << 24)) >>>
			0;
		const high = bytes[OFFSET_TIME + 4] | (bytes[OFFSET_TIME + 5] << 8);
		this.relative = high >= TIME_RELATIVE;
		const low =
			(bytes[OFFSET_TIME] |
				(bytes[OFFSET_TIME + 1] << 8) |
				(bytes[OFFSET_TIME + 2] << 16) |
				(bytes[OFFSET_TIME + 3] << 24)) >>>
			0;
		this.time = (high & 0x7fff) * TWO_32 + low;
		this.position = RECORD_HEADER;
		return true;
	}

	/** Whether a parsed record was sent before. */
	get wasSent(): boolean {
		const state = this.bytes[OFFSET_STATE];
		return state !== STATE_UNSENT && state !== STATE_OVERSIZED;
	}

	/** Whether a parsed record is larger than the broker's packets may be. */
	get isOversized(): boolean {
		return this.bytes[OFFSET_STATE] === STATE_OVERSIZED;
	}

	/** Whether a parsed record was sent and not answered. */
	get isUnanswered(): boolean {
		return this.bytes[OFFSET_STATE] === STATE_SENT;
	}

	/** Whether the broker has a parsed record, and waits for PUBREL. */
	get isReceived(): boolean {
		return this.bytes[OFFSET_STATE] === STATE_RECEIVED;
	}

	/** As a record that was just parsed. @param state that the outbox has of it */
	beginAgain(state: number): void {
		this.bytes[OFFSET_STATE] = state;
		this.position = RECORD_HEADER;
	}

	/** Moves to before the first value. */
	rewindValues(): void {
		this.position = RECORD_HEADER;
	}

	/** {@link decimal} for another number: it holds no value of the record then. */
	borrowDecimal(): Decimal {
		this.valueAt = 0;
		return this.decimal;
	}

	/** Makes the first value, which each record has, the one that was found. */
	readFirstValue(): void {
		// It is still there from addValue(), where the record has no other and was not read from the outbox.
		if (this.valueAt === RECORD_HEADER) return;
		this.rewindValues();
		this.nextValue();
	}

	/** Moves to the next value; false after the last. */
	nextValue(): boolean {
		const bytes = this.bytes;
		const decimal = this.decimal;
		const at = this.position;
		if (at + 2 > this.length) return false;
		this.valueAt = at;
		this.sensor = bytes[at];
		const tag = bytes[at + 1];
		if (tag === FLOAT) {
			this.isDecimal = false;
			const floatBytes = this.makeFloatBytes();
			for (let i = 0; i < 8; i++) floatBytes[i] = bytes[at + 2 + i];
			this.position = at + 10;
			return true;
		}
		const size = tag & 7;
		let index = at + 1 + size;
		let mantissa = 0;
		if (size > 0) {
			mantissa = (bytes[index] << 24) >> 24;
			if (size <= 4) while (--index > at + 1) mantissa = (mantissa << 8) | bytes[index];
			else while (--index > at + 1) mantissa = mantissa * 256 + bytes[index];
		}
		decimal.mantissa = mantissa;
		decimal.scale = tag >> SCALE_SHIFT;
		this.isDecimal = true;
		this.position = at + 2 + size;
		return true;
	}

	private makeFloatBytes(): Uint8Array {
		this.double ??= new Float64Array(1);
		this.doubleBytes ??= new Uint8Array(this.double.buffer);
		return this.doubleBytes;
	}

	private writeCrc(): void {
		const bytes = this.bytes;
		const length = this.length;
		// In front of what follows, so that both are one run
		bytes[OFFSET_SEQUENCE - 1] = length;
		const crc = crc16(bytes, OFFSET_SEQUENCE - 1, length, CRC_START);
		bytes[OFFSET_CRC] = crc;
		bytes[OFFSET_CRC + 1] = crc >> 8;
	}
}
