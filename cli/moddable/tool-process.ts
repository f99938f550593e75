import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { Interrupted } from "../interrupt";

/** A program that is run to its end. */
export interface ToolRun {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	readonly environment: NodeJS.ProcessEnv;
	/** Called for each line of standard output and of standard error, in the order of their arrival. */
	readonly onLine: (line: string) => void;
	/** File that gets all that the program prints. */
	readonly log?: string;
	/** Ends the program and those that it has started. */
	readonly signal?: AbortSignal;
}

/** Time, in ms, after which programs that were asked to end are ended. */
const KILL_DELAY_MS = 2000;

/**
 * Runs a program in a process group of its own: a signal from the keyboard reaches only this process, which
 * hands it on to the group and to nobody else.
 * @returns its exit code; null if a signal ended it
 * @throws {Interrupted} if `signal` aborted, after the program has ended
 */
export async function runTool(run: ToolRun): Promise<number | null> {
	const { command, args, cwd, environment, signal } = run;
	if (signal?.aborted) throw new Interrupted();
	const log = run.log === undefined ? undefined : createWriteStream(run.log);
	try {
		const child = spawn(command, args, {
			cwd,
			env: environment,
			stdio: ["ignore", "pipe", "pipe"],
			detached: process.platform !== "win32",
		});
		const stop = (): void => endGroup(child);
		signal?.addEventListener("abort", stop, { once: true });
		// A second signal ends this process at once.
		const kill = (): void => signalGroup(child, "SIGKILL");
		process.once("exit", kill);
		try {
			for (const stream of [child.stdout, child.stderr]) readLines(stream, run.onLine, log);
			const code = await new Promise<number | null>((resolve, reject) => {
				child.on("error", reject);
				child.on("close", resolve);
			});
			if (signal?.aborted) throw new Interrupted();
			return code;
		} finally {
			signal?.removeEventListener("abort", stop);
			process.off("exit", kill);
		}
	} finally {
		if (log !== undefined) await new Promise<void>((resolve) => log.end(resolve));
	}
}

function readLines(
	stream: NodeJS.ReadableStream,
	onLine: (line: string) => void,
	log: WriteStream | undefined,
): void {
	let rest = "";
	stream.setEncoding("utf8");
	stream.on("data", (text: string) => {
		log?.write(text);
		const parts = (rest + text).split(/\r?\n/);
		rest = parts.pop() ?? "";
		for (const line of parts) onLine(line);
	});
	stream.on("end", () => {
		if (rest !== "") onLine(rest);
	});
}

/** Ends a program and what it has started: as from the keyboard first, then for good. */
function endGroup(child: ChildProcess): void {
	signalGroup(child, "SIGINT");
	const timer = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_DELAY_MS);
	child.once("close", () => clearTimeout(timer));
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
	if (pid === undefined) return;
	try {
		process.kill(process.platform === "win32" ? pid : -pid, signal);
	} catch {
		// It has ended.
	}
}
