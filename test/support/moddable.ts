import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** For `describe` and `test`: the reason to skip what needs the Moddable SDK and its simulator. */
export const skipWithoutSimulator: string | false = skipReason();

function skipReason(): string | false {
	const { MODDABLE, DISPLAY } = process.env;
	if (process.platform !== "linux") return "tried on Linux only";
	if (!MODDABLE) return "MODDABLE is not set: the Moddable SDK is not installed";
	if (!existsSync(join(MODDABLE, "build/bin/lin/release/mcsim"))) return `no mcsim in ${MODDABLE}`;
	if (!DISPLAY && spawnSync("Xvfb", ["-help"]).error !== undefined)
		return "no display: Xvfb is not installed";
	return false;
}

/** A display for mcsim: that of the environment, or an Xvfb. */
export class Display {
	readonly name: string;
	readonly #process: ChildProcess | undefined;

	private constructor(name: string, process?: ChildProcess) {
		this.name = name;
		this.#process = process;
	}

	static async open(): Promise<Display> {
		const { DISPLAY } = process.env;
		if (DISPLAY) return new Display(DISPLAY);
		const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"], {
			stdio: ["ignore", "ignore", "ignore", "pipe"],
		});
		const number = await new Promise<string>((resolve, reject) => {
			let text = "";
			(server.stdio[3] as Readable).setEncoding("utf8").on("data", (part: string) => {
				text += part;
				if (text.includes("\n")) resolve(text.trim());
			});
			server.once("error", reject);
			server.once("exit", (code) => reject(new Error(`Xvfb ended, exit code ${code}`)));
		});
		return new Display(`:${number}`, server);
	}

	close(): void {
		this.#process?.kill();
	}
}
