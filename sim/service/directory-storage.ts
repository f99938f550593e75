import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Storage, StorageModule } from "../../src/device";
import { LockedError, lockDirectory } from "./directory-lock";
import { KeyLog } from "./key-log";
import { ServeError } from "./service";

/** Paths and keys; ESP-IDF's NVS has the same limit on their length. */
const NAME = /^[\w-]{1,15}$/;
const STATE_FILE = "state";

/** Key-value storage in a directory of this machine, locked for this process. */
export class DirectoryStorage implements StorageModule {
	readonly #directory: string;
	readonly #unlock: () => void;
	readonly #log: KeyLog;

	/** Creates the directory if necessary. @throws {ServeError} if it cannot be used */
	constructor(directory: string) {
		this.#directory = directory;
		let unlock: (() => void) | undefined;
		try {
			mkdirSync(directory, { recursive: true });
			unlock = lockDirectory(directory);
			this.#unlock = unlock;
			this.#log = new KeyLog(join(directory, STATE_FILE));
		} catch (error) {
			unlock?.();
			throw new ServeError(`${directory} cannot be used: ${describeAccessError(error)}`);
		}
	}

	open({ path }: { readonly path: string }): Storage {
		const log = this.#log;
		const prefix = `${checkName(path)}/`;
		return {
			read: (key, buffer) => log.read(prefix + checkName(key), buffer),
			write: (key, value) => log.write(prefix + checkName(key), value),
			delete: (key) => log.delete(prefix + checkName(key)),
			sync: () => log.sync(),
			close() {},
		};
	}

	/**
	 * Writes all data to disk and releases the directory.
	 * @throws {ServeError} if writing fails
	 */
	close(): void {
		try {
			this.#log.close();
		} catch (error) {
			throw new ServeError(`${this.#directory} cannot be used: ${describeAccessError(error)}`);
		} finally {
			this.#unlock();
		}
	}
}

function checkName(name: string): string {
	if (!NAME.test(name)) throw new Error(`"${name}" is not 1 to 15 letters, digits, - and _`);
	return name;
}

function describeAccessError(error: unknown): string {
	if (error instanceof LockedError)
		return `it is in use by process ${error.pid}; if that is no broker, remove ${error.path}`;
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
			return "the disk is full";
		default:
			return error instanceof Error ? error.message : String(error);
	}
}
