import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { BoardMonitor } from "../../cli/board/board-monitor";
import { comparisonLines, countsJSON } from "../../cli/board/comparison";
import { RunCounts } from "../../cli/board/run-counts";
import { parseFault } from "../../sim/faults/fault-text";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { root } from "../firmware/import-graph";
import { BoardProject } from "./board-tools";
import { cli } from "./project";
import { PseudoTerminal, pseudoTerminalSkip } from "./pseudo-terminal";

const own = join(root, "manifest.json");

/** One wake of a board, as it prints it. */
const WAKE = [
	"rst:0x5 (DSLEEP),boot:0xd (SPI_FAST_FLASH_BOOT)",
	"firefly> 40 wake 0 18 0",
	"firefly> 60 sample 0 21.25",
	"firefly> 61 accepted 18 1",
	"firefly> 62 join",
	"firefly> 162 joined 100 -61 true",
	"firefly> 165 open true 1",
	"instruments: 0,0,0,0,3312",
	"firefly> 190 opened false 25",
	"firefly> 191 publish 18 false 1",
	"firefly> 205 acknowledged 18 0 0",
	"firefly> 210 closed 1",
	"firefly> 215 sleep 59000 0 175",
].join("\r\n");

function monitorOf(lines: string, at = 1_000_000): { monitor: BoardMonitor; printed: string[] } {
	const printed: string[] = [];
	let now = at;
	const monitor = new BoardMonitor({
		node: "ttyUSB0",
		sensors: [{ name: "temperature", unit: "°C", decimals: 1 }],
		mode: "text",
		print: (line) => printed.push(line),
		reply: () => {},
		now: () => now++,
	});
	monitor.push(new TextEncoder().encode(`${lines}\r\n`));
	return { monitor, printed };
}

describe("what a board prints", () => {
	test("a wake: a line as the simulator prints it, and its counts by the chip's clock", () => {
		const { monitor, printed } = monitorOf(WAKE);
		assert.equal(printed.length, 1);
		assert.match(
			printed[0]!,
			/ttyUSB0 {2}awake 0\.175 s, temperature 21\.3 °C, 1 acknowledged; sleeps 59 s$/,
		);
		assert.ok(monitor.isAsleep);
		const { observed, ...counts } = countsJSON(monitor.counts) as { observed: number };
		assert.deepEqual(counts, {
			...{ wakes: 1, samples: 1, accepted: 1, acknowledged: 1, repeated: 0, dropped: 0, waiting: 0 },
			...{ joins: 1, fastJoins: 1, failed: 0, limits: 0 },
			awake: { total: 175, joining: 100, broker: 45, other: 30 },
		});
		assert.ok(observed >= 175);
	});

	test("lines that are no events are printed as they are", () => {
		assert.deepEqual(monitorOf("firefly: Wi-Fi: refused, reason 15\nGuru Meditation Error").printed, [
			"firefly: Wi-Fi: refused, reason 15",
			"Guru Meditation Error",
		]);
	});

	test("a reset in the middle of a wake: it is told, and the time goes on", () => {
		const { monitor, printed } = monitorOf(
			`${WAKE.split("\r\n").slice(0, 5).join("\n")}\nrst:0x7 (TG0WDT_SYS_RST),boot:0x8\n${WAKE}`,
		);
		assert.ok(
			printed.some((line) => line.endsWith("ttyUSB0  boots: watchdog")),
			printed.join("\n"),
		);
		assert.equal(monitor.counts.wakes, 2);
		assert.ok(monitor.counts.awake.joining >= 100);
	});
});

/** An hour with outages of Wi-Fi and broker, in which reports wait, and are sent again. */
async function simulate(json: object, event: (event: TimedEvent) => void): Promise<number> {
	return runSimulation({
		manifest: { path: own, json, overrides: {} },
		duration: 3_600_000,
		speed: "max",
		seed: 3,
		engine: "node",
		faults: ["wifi:10m@10m", "broker:10m@30m"].map((text) => parseFault(text)),
		listener: {
			event: (timed) => {
				if (timed.node !== "broker") event(timed);
			},
		},
	});
}

test("the console of a simulated board: the counts are those of the simulator itself", async () => {
	const json = JSON.parse(readFileSync(own, "utf8")) as { include: string[] };
	const counts = new RunCounts();
	counts.end(
		await simulate(json, (event) => {
			if (event.type !== "node") counts.event(event);
		}),
	);
	let now = 0;
	const monitor = new BoardMonitor({
		node: "board",
		sensors: [],
		mode: "text",
		print: () => {},
		reply: () => {},
		now: () => now,
	});
	const withConsole = { ...json, include: [...json.include, "./firmware/console/manifest.json"] };
	now = await simulate(withConsole, (event) => {
		if (event.type !== "trace") return;
		now = event.time;
		monitor.push(new TextEncoder().encode(`${event.message}\n`));
	});
	monitor.end();
	assert.deepEqual(countsJSON(monitor.counts), countsJSON(counts));
	assert.ok(counts.wakes > 250 && counts.failed > 0);
	assert.equal(counts.accepted, counts.acknowledged + counts.dropped + (counts.waiting ?? 0));
});

test("the summary: a line a quantity, times a wake, the board beside the simulator", () => {
	const { counts } = monitorOf(WAKE).monitor;
	const lines = comparisonLines(counts, new RunCounts());
	for (const line of [
		/^ +board +simulated$/,
		/^wakes +1 +0$/,
		/^reports accepted +1 +0$/,
		/^ {2}waiting +0 +–$/,
		/^ {2}a wake +175 ms +–$/,
		/^ {4}joining +100 ms +–$/,
		/^ {4}with the broker +45 ms +–$/,
	])
		assert.ok(
			lines.some((printed) => line.test(printed)),
			`${line}\n${lines.join("\n")}`,
		);
});

describe("firefly monitor", { skip: pseudoTerminalSkip }, () => {
	/** Runs the command at a port; resolves with what it has printed. */
	async function run(
		args: readonly string[],
		board: (terminal: PseudoTerminal, printed: () => string) => Promise<void>,
	): Promise<{ code: number | null; stdout: string; stderr: string; terminal: PseudoTerminal }> {
		const made = new BoardProject();
		const terminal = await PseudoTerminal.open();
		const child = spawn(process.execPath, [cli, "monitor", "--port", terminal.port, ...args], {
			cwd: made.directory,
			stdio: ["ignore", "pipe", "pipe"],
		});
		after(async () => {
			child.kill("SIGKILL");
			await terminal.close();
			made.remove();
		});
		let stdout = "";
		let stderr = "";
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			stdout += text;
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			stderr += text;
		});
		await board(terminal, () => {
			assert.equal(child.exitCode ?? child.signalCode, null, stdout + stderr);
			return stdout + stderr;
		});
		child.kill("SIGINT");
		const [code] = (await once(child, "close")) as [number | null];
		return { code, stdout, stderr, terminal };
	}

	/** The port is opened at some time: the board prints until something is printed of it. */
	async function until(condition: () => boolean, again: () => void = () => {}): Promise<void> {
		while (!condition()) {
			again();
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}

	test("prints wakes; Ctrl-C ends it with exit code 0", async () => {
		const { code, stdout } = await run([], async (terminal, printed) => {
			await until(
				() => printed().includes("sleeps 59 s"),
				() => terminal.write(`${WAKE}\r\n`),
			);
		});
		assert.equal(code, 0);
		assert.match(stdout, /\d+ {2}awake 0\.175 s, t 21\.25 °C, 1 acknowledged; sleeps 59 s\n/);
	});

	test("--summary --json: the board's wakes beside the simulator's with the same manifest", async () => {
		const { code, stdout, stderr } = await run(
			["--summary", "--json", "--manifest", own],
			async (terminal, printed) => {
				await until(
					() => printed().includes('"type":"sleep"'),
					() => terminal.write(`${WAKE}\r\n`),
				);
			},
		);
		assert.equal(code, 0, stderr);
		const last = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
			type: string;
			board: { observed: number; wakes: number; awake: { joining: number } };
			simulated: { observed: number; wakes: number };
		};
		assert.equal(last.type, "summary");
		assert.ok(last.board.wakes >= 1 && last.board.awake.joining >= 100, stdout);
		assert.ok(last.simulated.wakes >= 1, stdout);
		assert.equal(Math.round(last.simulated.observed), Math.round(last.board.observed));
	});

	test("--summary of a board that has told nothing: what image is needed", async () => {
		const { code, stderr } = await run(["--summary"], async (terminal, printed) => {
			await until(
				() => printed().includes("hello"),
				() => terminal.write("hello\n"),
			);
		});
		assert.equal(code, 1);
		assert.match(stderr, /the board has told of no wake: only an image of firefly build --console does/);
	});

	test("a build for the debugger is told to go on", async () => {
		const { terminal } = await run([], async (terminal, printed) => {
			const prefix = "\r\n<?xs.3FFB1A2C?>";
			await until(
				() => printed().includes("firefly: started"),
				() =>
					terminal.write(
						`${prefix}<xsbug><login name="x"/></xsbug>\r\n${prefix}<xsbug><log>firefly: started&#10;</log></xsbug>\r\n`,
					),
			);
			await until(() => printed() !== "" && terminal.received.includes("<go/>\r\n"));
		});
		assert.match(terminal.received, /<\?xs\.3FFB1A2C\?>\r\n<go\/>\r\n/);
	});

	test("a port that vanishes is named and waited for", async () => {
		const { code, stderr, terminal } = await run([], async (terminal, printed) => {
			await until(
				() => printed().includes("hello"),
				() => terminal.write("hello\n"),
			);
			await terminal.close();
			await until(() => printed().includes("vanished"));
		});
		assert.equal(code, 0);
		assert.ok(stderr.includes(`${terminal.port} has vanished, and is waited for\n`), stderr);
	});
});
