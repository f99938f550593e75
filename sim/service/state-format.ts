import { crc32 } from "../../src/text/crc32";

/** First bytes of the file, before the format version. */
const MAGIC = Buffer.from("firefly", "latin1");
const MAGIC_SIZE = MAGIC.length + 1;
/** Version without markers, which is read and then rewritten. */
const UNMARKED_VERSION = 1;
const VERSION = 2;
const MARKER_SIZE = 4;
/** Magic, version, marker of this file, and CRC-32 of these. */
export const FILE_HEADER_SIZE = MAGIC_SIZE + MARKER_SIZE + 4;
/**
 * Header of a record, after its marker: CRC-32 of all that follows (4 bytes), length of the key (1), length
 * of the value (4). Key and value follow.
 */
const RECORD_HEADER_SIZE = 9;
/** Value length that marks a deleted key. */
const DELETED = 0xffff_ffff;
/** Longest key: a path and a key of DirectoryStorage. */
export const MAX_KEY_LENGTH = 31;
/** Bytes of the magic from which a file without a record counts as a damaged one of ours. */
const RECOGNISED_MAGIC = 4;

/**
 * Random bytes of one file, before each of its records. Without them a damaged record whose value contains a
 * copy of a record, which a client may have published, would be read as that record. Undefined: a file of
 * {@link UNMARKED_VERSION}.
 */
export type Marker = Buffer | undefined;

/** An undamaged record. */
export interface StateRecord {
	readonly key: string;
	/** Range of the value in the file; undefined if the record deletes the key. */
	readonly value: { readonly offset: number; readonly length: number } | undefined;
}

/** Bytes [start, end) of a file. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

/** What a file contains. */
export interface StateScan {
	readonly marker: Marker;
	/** In the order of writing. */
	readonly records: readonly StateRecord[];
	/** Ranges that are no records, except an interrupted write at the end. */
	readonly damaged: readonly ByteRange[];
	/** Length without an interrupted write. */
	readonly size: number;
	/** Whether the file is of {@link VERSION}, or empty. */
	readonly current: boolean;
}

/** A file that another program, or another version of this one, has written. */
export class ForeignFileError extends Error {
	override readonly name = "ForeignFileError";
}

/** Header of a file with this marker. */
export function encodeFileHeader(marker: Buffer): Buffer {
	const bytes = Buffer.concat([MAGIC, Buffer.of(VERSION), marker, Buffer.alloc(4)]);
	bytes.writeUInt32LE(crc32(bytes, 0, FILE_HEADER_SIZE - 4), FILE_HEADER_SIZE - 4);
	return bytes;
}

/** @param value undefined: the key is deleted */
export function encodeRecord(marker: Marker, key: string, value: Uint8Array | undefined): Buffer {
	const start = marker?.length ?? 0;
	const bytes = Buffer.allocUnsafe(recordSize(marker, key, value?.length ?? 0));
	marker?.copy(bytes);
	bytes[start + 4] = key.length;
	bytes.writeUInt32LE(value?.length ?? DELETED, start + 5);
	bytes.write(key, start + RECORD_HEADER_SIZE, "latin1");
	if (value !== undefined) bytes.set(value, start + RECORD_HEADER_SIZE + key.length);
	bytes.writeUInt32LE(crc32(bytes, start + 4, bytes.length), start);
	return bytes;
}

/** Bytes of a record with a value of `length` bytes. */
export function recordSize(marker: Marker, key: string, length: number): number {
	return (marker?.length ?? 0) + RECORD_HEADER_SIZE + key.length + length;
}

/**
 * Finds all undamaged records of a file, those after damaged ranges included.
 * @throws {ForeignFileError}
 */
export function scanState(bytes: Buffer): StateScan {
	const { marker, start, intact } = readFileHeader(bytes);
	const records: StateRecord[] = [];
	const damaged: ByteRange[] = [];
	const skipped = marker?.length ?? 0;
	let size = start;
	for (let at = start; at < bytes.length; ) {
		// A record directly after another one begins here even if its marker is damaged.
		const end = recordEnd(bytes, at + skipped);
		if (end !== undefined) {
			if (marker !== undefined && !marker.equals(bytes.subarray(at, at + skipped)))
				damaged.push({ start: at, end: at + skipped });
			records.push(readRecord(bytes, at + skipped, end));
			at = end;
			size = end;
			continue;
		}
		const next = findRecord(bytes, at + 1, marker);
		if (next === undefined && isInterruptedWrite(bytes, at, marker)) break;
		damaged.push({ start: at, end: next ?? bytes.length });
		at = next ?? bytes.length;
		size = at;
	}
	if (intact) return { marker, records, damaged, size, current: marker !== undefined || bytes.length === 0 };
	if (records.length === 0) assertOurs(bytes);
	// At 0 no record begins, so that the first range includes the header.
	if (damaged.length === 0) damaged.push({ start: 0, end: bytes.length });
	return { marker, records, damaged, size: Math.max(size, damaged[0]!.end), current: false };
}

function readFileHeader(bytes: Buffer): { marker: Marker; start: number; intact: boolean } {
	const marker = bytes.subarray(MAGIC_SIZE, MAGIC_SIZE + MARKER_SIZE);
	if (marker.length === MARKER_SIZE) {
		const expected = encodeFileHeader(marker);
		if (expected.equals(bytes.subarray(0, FILE_HEADER_SIZE)))
			return { marker, start: FILE_HEADER_SIZE, intact: true };
		// The creation of the file was interrupted.
		if (bytes.length < FILE_HEADER_SIZE && bytes.equals(expected.subarray(0, bytes.length)))
			return { marker: undefined, start: bytes.length, intact: true };
	}
	const magic = bytes.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, bytes.length));
	if (magic && bytes.length <= MAGIC.length) return { marker: undefined, start: bytes.length, intact: true };
	if (magic && bytes.length <= MAGIC_SIZE + MARKER_SIZE && bytes[MAGIC.length] === VERSION)
		return { marker: undefined, start: bytes.length, intact: true };
	if (magic && bytes[MAGIC.length] === UNMARKED_VERSION)
		return { marker: undefined, start: MAGIC_SIZE, intact: true };
	return { marker: commonMarker(bytes), start: 0, intact: false };
}

/** The marker that all records of a file with a damaged header have; undefined if they have none. */
function commonMarker(bytes: Buffer): Marker {
	let common: Buffer | undefined;
	let previousEnd = 0;
	for (let at = MARKER_SIZE; at < bytes.length; ) {
		const end = recordEnd(bytes, at);
		if (end === undefined) {
			at++;
			continue;
		}
		const marker = bytes.subarray(at - MARKER_SIZE, at);
		common ??= marker;
		if (at - MARKER_SIZE < previousEnd || !marker.equals(common)) return undefined;
		previousEnd = end;
		at = end;
	}
	return common;
}

/** The end of the record whose header, after the marker, is at `at`; undefined if there is no valid one. */
function recordEnd(bytes: Buffer, at: number): number | undefined {
	const end = claimedEnd(bytes, at);
	if (end === undefined || end > bytes.length || bytes.readUInt32LE(at) !== crc32(bytes, at + 4, end))
		return undefined;
	return end;
}

/** The end of a record according to its header; undefined if that is incomplete or impossible. */
function claimedEnd(bytes: Buffer, at: number): number | undefined {
	const key = at + RECORD_HEADER_SIZE;
	if (key > bytes.length) return undefined;
	const keyLength = bytes[at + 4]!;
	if (keyLength === 0 || keyLength > MAX_KEY_LENGTH) return undefined;
	for (let i = key; i < Math.min(key + keyLength, bytes.length); i++)
		if (!isKeyByte(bytes[i]!)) return undefined;
	const length = bytes.readUInt32LE(at + 5);
	return key + keyLength + (length === DELETED ? 0 : length);
}

/** Letters, digits, `-`, `_` and `/`. */
function isKeyByte(byte: number): boolean {
	return (
		(byte >= 0x61 && byte <= 0x7a) ||
		(byte >= 0x41 && byte <= 0x5a) ||
		(byte >= 0x2f && byte <= 0x39) ||
		byte === 0x2d ||
		byte === 0x5f
	);
}

function readRecord(bytes: Buffer, at: number, end: number): StateRecord {
	const offset = at + RECORD_HEADER_SIZE + bytes[at + 4]!;
	const key = bytes.toString("latin1", at + RECORD_HEADER_SIZE, offset);
	const deleted = bytes.readUInt32LE(at + 5) === DELETED;
	return { key, value: deleted ? undefined : { offset, length: end - offset } };
}

/** The first record at or after `from`, which is not known to be the beginning of one. */
function findRecord(bytes: Buffer, from: number, marker: Marker): number | undefined {
	if (marker === undefined) {
		for (let at = from; at < bytes.length; at++) if (recordEnd(bytes, at) !== undefined) return at;
		return undefined;
	}
	for (let at = bytes.indexOf(marker, from); at >= 0; at = bytes.indexOf(marker, at + 1))
		if (recordEnd(bytes, at + marker.length) !== undefined) return at;
	return undefined;
}

/** Whether the bytes from `at` are the beginning of a record that is longer than the rest of the file. */
function isInterruptedWrite(bytes: Buffer, at: number, marker: Marker): boolean {
	const skipped = marker?.length ?? 0;
	const rest = bytes.subarray(at, at + skipped);
	if (marker !== undefined && !rest.equals(marker.subarray(0, rest.length))) return false;
	if (bytes.length - at < skipped + RECORD_HEADER_SIZE) return true;
	return (claimedEnd(bytes, at + skipped) ?? 0) > bytes.length;
}

/** @throws {ForeignFileError} if a file without a record is not a damaged one of ours */
function assertOurs(bytes: Buffer): void {
	const header = bytes.subarray(0, MAGIC.length);
	if (header.equals(MAGIC)) {
		if (bytes[MAGIC.length] !== VERSION)
			throw new ForeignFileError("was written by a broker of another version");
		return;
	}
	const recognised = MAGIC.reduce((count, byte, i) => count + (byte === header[i] ? 1 : 0), 0);
	if (recognised < RECOGNISED_MAGIC && header.some((byte) => byte !== 0))
		throw new ForeignFileError("is not what a broker has written");
}
