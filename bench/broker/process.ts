import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Whether brokers and load can each have their own core. */
export const canPin: boolean =
	availableParallelism() > 1 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;

/** Pins all threads of this process to the second core; brokers run on the first. */
export function pinLoad(): void {
	if (canPin) spawnSync("taskset", ["-apc", "1", `${process.pid}`]);
}

/** A process on the first core. */
export class PinnedProcess {
	readonly #child: ChildProcess;
	#output = "";

	constructor(command: string, args: readonly string[]) {
		const [file, ...rest] = canPin ? ["taskset", "-c", "0", command, ...args] : [command, ...args];
		this.#child = spawn(file, rest, { stdio: ["ignore", "pipe", "inherit"] });
		this.#child.stdout?.on("data", (data) => {
			this.#output += data;
		});
		// Also after an uncaught exception
		process.once("exit", () => this.#child.kill("SIGKILL"));
	}

	/** taskset execs the command, so this is the broker's process id. */
	get pid(): number {
		const { pid } = this.#child;
		if (pid === undefined) throw new Error("the process did not start");
		return pid;
	}

	/** The port in its output. */
	async port(): Promise<number> {
		for (;;) {
			const found = /^listening on mqtt:\/\/127\.0\.0\.1:(\d+)$/m.exec(this.#output);
			if (found !== null) return Number(found[1]);
			if (this.#child.exitCode !== null) throw new Error(`${this.#child.spawnargs.join(" ")} ended`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	/** CPU time of its threads so far, in user and kernel mode, ns by thread. */
	get cpuTimesNs(): ReadonlyMap<string, number> {
		const tasks = `/proc/${this.pid}/task`;
		// The first number of schedstat (the kernel's Documentation/scheduler/sched-stats.rst); /proc/<pid>/stat
		// has a resolution of 10 ms
		return new Map(
			readdirSync(tasks).map((thread) => [
				thread,
				Number.parseInt(readFileSync(`${tasks}/${thread}/schedstat`, "latin1"), 10),
			]),
		);
	}

	/** CPU time that all threads have used since an earlier reading of {@link cpuTimesNs}, µs. */
	cpuSpentUs(since: ReadonlyMap<string, number>): number {
		let time = 0;
		for (const [thread, now] of this.cpuTimesNs) time += now - (since.get(thread) ?? 0);
		return time / 1000;
	}

	/** Memory in use without garbage, KiB; for Node with the heap probe. */
	async heapKiB(): Promise<number> {
		const outputLength = this.#output.length;
		this.#child.kill("SIGUSR2");
		for (;;) {
			const found = /^in use: (\d+)$/m.exec(this.#output.slice(outputLength));
			if (found !== null) return Number(found[1]) / 1024;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	/** Resident memory, KiB. */
	get residentKiB(): number {
		return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, "latin1"))?.[1]);
	}

	async stop(): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const exited = once(this.#child, "exit");
		this.#child.kill("SIGTERM");
		const force = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
		await exited;
		clearTimeout(force);
	}
}
