import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Storage, StorageModule } from "../../src/device";
import { ForeignLockError, LockedError, lockDirectory } from "./directory-lock";
import { type Damage, KeyLog } from "./key-log";
import { ServeError } from "./service";
import { ForeignFileError } from "./state-format";

/** Paths and keys; ESP-IDF's NVS has the same limit on their length. */
const NAME = /^[\w-]{1,15}$/;
const STATE_FILE = "state";
/** Only the owner may list and enter the directory. */
const DIRECTORY_MODE = 0o700;
/** Key that says that records are missing, until its reader deletes it. */
const DAMAGED_KEY = "damaged";
/** Damaged ranges that a message lists. */
const LISTED_RANGES = 4;

/** Key-value storage in a directory of this machine, locked for this process. */
export class DirectoryStorage implements StorageModule {
	readonly #directory: string;
	readonly #warn: (message: string) => void;
	#unlock: (() => void) | undefined;
	/** Undefined while the disk has no room for the directory, the lock or an empty file. */
	#log: KeyLog | undefined;
	/** Of the last write, if that has failed. */
	#writeError: unknown;

	/**
	 * Creates the directory if necessary.
	 * @param warn called with messages about damage and about a full disk
	 * @throws {ServeError} if the directory cannot be used
	 */
	constructor(directory: string, warn: (message: string) => void = () => {}) {
		this.#directory = directory;
		this.#warn = warn;
		try {
			this.#open();
		} catch (error) {
			if (!isFull(error)) throw this.#serveError(error);
			warn(`${directory}: the disk is full; nothing is stored until there is room`);
		}
	}

	open({ path }: { readonly path: string }): Storage {
		const prefix = `${checkName(path)}/`;
		if (this.#log?.damaged === true) this.#markDamaged(`${prefix}${DAMAGED_KEY}`);
		return {
			read: (key, buffer) => {
				checkName(key);
				return this.#log?.read(prefix + key, buffer);
			},
			write: (key, value) => this.#write(prefix + checkName(key), value),
			delete: (key) => {
				checkName(key);
				this.#log?.delete(prefix + key);
			},
			sync: () => this.#log?.sync(),
			close() {},
		};
	}

	/**
	 * Writes all data to disk and releases the directory.
	 * @throws {ServeError} if writing fails, or the last write has failed: then the state is an older one
	 */
	close(): void {
		try {
			this.#log?.close();
			if (this.#writeError !== undefined) throw this.#writeError;
		} catch (error) {
			throw this.#writeError === undefined ? this.#serveError(error) : this.#unstoredError(error);
		} finally {
			this.#unlock?.();
		}
	}

	#write(key: string, value: Uint8Array): void {
		try {
			this.#requireLog().write(key, value);
			this.#writeError = undefined;
		} catch (error) {
			this.#writeError = error;
			throw error;
		}
	}

	/** @throws the system's errors */
	#open(): KeyLog {
		createDirectory(this.#directory);
		const path = join(this.#directory, STATE_FILE);
		const unlock = lockDirectory(this.#directory, STATE_FILE);
		try {
			this.#log = new KeyLog(path, (damage) => this.#warn(`${path}: ${describeDamage(damage)}`));
		} catch (error) {
			unlock();
			throw error;
		}
		this.#unlock = unlock;
		return this.#log;
	}

	/** @throws the system's errors while the disk is full */
	#requireLog(): KeyLog {
		return this.#log ?? this.#open();
	}

	#markDamaged(key: string): void {
		try {
			this.#log?.write(key, new Uint8Array(1));
		} catch (error) {
			if (!isFull(error)) throw error;
		}
	}

	#unstoredError(error: unknown): ServeError {
		return new ServeError(
			`${this.#directory}: what has changed last is not stored: ${describeAccessError(error)}`,
		);
	}

	#serveError(error: unknown): ServeError {
		return new ServeError(`${this.#directory} cannot be used: ${describeAccessError(error)}`);
	}
}

/** Creates a directory for its owner only; directories above it are created as usual. */
function createDirectory(directory: string): void {
	mkdirSync(dirname(directory), { recursive: true });
	try {
		mkdirSync(directory, { mode: DIRECTORY_MODE });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	}
}

function checkName(name: string): string {
	if (!NAME.test(name)) throw new Error(`"${name}" is not 1 to 15 letters, digits, - and _`);
	return name;
}

function describeDamage({ ranges, interrupted, restored, keptAs }: Damage): string {
	if (ranges.length === 0) return `the last ${interrupted} bytes, of an interrupted write, are dropped`;
	const listed = ranges.slice(0, LISTED_RANGES).map(({ start, end }) => `${start} to ${end - 1}`);
	const more = ranges.length - listed.length;
	const places = `${listed.join(", ")}${more > 0 ? ` and ${more} more ranges` : ""}`;
	const kept =
		keptAs === undefined ? "the disk has no room for a new one" : `it is kept as ${basename(keptAs)}`;
	return `the file is damaged at bytes ${places}; ${restored} undamaged records are restored; ${kept}`;
}

/** Whether the disk, the user's share of it, or the file has no room. */
function isFull(error: unknown): boolean {
	const code = (error as NodeJS.ErrnoException).code ?? "";
	return ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
}

function describeAccessError(error: unknown): string {
	if (error instanceof LockedError)
		return `it is in use by process ${error.pid}; if that is no broker, remove ${error.path}`;
	if (error instanceof ForeignLockError)
		return `${error.path} is not a broker's; choose another directory, or remove it`;
	if (error instanceof ForeignFileError) return `${STATE_FILE} ${error.message}`;
	switch ((error as NodeJS.ErrnoException).code) {
		case "EACCES":
		case "EPERM":
			return "permission denied";
		case "EROFS":
			return "it is on a medium that is read only";
		case "EEXIST":
		case "ENOTDIR":
			return "it is not a directory";
		case "ENOSPC":
		case "EDQUOT":
		case "EFBIG":
			return "the disk is full";
		default:
			return error instanceof Error ? error.message : String(error);
	}
}
