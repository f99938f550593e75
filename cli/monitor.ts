import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import type { BoardMonitor } from "./board/board-monitor";
import type { LoadedManifest } from "./config/load";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";
import { baudOption, durationOption } from "./values";

/** Speed of the console of an image that firefly build --console has made; that of -d is 460800. */
const CONSOLE_BAUD = 115_200;
const MANIFEST = "manifest.json";

interface MonitorOptions {
	readonly port?: string;
	readonly baud: number;
	readonly for?: number;
	readonly summary?: true;
	readonly manifest?: string;
	readonly raw?: true;
	readonly json?: true;
}

export function monitorCommand(): Command {
	return new Command("monitor")
		.description(
			"Print what a board does, from the console of an image that firefly build --console or flash --console has made. Ctrl-C ends it; a port that vanishes while the board sleeps is waited for.",
		)
		.option("-p, --port <device>", "serial port of the board, such as /dev/ttyUSB0 (default: $UPLOAD_PORT)")
		.option("-b, --baud <speed>", "bits a second; 460800 for mcconfig -d", baudOption, CONSOLE_BAUD)
		.option("--for <duration>", "end after this time", durationOption)
		.option(
			"--summary",
			"at the end, what the board did, beside what the simulator does with the same manifest in the same time",
		)
		.option("--manifest <file>", `the manifest of the board (default: ${MANIFEST} if there is one)`)
		.option("--raw", "every line as the board prints it")
		.option("--json", "print one JSON object a line")
		.action((options: MonitorOptions) => monitor(options));
}

async function monitor(options: MonitorOptions): Promise<void> {
	const [{ requirePort }, { SerialLine }, { BoardMonitor }] = await Promise.all([
		import("./serial/port"),
		import("./serial/serial-line"),
		import("./board/board-monitor"),
	]);
	const manifest = await loadSensorManifest(options);
	const port = requirePort(options.port ?? process.env.UPLOAD_PORT);
	if (process.platform === "win32") throw new Failure("firefly monitor runs on Linux and macOS only");
	const board = new BoardMonitor({
		node: basename(port),
		sensors: manifest?.device.settings.sensors ?? [],
		mode: options.raw ? "raw" : options.json ? "json" : "text",
		print: (line) => process.stdout.write(`${line}\n`),
		reply: (text) => line.send(text),
	});
	const interrupt = new Interrupt();
	const line = new SerialLine(port, options.baud, {
		onBytes: (bytes) => board.push(bytes),
		onLost: () => {
			if (!board.isAsleep) process.stderr.write(`${port} has vanished, and is waited for\n`);
		},
		onBack() {},
	});
	try {
		await ended(interrupt.signal, options.for);
	} finally {
		line.close();
		interrupt.dispose();
	}
	board.end();
	if (options.summary && manifest !== undefined) await printSummary(board, manifest, options.json === true);
}

/** Resolves once the time is over, or the command is interrupted. */
function ended(signal: AbortSignal, duration: number | undefined): Promise<void> {
	return new Promise((resolve) => {
		const timer = duration === undefined ? undefined : setTimeout(resolve, duration);
		const stop = (): void => {
			clearTimeout(timer);
			resolve();
		};
		if (signal.aborted) stop();
		else signal.addEventListener("abort", stop, { once: true });
	});
}

/** The manifest; undefined: there is none, and none is needed. */
async function loadSensorManifest(options: MonitorOptions): Promise<LoadedManifest | undefined> {
	const file = options.manifest ?? MANIFEST;
	const isNeeded = options.summary === true || options.manifest !== undefined;
	if (!isNeeded && !existsSync(file)) return undefined;
	const [{ loadManifest }, { formatProblem }] = await Promise.all([
		import("./config/load"),
		import("./config/problem"),
	]);
	const loaded = loadManifest(file, process.env);
	if ("problems" in loaded) {
		if (!isNeeded) return undefined;
		throw new Failure(loaded.problems.map(formatProblem).join("\n"));
	}
	if (options.summary && loaded.manifest.device.settings.role === "broker")
		throw new Failure(`--summary is about a sensor's wakes: ${file} makes a broker`);
	return loaded.manifest;
}

async function printSummary(board: BoardMonitor, manifest: LoadedManifest, json: boolean): Promise<void> {
	if (board.counts.observed === 0) {
		throw new Failure(
			"the board has told of no wake: only an image of firefly build --console does, at the speed of --baud",
		);
	}
	const [{ simulatedRun }, { comparisonLines, countsJSON }] = await Promise.all([
		import("./board/simulated-run"),
		import("./board/comparison"),
	]);
	const simulated = await simulatedRun(manifest, board.counts.observed);
	if (json) {
		const summary = { board: countsJSON(board.counts), simulated: countsJSON(simulated) };
		process.stdout.write(`${JSON.stringify({ type: "summary", ...summary })}\n`);
	} else process.stdout.write(`${comparisonLines(board.counts, simulated).join("\n")}\n`);
}
