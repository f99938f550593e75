import { chooseColumn } from "../../sim/sensors/column-choice";
import { readReadings } from "../../sim/sensors/csv";
import { namesText } from "../../sim/sensors/names-text";
import { type ColumnNames, columnOf } from "../../sim/sensors/replay";
import { ReplayError } from "../../sim/sensors/replay-error";
import { formatDuration } from "../../src/config/duration";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { JSONDocument } from "../config/json";
import { type LoadedManifest, loadManifest } from "../config/load";
import { formatProblem } from "../config/problem";
import { deviceSettings, largestPackets } from "../config/sizes";
import { Failure } from "../failure";
import { changed } from "../meaning/changed-settings";
import { type RecordedSeries, recordedSeries } from "./recorded-series";
import { RecordedNode, type RecordedSensor } from "./savings";

export interface HistoryOptions {
	/** Path; undefined: each series is the only sensor of a node. */
	readonly manifest?: string;
	/** Series by the names of sensors. */
	readonly columns?: ColumnNames;
	/** Time zone of times without one. */
	readonly zone?: string;
	/** Instead of those of the sensors, ms. */
	readonly every?: number;
	readonly heartbeat?: number;
}

/** The nodes whose readings a file has. @throws {Failure} and {ReplayError} */
export function recordedNodes(
	file: string,
	options: HistoryOptions,
): { readonly nodes: readonly RecordedNode[]; readonly warnings: readonly string[] } {
	const readings = readReadings(file, options.zone === undefined ? {} : { zone: options.zone });
	const { warnings } = "table" in readings ? readings.table : readings.series;
	const series = recordedSeries(readings).filter(({ values }) =>
		values.some((value) => !Number.isNaN(value)),
	);
	if (series.length === 0) throw new ReplayError(`${file}:1: there is no reading in it`);
	const [mapped] = options.columns?.keys() ?? [];
	if (options.manifest === undefined && mapped !== undefined)
		throw new Failure(
			`--map ${mapped}: there is no manifest whose sensors could be mapped; name it with --manifest`,
		);
	if (options.manifest === undefined) return { nodes: lonelyNodes(series, options), warnings };
	const { node, left } = configuredNode(file, series, requireManifest(options.manifest), options);
	return { nodes: [node], warnings: [...warnings, ...left] };
}

function requireManifest(path: string): LoadedManifest {
	const loaded = loadManifest(path, process.env);
	if ("manifest" in loaded) return loaded.manifest;
	throw new Failure(loaded.problems.map(formatProblem).join("\n"));
}

/** A node for each series, with one sensor, which has the name of the series. */
function lonelyNodes(
	series: readonly RecordedSeries[],
	{ every, heartbeat }: HistoryOptions,
): readonly RecordedNode[] {
	// Thousands of series mostly have one step: their settings are read once.
	const byPeriod = new Map<number, Settings>();
	return series.map((each) => {
		const period = every ?? each.step;
		const settings = byPeriod.get(period) ?? lonelySettings(period);
		byPeriod.set(period, settings);
		const sensors = settings.sensors.map((sensor) =>
			changed(sensor, { name: each.name, unit: each.unit, heartbeat }),
		);
		return nodeOf(settings, sensors, [{ series: each, convert: (value) => value }]);
	});
}

function lonelySettings(every: number): Settings {
	const firefly = {
		wifi: { ssid: "history" },
		broker: { url: "mqtt://192.168.1.10" },
		sensors: [{ name: "value", driver: "replay", property: "value", every: formatDuration(every) }],
	};
	return deviceSettings(new JSONDocument("history", JSON.stringify({ config: { firefly } })), {});
}

/** The manifest's node with those of its sensors that the file has. */
function configuredNode(
	file: string,
	series: readonly RecordedSeries[],
	{ device }: LoadedManifest,
	{ columns = new Map(), every, heartbeat }: HistoryOptions,
): { readonly node: RecordedNode; readonly left: readonly string[] } {
	const names = series.map(({ name }) => name);
	const sensors: SensorSettings[] = [];
	const recorded: RecordedSensor[] = [];
	const left: string[] = [];
	for (const name of columns.keys())
		if (!device.settings.sensors.some((sensor) => sensor.name === name))
			throw new Failure(
				`--map ${name}: there is no such sensor; there are ${device.settings.sensors.map((sensor) => sensor.name).join(", ")}`,
			);
	for (const sensor of device.settings.sensors) {
		const { name, property, driver } = sensor;
		const declared = device.drivers.get(driver)?.properties[property.join(".")];
		const replayed = { name, property, unit: sensor.unit ?? declared?.unit };
		if (!columns.has(name) && chooseColumn(replayed, names) < 0) {
			left.push(`${file}: no series for ${name}, which is left out; choose one with --map ${name}=COLUMN`);
			continue;
		}
		const { index, convert } = columnOf(file, names, replayed, columns, (i) => series[i].unit);
		sensors.push(
			changed(sensor, {
				unit: replayed.unit,
				...(every === undefined ? {} : withEvery(sensor, every)),
				...(heartbeat === undefined ? {} : { heartbeat }),
			}),
		);
		recorded.push({ series: series[index], convert, delta: declared?.delta });
	}
	if (sensors.length === 0)
		throw new ReplayError(
			`${file}:1: no series fits a sensor of the manifest; there are ${namesText(names)}; choose one with --map ${device.settings.sensors[0]?.name ?? "SENSOR"}=COLUMN`,
		);
	return { node: nodeOf(device.settings, sensors, recorded), left };
}

function withEvery({ samples, spacing }: SensorSettings, every: number): Partial<SensorSettings> {
	return spacing === undefined ? { every } : { every, spacing: Math.min(spacing, every / samples) };
}

function nodeOf(
	settings: Settings,
	sensors: readonly SensorSettings[],
	recorded: readonly RecordedSensor[],
): RecordedNode {
	const node = changed(settings, { sensors });
	return new RecordedNode(node, recorded, largestPackets(node).report ?? 0);
}
