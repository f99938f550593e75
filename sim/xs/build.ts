import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "../cache/folder.mjs";
import { findSources, optimisation, type Sources } from "./sources";

/** Called with 0 when a build begins, then after each file; not called if the addon is already built. */
export type Progress = (done: number, total: number) => void;

/** Settings of a build; all have defaults. */
export interface BuildOptions {
	/** directory of the builds; default: the cache folder `xs` */
	cache?: string;
	/** the C compiler; default: `$CC`, or `cc` */
	compiler?: string;
	/** files compiled in parallel; default: number of cores */
	jobs?: number;
	progress?: Progress;
	/** ends the build with {@link BuildAborted} */
	signal?: AbortSignal;
}

/** The C compiler is missing or does not work. */
export class CompilerError extends Error {
	override name = "CompilerError";
}

/** The signal of a build came. */
export class BuildAborted extends Error {
	override name = "BuildAborted";
	override message = "the build of the XS engine was ended";
}

/** Longest text of a compiler that a message shows, in lines. */
const ERROR_LINES = 20;

function compilerVersion(compiler: string): string {
	try {
		return execFileSync(compiler, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
	} catch {
		throw new CompilerError(
			`The simulator runs the real XS engine, which is compiled once on this machine, and there is no C compiler ("${compiler}").\n` +
				"Install one: Debian, Ubuntu: apt install gcc libc6-dev · Fedora: dnf install gcc glibc-devel · Alpine: apk add gcc musl-dev · macOS: xcode-select --install\n" +
				"Without a compiler, --engine node runs the same firmware on Node, without a chip's memory limits.",
		);
	}
}

/** The path of the addon, which may not be built yet. */
export function addonPath(options: BuildOptions = {}): string {
	return addonPathOf(findSources(), options);
}

function addonPathOf(sources: Sources, options: BuildOptions): string {
	const compiler = options.compiler ?? process.env.CC ?? "cc";
	const key = createHash("sha256").update(sources.digest).update(compilerVersion(compiler)).digest("hex");
	return join(options.cache ?? cacheFolder("xs"), key, "xs.node");
}

/**
 * Builds the addon unless it exists for the same sources, and returns its path. Several processes may call
 * this at once: one builds, the others wait.
 */
export async function build(options: BuildOptions = {}): Promise<string> {
	const sources = findSources();
	const path = addonPathOf(sources, options);
	const folder = join(path, "..");
	const lock = `${folder}.lock`;
	while (!existsSync(path)) {
		if (options.signal?.aborted) throw new BuildAborted();
		mkdirSync(join(folder, ".."), { recursive: true });
		if (!acquireLock(lock)) {
			await sleep(100);
			continue;
		}
		try {
			if (!existsSync(path)) await compileAll(sources, folder, options);
		} finally {
			rmSync(lock, { force: true });
		}
	}
	return path;
}

/** A lock is a file with the process id of its owner; it is broken when that process is gone. */
function acquireLock(lock: string): boolean {
	try {
		writeFileSync(lock, String(process.pid), { flag: "wx" });
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		removeStaleLock(lock);
		return false;
	}
}

function removeStaleLock(lock: string): void {
	try {
		const text = readFileSync(lock, "utf8");
		if (text === "") {
			// its owner died between creating and writing it
			if (Date.now() - statSync(lock).mtimeMs > 5000) rmSync(lock, { force: true });
		} else process.kill(Number(text), 0);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ESRCH") rmSync(lock, { force: true });
	}
}

async function compileAll(sources: Sources, folder: string, options: BuildOptions): Promise<void> {
	const compiler = options.compiler ?? process.env.CC ?? "cc";
	const temporary = `${folder}.${process.pid}-${randomBytes(4).toString("hex")}`;
	for (const name of readdirSync(dirname(folder))) {
		if (name.startsWith(`${basename(folder)}.`) && name.includes("-"))
			rmSync(join(dirname(folder), name), { recursive: true, force: true }); // interrupted, we hold the lock
	}
	mkdirSync(temporary);
	try {
		const total = sources.files.length + 1;
		let done = 0;
		options.progress?.(0, total);
		const queue = [...sources.files];
		const worker = async (): Promise<void> => {
			for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
				const output = join(temporary, objectName(file));
				try {
					await run(
						compiler,
						[optimisation(file), ...sources.flags, "-c", file, "-o", output],
						options.signal,
					);
				} catch (error) {
					queue.length = 0;
					throw error;
				}
				options.progress?.(++done, total);
			}
		};
		const jobs = Math.max(1, options.jobs ?? availableParallelism());
		const results = await Promise.allSettled(Array.from({ length: jobs }, worker));
		for (const result of results) if (result.status === "rejected") throw result.reason;
		const objects = sources.files.map((file) => join(temporary, objectName(file)));
		const link = ["-o", join(temporary, "xs.node"), ...objects, ...sources.libraries];
		await run(compiler, link, options.signal);
		options.progress?.(total, total);
		for (const object of objects) rmSync(object);
		try {
			renameSync(temporary, folder);
		} catch (error) {
			if (!existsSync(join(folder, "xs.node"))) throw error;
		}
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
}

function objectName(file: string): string {
	return `${basename(file, ".c")}.o`;
}

/** The compiler is in a process group of its own: Ctrl-C reaches this process alone, which then ends it. */
function run(compiler: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(new BuildAborted());
		const child = spawn(compiler, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
		const end = (): void => {
			try {
				process.kill(-child.pid!, "SIGTERM");
			} catch {
				// It has ended by itself.
			}
		};
		signal?.addEventListener("abort", end);
		let messages = "";
		let problem = "";
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			messages += text;
		});
		child.on("error", (error) => {
			problem = error.message;
		});
		child.on("close", (code, killedBy) => {
			signal?.removeEventListener("abort", end);
			if (signal?.aborted) return reject(new BuildAborted());
			if (code === 0) return resolve();
			problem ||= killedBy === null ? `exit code ${code}` : `ended by ${killedBy}`;
			const detail =
				messages === "" ? `: ${problem}` : `\n${messages.split("\n").slice(0, ERROR_LINES).join("\n")}`;
			reject(new CompilerError(`XS could not be compiled: ${compiler} failed${detail}`));
		});
	});
}
