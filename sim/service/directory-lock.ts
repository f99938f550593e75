import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "lock";
/** Time, ms, that another process has to write into a lock that it has just made. */
const LOCK_WRITE_TIMEOUT_MS = 100;

/** Who holds it, where that is somebody who runs. */
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
 * Takes a directory for this process: a file in it tells the process's number, and when it began, as numbers
 * are used again.
 * @returns gives it back
 * @throws {LockedError} while another process has it, else what the system throws
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
 * Removes the lock of a process that has ended, and puts back what another process has put there meanwhile.
 */
function removeStaleLock(path: string): void {
	const aside = `${path}.${process.pid}`;
	try {
		renameSync(path, aside);
	} catch {
		return;
	}
	const holder = lockHolder(aside);
	if (holder === undefined) rmSync(aside, { force: true });
	else renameSync(aside, path);
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

/**
 * When a process began, in ticks since the machine did (proc(5), field 22); empty where the system does not
 * tell.
 */
function processStartTime(pid: number): string {
	const text = readText(`/proc/${pid}/stat`);
	// The name of the program, in parentheses, may hold anything.
	return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
