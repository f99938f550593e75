import { deviceClassOf, isBinary } from "../../src/config/binary-value";
import { defaults } from "../../src/config/defaults";
import { homeAssistantIdProblem, homieNameProblem, homieTopic } from "../../src/config/discovery";
import { discoveryFields } from "../../src/config/fields/discovery";
import type { SensorSettings } from "../../src/config/types";
import {
	binaryDeviceClasses,
	deviceClasses,
	sameUnit,
	stateClassesOf,
	unitOfStateClass,
	unitsOf,
} from "./device-classes";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { didYouMean, nearest } from "./suggest";

const root: Path = ["config", "firefly"];
type Get = (...path: (string | number)[]) => unknown;

/** Formats in which the node is to announce itself, as they are written; undefined: it is not to. */
function writtenFormats(document: ManifestView): readonly unknown[] | undefined {
	const value = valueAt(document.value, [...root, "discovery"]);
	if (value === undefined) return undefined;
	const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
	const formats = isObject ? (value as { readonly formats?: unknown }).formats : value;
	return formats === undefined ? [] : Array.isArray(formats) ? formats : [formats];
}

/** Those of them that there are; undefined: there is no discovery. */
export function configuredFormats(document: ManifestView): readonly string[] | undefined {
	const known: readonly string[] = discoveryFields.formats.choices;
	return writtenFormats(document)?.filter((format): format is string => known.includes(String(format)));
}

/** What cannot be announced as it is configured. */
export function discoveryProblems(document: ManifestView): Problem[] {
	const formats = configuredFormats(document);
	if (formats === undefined) return [];
	const problems: Problem[] = [];
	const get: Get = (...path) => valueAt(document.value, [...root, ...path]);
	const refuse = (path: Path, message: string): void => {
		problems.push(document.at([...root, ...path], message));
	};
	if (writtenFormats(document)?.length === 0)
		refuse(["discovery"], 'needs "formats": "homeassistant", "homie", both in a list, or "none"');
	if (formats.includes("none") && formats.length > 1)
		refuse(["discovery"], '"none" takes back what was announced, and goes with no other format');
	if (formats.includes("homeassistant")) checkHomeAssistant(get, document, refuse);
	if (formats.includes("homie")) checkHomie(get, refuse);
	return problems;
}

type Report = (path: Path, message: string) => void;

function checkHomeAssistant(get: Get, document: ManifestView, refuse: Report): void {
	const id = get("id");
	const wrong = typeof id === "string" ? homeAssistantIdProblem(id) : undefined;
	if (wrong !== undefined) refuse(["id"], `${JSON.stringify(id)} ${wrong}`);
	for (const { path, deviceClass, unit, unitPath, binary } of announcedSensors(document)) {
		const stateClass = String(get(...path, "stateClass"));
		const needed = binary ? undefined : unitOfStateClass(stateClass);
		if (needed !== undefined && unit !== needed)
			refuse(
				[...path, "stateClass"],
				`${JSON.stringify(stateClass)} needs the unit ${needed}, and Home Assistant takes no other`,
			);
		if (deviceClass === undefined) continue;
		const known = binary ? binaryDeviceClasses : deviceClasses;
		if (!known.includes(deviceClass)) {
			const kind = binary ? "values that are on or off" : "numbers";
			const suggestion = didYouMean(nearest(deviceClass, known));
			refuse(
				[...path, "deviceClass"],
				`${JSON.stringify(deviceClass)} is no device class of Home Assistant for ${kind}${suggestion}`,
			);
			continue;
		}
		if (binary) continue;
		const units = unitsOf(deviceClass);
		if (units.some((known) => sameUnit(known, unit ?? ""))) continue;
		const allowed = units.map((known) => (known === "" ? 'none, which is ""' : known)).join(", ");
		refuse(
			unitPath,
			unit === undefined
				? `lacks the unit that Home Assistant wants for ${deviceClass}: ${allowed}`
				: `${JSON.stringify(unit)} is no unit that Home Assistant takes for ${deviceClass}: ${allowed}`,
		);
	}
}

function checkHomie(get: Get, refuse: Report): void {
	const id = get("id");
	if (typeof id === "string") refuseName(["id"], id, refuse);
	const domain = get("discovery", "domain");
	const topic = homieTopic(typeof domain === "string" ? domain : discoveryFields.domain.default);
	if (get("topic") !== undefined && get("topic") !== topic)
		refuse(
			["topic"],
			`${JSON.stringify(get("topic"))} is not ${topic}, where the Homie convention wants the values; leave it out`,
		);
	if ((get("payload") ?? defaults.payload) !== "value")
		refuse(["payload"], "is none that the Homie convention has: it wants bare values");
	if (get("broker", "will") !== undefined)
		refuse(["broker", "will"], "is set by the Homie convention, which needs it; leave it out");
	const sensors = get("sensors");
	for (const index of Array.isArray(sensors) ? sensors.keys() : []) {
		const name = get("sensors", index, "name");
		if (typeof name === "string") refuseName(["sensors", index, "name"], name, refuse);
		if (get("sensors", index, "retain") === false)
			refuse(["sensors", index, "retain"], "false is against the Homie convention, which retains all values");
	}
}

function refuseName(path: Path, text: string, refuse: Report): void {
	const problem = homieNameProblem(text);
	if (problem !== undefined) refuse(path, `${JSON.stringify(text)} ${problem}`);
}

/** What is announced, but hardly as it is meant. @param warn path below `config.firefly`, and message */
export function discoveryWarnings(document: ManifestView, warn: Report): void {
	const formats = configuredFormats(document);
	const get: Get = (...path) => valueAt(document.value, [...root, ...path]);
	if (formats?.includes("homie")) warnOfHyphens(get, warn);
	for (const { path, deviceClass } of announcedSensors(document)) {
		for (const key of ["deviceClass", "stateClass", "icon"])
			if (formats === undefined && get(...path, key) !== undefined)
				warn([...path, key], "has no effect without discovery");
		if (!formats?.includes("homeassistant")) continue;
		const stateClass = get(...path, "stateClass");
		if (deviceClass !== undefined && deviceClasses.includes(deviceClass) && typeof stateClass === "string") {
			const suitable = stateClassesOf(deviceClass);
			if (stateClass !== "none" && !suitable.includes(stateClass))
				warn(
					[...path, "stateClass"],
					`${JSON.stringify(stateClass)} does not suit ${deviceClass}; Home Assistant expects ${suitable.join(" or ")}`,
				);
		}
		if (get(...path, "retain") === false)
			warn([...path, "retain"], "false: after a restart Home Assistant knows no value until the next report");
	}
}

/** The convention once forbade them, and node-homie 5 still does. */
function warnOfHyphens(get: Get, warn: Report): void {
	const sensors = get("sensors");
	const paths: Path[] = [["id"]];
	for (const index of Array.isArray(sensors) ? sensors.keys() : []) paths.push(["sensors", index, "name"]);
	for (const path of paths) {
		const text = get(...path);
		if (typeof text === "string" && /^-|-$/.test(text))
			warn(path, `${JSON.stringify(text)} has a hyphen at an end, which not every Homie controller takes`);
	}
}

interface AnnouncedSensor {
	/** Below `config.firefly`. */
	readonly path: (string | number)[];
	readonly deviceClass: string | undefined;
	readonly unit: string | undefined;
	readonly unitPath: Path;
	/** It is announced as on or off. */
	readonly binary: boolean;
}

/** The sensors with what their driver's manifest says, as the device reads it. */
function announcedSensors(document: ManifestView): AnnouncedSensor[] {
	const sensors = valueAt(document.value, [...root, "sensors"]);
	if (!Array.isArray(sensors)) return [];
	return sensors.map((entry, index) => {
		const sensor = Object(entry) as Readonly<Record<string, unknown>>;
		const property = String(sensor.property ?? sensor.name);
		const declared = Object(
			valueAt(document.value, ["config", "driverProperties", String(sensor.driver), property]),
		) as Readonly<Record<string, unknown>>;
		const path = ["sensors", index];
		const settings = { ...defaults.sensor, ...sensor, declared } as unknown as SensorSettings;
		return {
			path,
			deviceClass: textOf(deviceClassOf(settings)),
			unit: textOf(sensor.unit) ?? textOf(declared.unit),
			unitPath: [...path, ...(sensor.unit === undefined ? ["deviceClass"] : ["unit"])],
			binary: isBinary(settings),
		};
	});
}

function textOf(value: unknown): string | undefined {
	return typeof value === "string" ? value : undefined;
}
