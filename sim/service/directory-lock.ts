import {
	existsSync,
	lstatSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	type Stats,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "lock";
/** Time that another process has to write to a lock file it has just created, ms. */
const LOCK_WRITE_TIMEOUT_MS = 100;
/** Process id, start time and line end. */
const COMPLETE_LOCK = /^\d+ \d*\n$/;
/** A lock whose writer was interrupted, by the loss of power too. */
const INCOMPLETE_LOCK = /^(\d*|\d+ \d*|\0{1,64})$/;

/** Another running process holds the lock. */
export class LockedError extends Error {
	override readonly name = "LockedError";
	readonly pid: number;
	readonly path: string;

	constructor(pid: number, path: string) {
		super(`locked by process ${pid}`);
		this.pid = pid;
		this.path = path;
	}
}

/** The directory has a file of the lock's name that is no lock of a broker. */
export class ForeignLockError extends Error {
	override readonly name = "ForeignLockError";
	readonly path: string;

	constructor(path: string) {
		super("not a broker's lock");
		this.path = path;
	}
}

/**
 * Locks a directory for this process. The lock file holds the process id and start time, because ids are
 * reused.
 * @param companion name of a file that only a broker creates: without it an empty lock, which many programs
 *   have, is not taken for one of a broker whose creation was interrupted
 * @returns a function that releases the lock
 * @throws {LockedError} while another process holds it
 * @throws {ForeignLockError}, and the system's errors
 */
export function lockDirectory(directory: string, companion: string): () => void {
	const path = join(directory, LOCK_FILE);
	const ownText = `${process.pid} ${processStartTime(process.pid)}\n`;
	for (;;) {
		try {
			createLock(path, ownText);
			break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
			const isOurs = existsSync(join(directory, companion));
			const holder = lockHolder(path, isOurs);
			if (holder !== undefined) throw new LockedError(holder, path);
			removeStaleLock(path, isOurs);
		}
	}
	return () => {
		try {
			if (readLock(path) === ownText) rmSync(path);
		} catch {
			// It is not ours any more.
		}
	};
}

/**
 * Creates a lock file. Without room for its content, a symbolic link holds the text, which takes none.
 * @throws the system's errors
 */
function createLock(path: string, text: string): void {
	try {
		writeFileSync(path, text, { flag: "wx" });
	} catch (error) {
		if (!["ENOSPC", "EDQUOT", "EFBIG"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
		// The empty file was created.
		if (readText(path) === "") rmSync(path, { force: true });
		symlinkSync(text, path);
	}
}

/**
 * The process that holds the lock; undefined if it has ended.
 * @param isOurs whether the lock is a broker's even if it is incomplete
 * @throws {ForeignLockError}, and the system's errors
 */
function lockHolder(path: string, isOurs: boolean): number | undefined {
	let text = readLock(path);
	if (text !== undefined && !COMPLETE_LOCK.test(text)) {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WRITE_TIMEOUT_MS);
		text = readLock(path);
	}
	if (text === undefined) return undefined;
	if (!COMPLETE_LOCK.test(text)) {
		if (isOurs && INCOMPLETE_LOCK.test(text)) return undefined;
		throw new ForeignLockError(path);
	}
	const [number = "", start = ""] = text.trim().split(" ");
	const pid = Number(number);
	return Number.isSafeInteger(pid) && pid > 0 && isRunning(pid) && processStartTime(pid) === start
		? pid
		: undefined;
}

/**
 * Removes the lock of a process that has ended; restores a lock that another process has created in the
 * meantime.
 */
function removeStaleLock(path: string, isOurs: boolean): void {
	const movedPath = `${path}.${process.pid}`;
	try {
		renameSync(path, movedPath);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
		throw error;
	}
	let stale = false;
	try {
		stale = lockHolder(movedPath, isOurs) === undefined;
	} finally {
		if (stale) rmSync(movedPath, { force: true });
		else renameSync(movedPath, path);
	}
}

/**
 * The text of a lock; undefined if there is none.
 * @throws {ForeignLockError} if it is neither a file nor a symbolic link, and the system's errors
 */
function readLock(path: string): string | undefined {
	let status: Stats;
	try {
		status = lstatSync(path);
		if (status.isSymbolicLink()) return readlinkSync(path, "latin1");
		if (status.isFile()) return readFileSync(path, "latin1");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
	throw new ForeignLockError(path);
}

function readText(path: string): string {
	try {
		return readFileSync(path, "latin1");
	} catch {
		return "";
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

/** Start time of a process, in ticks since the boot of the machine (proc(5), field 22); empty if unknown. */
function processStartTime(pid: number): string {
	const text = readText(`/proc/${pid}/stat`);
	// The program name, in parentheses, may contain spaces and parentheses.
	return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
