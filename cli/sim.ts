import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import type { Fault } from "../sim/faults/fault";
import { formatFault } from "../sim/faults/fault-text";
import type { Rehearsal } from "../sim/report/fault-summary";
import type { Report } from "../sim/report/report";
import type { RunOptions } from "../sim/run";
import { BuildProgress } from "./build-progress";
import { openPcap, packetsOption, pcapOption } from "./capture";
import type { Loaded } from "./config/load";
import type { Overrides } from "./config/overrides";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";
import { failFaultTarget, faultHelp, faultOption } from "./fault-option";
import { Interrupt, Interrupted } from "./interrupt";
import { Keyboard } from "./keyboard";
import { mapOption, zoneOption } from "./replay-options";
import { durationOption, nodeBrokerOption, nodesOption, seedOption, speedOption } from "./values";

interface SimOptions {
	readonly manifest?: string;
	readonly for?: number;
	readonly speed: number | "max";
	readonly seed: number;
	readonly nodes?: number;
	readonly replay?: string;
	readonly map?: ReadonlyMap<string, string>;
	readonly zone?: string;
	readonly fault?: readonly Fault[];
	readonly broker?: string;
	readonly engine: "xs" | "node";
	readonly json?: true;
	readonly packets?: true;
	readonly pcap?: string;
}

/** The manifest beside the sources. */
const ownManifest = fileURLToPath(new URL("../manifest.json", import.meta.url));
/** The manifest that is run if none is named. */
const HERE = "manifest.json";
/** Default duration at full speed, where an endless simulation is useless. */
const fullSpeedDurationMs = 24 * 3_600_000;

export function simCommand(): Command {
	return new Command("sim")
		.description(
			"Run the firmware of a manifest on simulated boards and show what happens; ends with a summary.",
		)
		.option("--manifest <file>", "the manifest to run (default: manifest.json here, otherwise Firefly's own)")
		.option(
			"--for <duration>",
			"simulated time to run, such as 90s, 24h or 30d (default: until interrupted, or the end of the replay; 24h at full speed)",
			durationOption,
		)
		.option("--speed <factor>", 'times as fast as real time: 1, 60, or "max"', speedOption, 1)
		.option("--seed <number>", "seed of everything random; the same seed gives the same run", seedOption, 1)
		.option(
			"--nodes <number>",
			"boards that run the manifest, each with a MAC address and curves of its own (default: 1)",
			nodesOption,
		)
		.option(
			"--replay <file>",
			"feed the sensors from a CSV file, or an export of Home Assistant or InfluxDB; without --manifest, its columns are the sensors. firefly history says what delta and heartbeat would have saved",
		)
		.addOption(mapOption())
		.addOption(zoneOption())
		.option(
			"--fault <spec>",
			"what goes wrong and when, such as wifi:10m@2h; may be repeated, and is listed below",
			faultOption,
		)
		.option(
			"--broker <url>",
			"report to this broker, mqtt://host:port (or mqtts, ws, wss), instead of a simulated one",
			nodeBrokerOption,
		)
		.addOption(
			new Option("--engine <name>", "what runs the firmware: the real XS engine, or Node")
				.choices(["xs", "node"])
				.default("xs"),
		)
		.option("--json", "print one JSON object per event, in simulated time only")
		.addOption(packetsOption())
		.addOption(pcapOption())
		.addHelpText("after", faultHelp)
		.action((options: SimOptions, command: Command) => sim(options, command));
}

async function sim(options: SimOptions, command: Command): Promise<void> {
	const isOwn = options.manifest === undefined && options.replay === undefined && !existsSync(HERE);
	const overrides: Overrides = options.broker === undefined ? {} : { broker_url: options.broker };
	const manifest = requireManifest(await load(options, overrides));
	if (options.broker === undefined || manifest.device.settings.role !== "sensor") {
		const { simulatedBrokerProblem } = await import("./config/simulated-broker");
		const problem = simulatedBrokerProblem(manifest, options.manifest ?? HERE, options.engine === "xs");
		if (problem !== undefined) throw new Failure(problem);
	}
	// Loaded late, so that help and usage errors are printed at once and no other command needs the engine.
	const [{ createReport }, { runSimulation }, { FaultTargetError }] = await Promise.all([
		import("../sim/report/report-factory"),
		import("../sim/run"),
		import("../sim/faults/fault-targets"),
	]);
	const pcap = options.pcap === undefined ? undefined : await openPcap(options.pcap);
	const packets = options.packets === true;
	const keys = process.stdin.isTTY === true;
	const report = createReport(process.stdout, options.json === true, packets, keys);
	const interrupt = new Interrupt();
	const progress = new BuildProgress();
	let keyboard: Keyboard | undefined;
	let startedAt = 0;
	try {
		const runOptions: RunOptions = {
			manifest,
			duration:
				options.for ??
				(options.speed === "max" && options.replay === undefined ? fullSpeedDurationMs : undefined),
			speed: options.speed,
			seed: options.seed,
			...(options.nodes === undefined ? {} : { nodes: options.nodes }),
			...(options.replay === undefined ? {} : { replay: options.replay }),
			replayOptions: {
				...(options.map === undefined ? {} : { columns: options.map }),
				...(options.zone === undefined ? {} : { zone: options.zone }),
			},
			...(options.fault === undefined ? {} : { faults: options.fault }),
			...(options.broker === undefined ? {} : { broker: new URL(options.broker) }),
			engine: options.engine,
			listener: report,
			packets,
			pcap,
			signal: interrupt.signal,
			listening: (port, number) =>
				report.note(
					number === 0
						? `the broker on the board also listens on mqtt://127.0.0.1:${port}`
						: `its status page: http://127.0.0.1:${port}/`,
				),
			progress: (done, total) => progress.show(done, total),
			begin(controls) {
				startedAt = controls.time;
				report.begin(controls);
				if (options.broker !== undefined) report.note(`reports go to ${options.broker}`);
				if (isOwn) report.note(`no ${HERE} here: an example runs; firefly new DIR makes a project`);
				if (keys && report.key !== undefined) keyboard = openKeyboard(report, interrupt);
			},
		};
		const end = await runSimulation(runOptions);
		keyboard?.close();
		report.finish(end, await rehearsalOf(runOptions, end - startedAt));
	} catch (error) {
		keyboard?.close();
		progress.end();
		report.close();
		if (error instanceof FaultTargetError)
			failFaultTarget(command, formatFault(error.fault), error.message, error.known);
		if (startedAt === 0 && (await wasInterrupted(error, interrupt.signal))) throw new Interrupted();
		throw error;
	} finally {
		pcap?.close();
		interrupt.dispose();
	}
}

/**
 * Whether an error before the start is that of the compiler, which a terminal interrupts with this process:
 * its end may be known before the signal is.
 */
async function wasInterrupted(error: unknown, signal: AbortSignal): Promise<boolean> {
	if (!(error instanceof Error && error.message.startsWith("The service was stopped"))) return false;
	if (!signal.aborted) await setTimeout(200);
	return signal.aborted;
}

/** What is compared with a run with faults. @param duration of that run, simulated ms */
async function rehearsalOf(options: RunOptions, duration: number): Promise<Rehearsal | undefined> {
	const { faults, broker } = options;
	if (faults === undefined) return undefined;
	const specs = [...faults].sort((a, b) => a.at - b.at).map(formatFault);
	if (broker !== undefined) return { faults: specs };
	const { runWithoutFaults } = await import("../sim/fault-free-run");
	return { faults: specs, without: await runWithoutFaults(options, duration) };
}

function openKeyboard(report: Report, interrupt: Interrupt): Keyboard {
	return new Keyboard(process.stdin, {
		key: (name) => report.key?.(name),
		end: () => interrupt.stop(),
		suspend: () => report.suspend?.(),
		resume: () => report.resume?.(),
	});
}

async function load(options: SimOptions, overrides: Overrides): Promise<Loaded> {
	const { loadManifest } = await import("./config/load");
	if (options.manifest !== undefined) return loadManifest(options.manifest, process.env, overrides);
	if (options.replay !== undefined)
		return (await import("./replay-manifest")).replayManifest(
			options.replay,
			ownManifest,
			process.env,
			overrides,
			options.zone === undefined ? {} : { zone: options.zone },
		);
	return loadManifest(existsSync(HERE) ? HERE : ownManifest, process.env, overrides);
}

function requireManifest(loaded: Loaded) {
	if ("manifest" in loaded) return loaded.manifest;
	throw new Failure(loaded.problems.map(formatProblem).join("\n"));
}
