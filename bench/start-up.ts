/**
 * Processor time of the command line, beside that of Node alone in the same run.
 *
 *     node --import tsx bench/start-up.ts
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUNS = 10;
const project = fileURLToPath(new URL("..", import.meta.url));
const commands: Readonly<Record<string, readonly string[]>> = {
	"node -e 0": ["-e", "0"],
	"firefly --version": ["cli/firefly.mjs", "--version"],
	"firefly check": ["cli/firefly.mjs", "check"],
};
/** Writes the processor time of its process at the end, in ms, to this file descriptor. */
const METER_FD = 3;
const meter = `data:text/javascript,import { writeSync } from "node:fs"; process.on("exit", () => {
	const { user, system } = process.cpuUsage();
	writeSync(${METER_FD}, String((user + system) / 1000));
});`;

/** ms */
function processorTime(args: readonly string[]): number {
	const { output } = spawnSync(process.execPath, ["--import", meter, ...args], {
		cwd: project,
		stdio: ["ignore", "ignore", "ignore", "pipe"],
		encoding: "utf8",
	});
	return Number(output[METER_FD]);
}

const least = new Map<string, number>();
for (let run = 0; run <= RUNS; run++) {
	for (const [name, args] of Object.entries(commands)) {
		const time = processorTime(args);
		// The first run may build the bundle.
		if (run > 0) least.set(name, Math.min(least.get(name) ?? Infinity, time));
	}
}
const [bare] = least.values();
for (const [name, time] of least)
	console.log(
		`${name.padEnd(20)} ${time.toFixed(0).padStart(4)} ms  ${(time / bare).toFixed(2)} × Node alone`,
	);
