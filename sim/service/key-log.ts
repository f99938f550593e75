import { randomBytes } from "node:crypto";
import {
	closeSync,
	constants,
	copyFileSync,
	existsSync,
	fchmodSync,
	fdatasyncSync,
	fsyncSync,
	ftruncateSync,
	linkSync,
	openSync,
	readFileSync,
	readSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { dirname } from "node:path";
import {
	type ByteRange,
	encodeFileHeader,
	encodeRecord,
	type Marker,
	recordSize,
	type StateRecord,
	type StateScan,
	scanState,
} from "./state-format";

/** Bytes of outdated records up to which the file is not rewritten. */
const COMPACTION_THRESHOLD = 65_536;
/** The file holds what clients have published, with the names of users. */
const FILE_MODE = 0o600;

/** Position of a value in the file. */
interface ValueLocation {
	readonly offset: number;
	readonly length: number;
}

/** Damage found in a file. */
export interface Damage {
	readonly ranges: readonly ByteRange[];
	/** Bytes of an interrupted write at the end, which are dropped. */
	readonly interrupted: number;
	/** Keys with a value. */
	readonly restored: number;
	/** Name of the damaged file; undefined if there was no room for a new one beside it. */
	readonly keptAs: string | undefined;
}

/**
 * Key-value store in one append-only file: the last undamaged record of a key is valid. A loss of power loses
 * only the last writes, and damage only the records that it affects; a damaged file is replaced, and kept
 * under another name. With one file a write takes 1 µs, and one fsync covers thousands of writes; with a file
 * for each key a write took 44 µs and fsync 250 µs per file.
 */
export class KeyLog {
	readonly #path: string;
	readonly #onDamage: (damage: Damage) => void;
	readonly #locations = new Map<string, ValueLocation>();
	#file: number;
	/** Where the next record is appended; 0 while the file has no header. */
	#size = 0;
	/** Bytes of the valid records. */
	#liveBytes = 0;
	#marker: Marker;
	#synced = true;
	/** Whether the file is damaged or of an old version, and there was no room for another one. */
	#outdated = false;
	/** Whether damage was found since the file was opened. */
	#damaged = false;

	/**
	 * @param onDamage called when damage is found, here or later
	 * @throws {ForeignFileError} if the file has another format, otherwise the system's errors
	 */
	constructor(path: string, onDamage: (damage: Damage) => void = () => {}) {
		this.#path = path;
		this.#onDamage = onDamage;
		rmSync(`${path}.new`, { force: true });
		closeSync(openSync(path, "a", FILE_MODE));
		this.#file = openSync(path, "r+");
		try {
			restrictAccess(this.#file);
			this.#load();
			syncDirectory(path);
		} catch (error) {
			closeSync(this.#file);
			throw error;
		}
	}

	/** Whether records may be missing. */
	get damaged(): boolean {
		return this.#damaged;
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
		const end = this.#append(key, value);
		this.#apply({ key, value: { offset: end - value.length, length: value.length } });
	}

	/** @throws the system's errors; the key then has its old value */
	delete(key: string): void {
		if (!this.#locations.has(key)) return;
		this.#append(key, undefined);
		this.#apply({ key, value: undefined });
	}

	/** Writes all changes to disk. Rewrites the file if most of it is outdated. */
	sync(): void {
		if (this.#synced) return;
		fdatasyncSync(this.#file);
		if (this.#outdated || this.#size - this.#liveBytes > Math.max(COMPACTION_THRESHOLD, this.#liveBytes))
			this.#rewrite(readFileSync(this.#path));
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

	#load(): void {
		const bytes = readFileSync(this.#file);
		const scan = scanState(bytes);
		this.#adopt(scan);
		if (this.#outdated && this.#rewrite(bytes)) return;
		if (this.#size === bytes.length) return;
		// The remainder must not become valid when a record is written before it.
		ftruncateSync(this.#file, this.#size);
		if (scan.damaged.length === 0 && scan.records.length > 0)
			this.#onDamage({
				ranges: [],
				interrupted: bytes.length - this.#size,
				restored: this.#locations.size,
				keptAs: undefined,
			});
	}

	/** Continues with the records of a file. */
	#adopt(scan: StateScan): void {
		this.#marker = scan.marker;
		this.#outdated = !scan.current || scan.damaged.length > 0;
		this.#locations.clear();
		this.#liveBytes = 0;
		for (const record of scan.records) this.#apply(record);
		// An empty file, or one whose creation was interrupted, gets its header with its first record.
		this.#size = scan.current && scan.marker === undefined ? 0 : scan.size;
	}

	#apply({ key, value }: StateRecord): void {
		const before = this.#locations.get(key);
		if (before !== undefined) this.#liveBytes -= recordSize(this.#marker, key, before.length);
		if (value === undefined) this.#locations.delete(key);
		else {
			this.#locations.set(key, value);
			this.#liveBytes += recordSize(this.#marker, key, value.length);
		}
	}

	/** @returns the end of the record */
	#append(key: string, value: Uint8Array | undefined): number {
		const at = this.#size;
		const marker = this.#marker ?? (at === 0 ? randomBytes(4) : undefined);
		const record = encodeRecord(marker, key, value);
		const bytes = at === 0 ? Buffer.concat([encodeFileHeader(marker!), record]) : record;
		try {
			writeAll(this.#file, bytes, at);
		} catch (error) {
			ftruncateSync(this.#file, at);
			throw error;
		}
		this.#marker = marker;
		this.#size = at + bytes.length;
		this.#synced = false;
		return this.#size;
	}

	/**
	 * Replaces the file by one with its valid records, and keeps a damaged one under another name. Continues
	 * with the old one if the disk is full.
	 * @param bytes content of the file
	 * @returns whether it was replaced
	 */
	#rewrite(bytes: Buffer): boolean {
		const scan = scanState(bytes);
		this.#adopt(scan);
		const damaged = scan.damaged.length > 0;
		const marker = randomBytes(4);
		const records: Buffer[] = [encodeFileHeader(marker)];
		for (const [key, { offset, length }] of this.#locations)
			records.push(encodeRecord(marker, key, bytes.subarray(offset, offset + length)));
		const rewritten = Buffer.concat(records);
		const file = writeFile(`${this.#path}.new`, rewritten);
		const keptAs = file !== undefined && damaged ? keepFile(this.#path) : undefined;
		if (damaged && (keptAs !== undefined || !this.#damaged)) {
			this.#damaged = true;
			const ranges = scan.damaged;
			const interrupted = bytes.length - scan.size;
			this.#onDamage({ ranges, interrupted, restored: this.#locations.size, keptAs });
		}
		if (file === undefined) return false;
		if (damaged && keptAs === undefined) {
			closeSync(file);
			rmSync(`${this.#path}.new`, { force: true });
			return false;
		}
		renameSync(`${this.#path}.new`, this.#path);
		closeSync(this.#file);
		this.#file = file;
		this.#adopt(scanState(rewritten));
		// Records appended to the new file are durable only if its name is.
		syncDirectory(this.#path);
		return true;
	}
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
	for (let done = 0; done < bytes.length; )
		done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

/** Writes a file and syncs its content, not its name; undefined if it cannot be written. */
function writeFile(path: string, bytes: Uint8Array): number | undefined {
	let file: number | undefined;
	try {
		file = openSync(path, "w+", FILE_MODE);
		writeAll(file, bytes, 0);
		fsyncSync(file);
		return file;
	} catch {
		if (file !== undefined) closeSync(file);
		rmSync(path, { force: true });
		return undefined;
	}
}

/** Gives a file a second, unused name. @returns that name; undefined if there is no room for it */
function keepFile(path: string): string | undefined {
	for (let number = 1; ; number++) {
		const kept = `${path}.damaged${number === 1 ? "" : `.${number}`}`;
		if (existsSync(kept)) continue;
		try {
			linkSync(path, kept);
			return kept;
		} catch {
			// Not all file systems have hard links.
		}
		try {
			copyFileSync(path, kept, constants.COPYFILE_EXCL);
			return kept;
		} catch {
			rmSync(kept, { force: true });
			return undefined;
		}
	}
}

/** Lets only the owner of a file read and write it, where that is possible. */
function restrictAccess(file: number): void {
	try {
		fchmodSync(file, FILE_MODE);
	} catch {
		// Another user's file, or a file system without modes.
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
