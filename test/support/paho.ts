import { spawn, spawnSync } from "node:child_process";

/** Debian's Python, which finds packages of Debian. */
const PYTHON = "/usr/bin/python3";

/** Whether Paho for Python is installed; CI installs it. */
export const pahoInstalled: boolean = spawnSync(PYTHON, ["-c", "import paho.mqtt.client"]).status === 0;

/** Runs a Python program with arguments; resolves with its output, rejects with its standard error. */
export function runPython(program: string, ...args: string[]): Promise<string> {
	return new Promise((resolve, reject) => {
		const child = spawn(PYTHON, ["-c", program, ...args]);
		let output = "";
		let errors = "";
		child.stdout.on("data", (data) => {
			output += data;
		});
		child.stderr.on("data", (data) => {
			errors += data;
		});
		child.on("error", reject);
		child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(errors))));
	});
}
