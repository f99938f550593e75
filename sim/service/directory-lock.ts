import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "lock";
/** Time that another process has to write to a lock file it has just created, ms. */
const LOCK_WRITE_TIMEOUT_MS = 100;

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

/**
 * Locks a directory for this process. The lock file holds the process id and start time, because ids are
 * reused.
 * @returns a function that releases the lock
 * @throws {LockedError} while another process holds it, otherwise the system's errors
 */
export function lockDirectory(directory: string): () => void {
	const path = join(directory, LOCK_FILE);
	const ownText = `${process.pid} ${processStartTime(process.pid)}\n`;
	for (;;) {
		try {
			writeFileSync(path, ownText, { flag: "wx" });
			break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
			const holder = lockHolder(path);
			if (holder !== undefined) throw new LockedError(holder, path);
			removeStaleLock(path);
		}
	}
	return () => {
		if (readText(path) === ownText) rmSync(path, { force: true });
	};
}

/** The process that holds the lock; undefined if it has ended. */
function lockHolder(path: string): number | undefined {
	let text = readText(path);
	if (!text.endsWith("\n")) {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WRITE_TIMEOUT_MS);
		text = readText(path);
	}
	const [number = "", start = ""] = text.trim().split(" ");
	const pid = Number(number);
	return text.endsWith("\n") &&
		Number.isSafeInteger(pid) &&
		pid > 0 &&
		isRunning(pid) &&
		processStartTime(pid) === start
		? pid
		: undefined;
}

/**
 * Removes the lock of a process that has ended; restores a lock that another process has created in the
 * meantime.
 */
function removeStaleLock(path: string): void {
	const movedPath = `${path}.${process.pid}`;
	try {
		renameSync(path, movedPath);
	} catch {
		return;
	}
	const holder = lockHolder(movedPath);
	if (holder === undefined) rmSync(movedPath, { force: true });
	else renameSync(movedPath, path);
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
