import { type ExecFileException, execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const cli = fileURLToPath(new URL("../../cli/firefly.mjs", import.meta.url));

/** A temporary folder with files, in which the command line runs. */
export class Project {
	readonly directory = mkdtempSync(join(tmpdir(), "firefly-test-"));

	constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
		// Stands in for Firefly's own manifest, with two drivers.
		this.write(
			"firmware/manifest.json",
			'{"modules": {"driver/sht3x": "./sht3x", "driver/bmp280": "./bmp280"}}',
		);
		for (const [name, content] of Object.entries(files)) this.write(name, content);
	}

	write(name: string, content: string | Uint8Array): void {
		const path = join(this.directory, name);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, content);
	}

	run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
		const options = {
			cwd: this.directory,
			env: { ...withoutFireflyVariables(process.env), ...environment },
			maxBuffer: 1 << 28,
		};
		return new Promise((resolve) => {
			execFile(
				process.execPath,
				[cli, ...args],
				options,
				(error: ExecFileException | null, stdout, stderr) => {
					resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
				},
			);
		});
	}

	remove(): void {
		rmSync(this.directory, { recursive: true, force: true });
	}
}

export interface Outcome {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

function withoutFireflyVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("FIREFLY_")));
}
