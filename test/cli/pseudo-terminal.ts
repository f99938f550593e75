import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

const PYTHON = "python3";
/**
 * Opens a pseudo-terminal, prints the name of its serial port, and copies between it and this process until
 * standard input ends. Nobody has opened the port: reading fails until somebody does.
 */
const PROGRAM = `
import os, pty, select, sys, time
master, slave = pty.openpty()
name = os.ttyname(slave)
os.close(slave)
os.write(1, (name + "\\n").encode())
while True:
    ready, _, _ = select.select([0, master], [], [])
    if 0 in ready:
        data = os.read(0, 4096)
        if not data: break
        os.write(master, data)
    if master in ready:
        try: os.write(1, os.read(master, 4096))
        except OSError: time.sleep(0.02)
`;

/** Why tests with a serial port are skipped; false: they run. */
export const pseudoTerminalSkip: string | false =
	spawnSync(PYTHON, ["-c", "import pty"]).status === 0 || process.env.FIREFLY_REQUIRE_PEERS
		? false
		: "python3 is not installed";

/** A serial port, and the board at its other end. */
export class PseudoTerminal {
	/** Path of the port. */
	readonly port: string;
	/** What has been sent to the board. */
	received = "";
	readonly #process: ChildProcess;

	private constructor(port: string, child: ChildProcess) {
		this.port = port;
		this.#process = child;
		child.stdout?.on("data", (text: string) => {
			this.received += text;
		});
	}

	static async open(): Promise<PseudoTerminal> {
		const child = spawn(PYTHON, ["-u", "-c", PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
		child.stdout.setEncoding("utf8");
		const [name] = (await once(child.stdout, "data")) as [string];
		return new PseudoTerminal(name.trim(), child);
	}

	/** The board prints. */
	write(text: string): void {
		this.#process.stdin?.write(text);
	}

	/** The board is unplugged. */
	async close(): Promise<void> {
		if (this.#process.exitCode !== null) return;
		this.#process.stdin?.end();
		await once(this.#process, "close");
	}
}
