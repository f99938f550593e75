import {
	closeSync,
	fdatasyncSync,
	fsyncSync,
	ftruncateSync,
	openSync,
	readFileSync,
	readSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "../../src/text/crc32";

/** First bytes of the file; the last byte is the format version. */
const MAGIC = Buffer.from("firefly\x01", "latin1");
/**
 * Header of a record: CRC-32 of all that follows (4 bytes), length of the key (1), length of the value (4).
 * Key and value follow.
 */
const HEADER_SIZE = 9;
/** Value length that marks a deleted key. */
const DELETED = 0xffff_ffff;
/** Bytes of outdated records up to which the file is not rewritten. */
const COMPACTION_THRESHOLD = 65_536;

/** Position of a value in the file. */
interface ValueLocation {
	readonly offset: number;
	readonly length: number;
}

/**
 * Key-value store in one append-only file: the last record of a key is valid. Loading stops at the first
 * incomplete record, so a loss of power loses only the last writes. With one file a write takes 1 µs, and one
 * fsync covers thousands of writes; with a file for each key a write took 44 µs and fsync 250 µs per file.
 */
export class KeyLog {
	readonly #path: string;
	readonly #locations = new Map<string, ValueLocation>();
	#file: number;
	#size = 0;
	/** Bytes of the valid records. */
	#liveBytes = 0;
	#synced = true;

	/**
	 * @throws {Error} with a message for users if the file has another format, otherwise the system's errors
	 */
	constructor(path: string) {
		this.#path = path;
		rmSync(`${path}.new`, { force: true });
		closeSync(openSync(path, "a"));
		this.#file = openSync(path, "r+");
		try {
			this.#load(readFileSync(this.#file));
			syncDirectory(path);
		} catch (error) {
			closeSync(this.#file);
			throw error;
		}
	}

	read(key: string, buffer: Uint8Array): number | undefined {
		const location = this.#locations.get(key);
		if (location === undefined) return undefined;
		const { offset, length } = location;
		if (length > buffer.length) throw new RangeError("buffer too small");
		if (length > 0 && readSync(this.#file, buffer, 0, length, offset) < length)
			throw new Error(`${this.#path} is shorter than it was`);
		return length;
	}

	/** @throws the system's errors; the key then has its old value */
	write(key: string, value: Uint8Array): void {
		const before = this.#locations.get(key);
		const offset = this.#append(encodeRecord(key, value.length, value));
		if (before !== undefined) this.#liveBytes -= recordSize(key, before.length);
		this.#liveBytes += recordSize(key, value.length);
		this.#locations.set(key, { offset: offset + HEADER_SIZE + key.length, length: value.length });
	}

	/** @throws the system's errors; the key then has its old value */
	delete(key: string): void {
		const before = this.#locations.get(key);
		if (before === undefined) return;
		this.#append(encodeRecord(key, DELETED, new Uint8Array(0)));
		this.#liveBytes -= recordSize(key, before.length);
		this.#locations.delete(key);
	}

	/** Writes all changes to disk. Rewrites the file if most of it is outdated. */
	sync(): void {
		if (this.#synced) return;
		fdatasyncSync(this.#file);
		if (this.#size - this.#liveBytes > Math.max(COMPACTION_THRESHOLD, this.#liveBytes)) this.#compact();
		this.#synced = true;
	}

	/** Closes the file; no call may follow. */
	close(): void {
		try {
			this.sync();
		} finally {
			closeSync(this.#file);
		}
	}

	#load(bytes: Buffer): void {
		if (!MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length)))
			throw new Error(`${this.#path} is not what a broker has written, or one of another version has`);
		if (bytes.length < MAGIC.length) {
			writeAll(this.#file, MAGIC, 0);
			fdatasyncSync(this.#file);
		}
		let at = MAGIC.length;
		for (;;) {
			const end = findRecordEnd(bytes, at);
			if (end === undefined) break;
			const value = at + HEADER_SIZE + bytes[at + 4]!;
			const key = bytes.toString("latin1", at + HEADER_SIZE, value);
			const before = this.#locations.get(key);
			if (before !== undefined) this.#liveBytes -= recordSize(key, before.length);
			if (bytes.readUInt32LE(at + 5) === DELETED) this.#locations.delete(key);
			else {
				this.#locations.set(key, { offset: value, length: end - value });
				this.#liveBytes += recordSize(key, end - value);
			}
			at = end;
		}
		this.#size = at;
		// The remainder must not become valid again when a complete record is appended before it.
		if (at < bytes.length) ftruncateSync(this.#file, at);
	}

	#append(bytes: Buffer): number {
		const at = this.#size;
		try {
			writeAll(this.#file, bytes, at);
		} catch (error) {
			ftruncateSync(this.#file, at);
			throw error;
		}
		this.#size = at + bytes.length;
		this.#synced = false;
		return at;
	}

	/** Rewrites the file; keeps the old one if the disk is full. */
	#compact(): void {
		const path = `${this.#path}.new`;
		const before = readFileSync(this.#path);
		const records: Buffer[] = [MAGIC];
		for (const [key, { offset, length }] of this.#locations)
			records.push(before.subarray(offset - HEADER_SIZE - key.length, offset + length));
		const bytes = Buffer.concat(records);
		const file = writeFile(path, bytes);
		if (file === undefined) return;
		renameSync(path, this.#path);
		closeSync(this.#file);
		this.#file = file;
		this.#locations.clear();
		this.#liveBytes = 0;
		this.#load(bytes);
		// Records appended to the new file are durable only if its name is.
		syncDirectory(this.#path);
	}
}

function recordSize(key: string, length: number): number {
	return HEADER_SIZE + key.length + length;
}

/** @param length {@link DELETED}, or that of the value */
function encodeRecord(key: string, length: number, value: Uint8Array): Buffer {
	const bytes = Buffer.allocUnsafe(recordSize(key, value.length));
	bytes[4] = key.length;
	bytes.writeUInt32LE(length, 5);
	bytes.write(key, HEADER_SIZE, "latin1");
	bytes.set(value, HEADER_SIZE + key.length);
	bytes.writeUInt32LE(crc32(bytes, 4, bytes.length), 0);
	return bytes;
}

/** The end of the record at `at`; undefined if there is no complete one. */
function findRecordEnd(bytes: Buffer, at: number): number | undefined {
	if (at + HEADER_SIZE > bytes.length) return undefined;
	const length = bytes.readUInt32LE(at + 5);
	const end = at + HEADER_SIZE + bytes[at + 4]! + (length === DELETED ? 0 : length);
	if (end > bytes.length || bytes.readUInt32LE(at) !== crc32(bytes, at + 4, end)) return undefined;
	return end;
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
	for (let done = 0; done < bytes.length; )
		done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

/** Writes a file and syncs its content, not its name; undefined if it cannot be written. */
function writeFile(path: string, bytes: Uint8Array): number | undefined {
	let file: number | undefined;
	try {
		file = openSync(path, "w+");
		writeAll(file, bytes, 0);
		fsyncSync(file);
		return file;
	} catch {
		if (file !== undefined) closeSync(file);
		rmSync(path, { force: true });
		return undefined;
	}
}

/** Syncs the directory entry of a file. */
function syncDirectory(path: string): void {
	const directory = openSync(dirname(path), "r");
	try {
		fsyncSync(directory);
	} finally {
		closeSync(directory);
	}
}
