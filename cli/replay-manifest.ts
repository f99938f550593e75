import { basename } from "node:path";
import { type ReadingOptions, readRecording } from "../sim/sensors/csv";
import { gridStepOf } from "../sim/sensors/timeline";
import { formatDuration } from "../src/config/duration";
import { limits } from "../src/config/limits";
import { JSONDocument } from "./config/json";
import { checkDocument, type Loaded } from "./config/load";
import type { Overrides } from "./config/overrides";

/**
 * The configuration for a recording without one: each column is a sensor, each row one JSON report with the
 * unmodified values, at the recording's interval on an absolute grid. The outbox holds more than an hour of
 * one report per minute.
 * @param ownManifest Firefly's own manifest; supplies path and firmware
 */
export function replayManifest(
	csv: string,
	ownManifest: string,
	environment: NodeJS.ProcessEnv,
	overrides: Overrides,
	reading: ReadingOptions = {},
): Loaded {
	const recording = readRecording(csv, reading);
	const every = formatDuration(gridStepOf(recording));
	const id = sanitizeName(basename(csv).replace(/\.[^.]*$/, ""), limits.idLength);
	const firefly = {
		id,
		wifi: { ssid: "replay" },
		broker: { url: "mqtt://127.0.0.1", sendBuffer: 2048 },
		topic: "firefly/{id}",
		payload: "json",
		outbox: { size: 6000 },
		sensors: recording.columns.map((column) => ({
			name: sanitizeName(column, limits.nameLength),
			driver: "replay",
			property: column,
			every,
			grid: true,
		})),
	};
	const manifest = { include: ["./firmware/manifest.json"], config: { firefly } };
	return checkDocument(
		new JSONDocument(`${csv} as a configuration`, JSON.stringify(manifest)),
		ownManifest,
		environment,
		overrides,
	);
}

/** Converts any text to a name. */
function sanitizeName(text: string, length: number): string {
	return text.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, length) || "_";
}
