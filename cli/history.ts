import { existsSync } from "node:fs";
import { Command } from "commander";
import { printableLines } from "../sim/report/printable";
import type { Savings } from "./history/savings";
import { mapOption, zoneOption } from "./replay-options";
import { durationOption } from "./values";

interface HistoryOptions {
	readonly manifest?: string;
	readonly map?: ReadonlyMap<string, string>;
	readonly zone?: string;
	readonly every?: number;
	readonly heartbeat?: number;
	readonly json?: true;
}

/** The manifest that names the sensors, if none is named. */
const HERE = "manifest.json";

export function historyCommand(): Command {
	return new Command("history")
		.description(
			"Say what delta and heartbeat would have saved, by readings that were recorded: a CSV file in any dialect, an export of Home Assistant (history or statistics, CSV or JSON) or of InfluxDB (annotated CSV, line protocol, CSV or JSON of 1.x).",
		)
		.argument("<file>", "the recorded readings")
		.option(
			"--manifest <file>",
			"whose sensors the readings are (default: manifest.json here; without one, each series is a node of its own)",
		)
		.addOption(mapOption())
		.addOption(zoneOption())
		.option(
			"--every <duration>",
			"time between samples, instead of the manifest's or the recording's",
			durationOption,
		)
		.option("--heartbeat <duration>", "longest silence, instead of the manifest's or 15m", durationOption)
		.option("--json", "print one JSON object")
		.action((file: string, options: HistoryOptions) => history(file, options));
}

async function history(file: string, options: HistoryOptions): Promise<void> {
	const { manifest = existsSync(HERE) ? HERE : undefined, map, zone, every, heartbeat } = options;
	const [{ recordedNodes }, { savingsText }] = await Promise.all([
		import("./history/recorded-nodes"),
		import("./history/text"),
	]);
	const { nodes, warnings } = recordedNodes(file, {
		...(manifest === undefined ? {} : { manifest }),
		...(map === undefined ? {} : { columns: map }),
		...(zone === undefined ? {} : { zone }),
		...(every === undefined ? {} : { every }),
		...(heartbeat === undefined ? {} : { heartbeat }),
	});
	for (const warning of warnings) process.stderr.write(`${printableLines(warning)}\n`);
	const savings: Savings[] = nodes.map((node) => node.savings());
	if (options.json) process.stdout.write(`${JSON.stringify({ file, manifest, warnings, nodes: savings })}\n`);
	else process.stdout.write(printableLines(savingsText(savings, manifest)));
}
