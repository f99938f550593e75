import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { TerminalScreen } from "./terminal-screen";

/**
 * Runs a command on a pseudo-terminal of util-linux's `script`. Its input is what a person types.
 */
export class PseudoTerminal {
	readonly screen: TerminalScreen;
	/** All that was printed. */
	output = "";
	readonly #child: ChildProcessWithoutNullStreams;
	/** The end of the command, once all that it has printed is read. */
	readonly #closed: Promise<unknown[]>;
	#changed: (() => void) | undefined;

	/** @param command for the shell; the variable `TTY` is the terminal's device */
	constructor(
		command: string,
		columns: number,
		rows: number,
		options: { cwd: string; env: NodeJS.ProcessEnv },
	) {
		this.screen = new TerminalScreen(columns, rows);
		const script = `stty cols ${columns} rows ${rows}; TTY=$(tty); export TTY; ${command}`;
		this.#child = spawn("script", ["-qefc", script, "/dev/null"], {
			cwd: options.cwd,
			env: { ...options.env, TERM: "xterm-256color", SHELL: "/bin/sh" },
		});
		this.#closed = once(this.#child, "close");
		this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
			this.output += text;
			this.screen.write(text);
			this.#changed?.();
		});
	}

	type(keys: string): void {
		this.#child.stdin.write(keys);
	}

	/** Waits until the screen satisfies a condition; throws with the screen if the command ends before. */
	async until(what: string, condition: (screen: TerminalScreen) => boolean): Promise<void> {
		while (!condition(this.screen)) {
			const changed = new Promise<void>((resolve) => {
				this.#changed = resolve;
			});
			const ended = this.#closed.then(() => {
				if (!condition(this.screen)) throw new Error(`${what}: the command ended:\n${this.screen.text}`);
			});
			await Promise.race([changed, ended]);
		}
	}

	/** Waits for the end. @returns the exit code */
	async ended(): Promise<number> {
		const [code] = await this.#closed;
		return code as number;
	}

	kill(): void {
		this.#child.kill("SIGKILL");
	}
}
