import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Debian's Python, which has Debian's packages. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("./zeroconf-peer.py", import.meta.url));

const installed: boolean = spawnSync(PYTHON, ["-c", "import zeroconf"]).status === 0;

/** Reason to skip a test that needs python-zeroconf; CI installs it. */
export const skipWithoutZeroconf =
	installed || process.env.FIREFLY_REQUIRE_PEERS ? false : "python3-zeroconf is not installed";

export type ZeroconfEvent = Readonly<Record<string, unknown>>;

/** Another implementation of Multicast DNS, on the loopback. */
export class PythonZeroconf {
	readonly #process: ChildProcess;
	readonly #events: ZeroconfEvent[] = [];
	#waiting: (() => void) | undefined;
	#hasEnded = false;

	/** @param part of the names of services that it tells of */
	constructor(part: string) {
		this.#process = spawn(PYTHON, [SCRIPT, part], { stdio: ["pipe", "pipe", "inherit"] });
		createInterface({ input: this.#process.stdout! }).on("line", (line) => {
			this.#events.push(JSON.parse(line) as ZeroconfEvent);
			this.#waiting?.();
		});
		this.#process.once("exit", () => {
			this.#hasEnded = true;
			this.#waiting?.();
		});
	}

	send(command: object): void {
		this.#process.stdin!.write(`${JSON.stringify(command)}\n`);
	}

	/** The next event of a kind; those before it are dropped. */
	async event(kind: string): Promise<ZeroconfEvent> {
		for (;;) {
			const event = this.#events.shift();
			if (event?.event === kind) return event;
			if (event === undefined && this.#hasEnded) throw new Error(`python-zeroconf ended before "${kind}"`);
			if (event === undefined) await new Promise<void>((resolve) => (this.#waiting = resolve));
		}
	}

	/** Says goodbye, and ends. */
	async close(): Promise<void> {
		if (this.#hasEnded) return;
		const ended = new Promise((resolve) => this.#process.once("exit", resolve));
		this.#process.stdin!.end();
		await ended;
	}
}
