import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import type { Counts } from "./board/comparison";
import type { LoadedManifest } from "./config/load";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";
import { baudOption, brokerOption, durationOption } from "./values";

/** Speed of the console of an image that firefly build --console has made; that of -d is 460800. */
const CONSOLE_BAUD = 115_200;
const MANIFEST = "manifest.json";
/** Longest time that is simulated beside a board, ms: a month takes seconds. */
const SIMULATED_LIMIT_MS = 30 * 86_400_000;

interface MonitorOptions {
	readonly port?: string;
	readonly baud: number;
	readonly for?: number;
	readonly summary?: true;
	readonly broker?: string | true;
	readonly id?: string;
	readonly manifest?: string;
	readonly raw?: true;
	readonly json?: true;
}

export function monitorCommand(): Command {
	return new Command("monitor")
		.description(
			"Print what a board does, from the console of an image that firefly build --console or flash --console has made. Ctrl-C ends it; a port that vanishes while the board sleeps is waited for. With --summary --broker, ask a board for its summary over MQTT instead.",
		)
		.option("-p, --port <device>", "serial port of the board, such as /dev/ttyUSB0 (default: $UPLOAD_PORT)")
		.option("-b, --baud <speed>", "bits a second; 460800 for mcconfig -d", baudOption, CONSOLE_BAUD)
		.option(
			"--for <duration>",
			"end after this time; with --broker, wait so long for the answer",
			durationOption,
		)
		.option(
			"--summary",
			"at the end, what the board did, beside what the simulator does with the same manifest in the same time",
		)
		.option(
			"--broker [url]",
			"with --summary: ask for the board's own summary since power-on with the command summary, over this broker (default: the manifest's), as FIREFLY_BROKER_USERNAME with FIREFLY_BROKER_PASSWORD; a board that sleeps answers in its next report",
			brokerOption,
		)
		.option("--id <id>", "with --broker: the board's id, if the manifest's has a placeholder")
		.option("--manifest <file>", `the manifest of the board (default: ${MANIFEST} if there is one)`)
		.option("--raw", "every line as the board prints it")
		.option("--json", "print one JSON object a line")
		.action((options: MonitorOptions) => monitor(options));
}

async function monitor(options: MonitorOptions): Promise<void> {
	if (options.broker !== undefined) return monitorRemotely(options);
	if (options.id !== undefined) throw new Failure("--id is for --broker: a port has one board");
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
	if (!options.summary || manifest === undefined) return;
	if (board.counts.observed === 0)
		throw new Failure(
			"the board has told of no wake: only an image of firefly build --console does, at the speed of --baud",
		);
	await printSummary(board.counts, manifest, options.json === true);
}

/** Prints the summary that a board sends over MQTT. */
async function monitorRemotely(options: MonitorOptions): Promise<void> {
	if (options.summary !== true || options.port !== undefined || options.raw === true)
		throw new Failure("--broker asks for a summary: it goes with --summary, and without --port and --raw");
	const [{ remoteSummary }, manifest] = await Promise.all([
		import("./board/remote-summary"),
		loadSensorManifest(options),
	]);
	if (manifest === undefined) return;
	const interrupt = new Interrupt();
	let board: Counts;
	try {
		board = await remoteSummary({
			...{ manifest, id: options.id, wait: options.for, signal: interrupt.signal },
			url: options.broker === true ? undefined : options.broker,
			notice: (text) => process.stderr.write(`${text}\n`),
		});
	} finally {
		interrupt.dispose();
	}
	await printSummary(board, manifest, options.json === true);
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

async function printSummary(board: Counts, manifest: LoadedManifest, json: boolean): Promise<void> {
	const [{ simulatedRun }, { comparisonLines, countsJSON }] = await Promise.all([
		import("./board/simulated-run"),
		import("./board/comparison"),
	]);
	const simulated = await simulatedRun(manifest, Math.min(board.observed, SIMULATED_LIMIT_MS));
	if (json) {
		const summary = { board: countsJSON(board), simulated: countsJSON(simulated) };
		process.stdout.write(`${JSON.stringify({ type: "summary", ...summary })}\n`);
	} else process.stdout.write(`${comparisonLines(board, simulated).join("\n")}\n`);
}
