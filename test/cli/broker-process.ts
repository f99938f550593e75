import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";
import { cli } from "./project";

/** Processes that run: one that a failed test left behind would keep the test file from ending. */
const running = new Set<ChildProcess>();
after(() => {
	for (const child of running) child.kill("SIGKILL");
});

/** A `firefly broker` process that accepts connections. */
export class BrokerProcess {
	/** Port numbers by scheme. */
	readonly ports: Readonly<Record<string, number>>;
	readonly #child: ChildProcess;
	readonly #closed: Promise<unknown>;
	readonly #errors: () => string;
	readonly #output: () => string;

	private constructor(
		ports: Readonly<Record<string, number>>,
		child: ChildProcess,
		closed: Promise<unknown>,
		errors: () => string,
		output: () => string,
	) {
		this.ports = ports;
		this.#child = child;
		this.#closed = closed;
		this.#errors = errors;
		this.#output = output;
	}

	/** The text on standard output so far. */
	get output(): string {
		return this.#output();
	}

	/**
	 * @param ports number of "listening" lines to wait for
	 * @param wrapper command that runs the process
	 */
	static async start(
		args: readonly string[],
		ports = 1,
		wrapper: readonly string[] = [],
	): Promise<BrokerProcess> {
		const [command = "", ...rest] = [...wrapper, process.execPath, cli, "broker", ...args];
		const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
		let output = "";
		let errors = "";
		child.stderr.setEncoding("utf8").on("data", (data) => {
			errors += data;
		});
		child.stdout.setEncoding("utf8").on("data", (data) => {
			output += data;
		});
		running.add(child);
		const closed = once(child, "close").then(() => running.delete(child));
		for (;;) {
			const lines = [...output.matchAll(/^listening on (\w+):\/\/127\.0\.0\.1:(\d+)$/gm)];
			if (lines.length >= ports) {
				const found = Object.fromEntries(lines.map(([, scheme, port]) => [scheme, Number(port)]));
				return new BrokerProcess(
					found,
					child,
					closed,
					() => errors,
					() => output,
				);
			}
			await Promise.race([once(child.stdout, "data"), closed]);
			if (!running.has(child)) throw new Error(`the broker ended: ${output}${errors}`);
		}
	}

	get pid(): number | undefined {
		return this.#child.pid;
	}

	/** @returns the exit code and the text on standard error */
	async stop(signal: NodeJS.Signals = "SIGINT"): Promise<readonly [number | null, string]> {
		this.#child.kill(signal);
		await this.#closed;
		return [this.#child.exitCode, this.#errors()];
	}

	/** Kills the process at once; may be called repeatedly. */
	kill(): void {
		this.#child.kill("SIGKILL");
	}
}
