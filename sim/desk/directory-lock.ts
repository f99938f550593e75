import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAME = "lock";
/** Time, ms, that another process has to write into a lock that it has just made. */
const PATIENCE = 100;

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
 * Takes a directory for this process: a file in it tells the process's number, and when it began, as numbers are used again.
 * @returns gives it back @throws {LockedError} while another process has it, else what the system throws
 */
export function lockDirectory(directory: string): () => void {
	const path = join(directory, NAME);
	const own = `${process.pid} ${startOf(process.pid)}\n`;
	for (;;) {
		try {
			writeFileSync(path, own, { flag: "wx" });
			break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
			const holder = holderOf(path);
			if (holder !== undefined) throw new LockedError(holder, path);
			discard(path);
		}
	}
	return () => {
		if (textOf(path) === own) rmSync(path, { force: true });
	};
}

/** The process that holds the lock; undefined if it has ended. */
function holderOf(path: string): number | undefined {
	let text = textOf(path);
	if (!text.endsWith("\n")) {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE);
		text = textOf(path);
	}
	const [number = "", start = ""] = text.trim().split(" ");
	const pid = Number(number);
	return text.endsWith("\n") && Number.isSafeInteger(pid) && pid > 0 && isRunning(pid) && startOf(pid) === start ? pid : undefined;
}

/** Removes the lock of a process that has ended, and puts back what another process has put there meanwhile. */
function discard(path: string): void {
	const aside = `${path}.${process.pid}`;
	try {
		renameSync(path, aside);
	} catch {
		return;
	}
	const holder = holderOf(aside);
	if (holder === undefined) rmSync(aside, { force: true });
	else renameSync(aside, path);
}

function textOf(path: string): string {
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

/** When a process began, in ticks since the machine did (proc(5), field 22); empty where the system does not tell. */
function startOf(pid: number): string {
	const text = textOf(`/proc/${pid}/stat`);
	// The name of the program, in parentheses, may hold anything.
	return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
