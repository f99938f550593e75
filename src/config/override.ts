import { commandReceiveMaximum, sessionExpirySeconds } from "./command-session";
import { readField } from "./field-reader";
import type { Field, Fields } from "./fields/field";
import { fireflyFields } from "./fields/firefly";
import { Section } from "./section";
import type { BrokerSettings, SensorSettings, Settings } from "./types";
import { type LayeredTransport, parseBrokerURL } from "./url";

/** Values by key. */
interface Given {
	[key: string]: unknown;
}

type OnProblem = (text: string) => void;

/**
 * Settings with other values for some of them, as the command `set` has them: an object of the form of
 * `config.firefly`, in which sensors are known by their names. Only rows marked `settable` may occur. What is
 * wrong is reported with its path and left out. The result has the settings as its prototype, and holds only
 * what differs.
 * @param onProblem called for each problem
 */
export function overrideSettings(settings: Settings, overrides: unknown, onProblem: OnProblem): Settings {
	const root = new Section(overrides, "settings", onProblem);
	const given: Given = {};
	for (const key of root.keys) {
		const row = rowOf(fireflyFields, key);
		if (row?.kind === "section") {
			const values = readSection(root, key, row.fields, settings.broker.transport, onProblem);
			const base = (settings as unknown as Given)[key];
			if (Object.keys(values).length > 0) given[key] = inherit(base as object, values);
		} else if (key === "sensors") given.sensors = overrideSensors(root, settings.sensors, onProblem);
		else refuseRow(root, key, row);
	}
	const { minimum, maximum } = inherit(settings, given).backoff;
	if (maximum < minimum) {
		onProblem(`settings.backoff: maximum, ${maximum} ms, is less than minimum, ${minimum} ms`);
		delete given.backoff;
	}
	if (given.sensors !== undefined || given.broker !== undefined)
		given.broker = withSession(inherit(settings, given));
	return inherit(settings, given);
}

/** An object with values of its own, and all others of its prototype, which may be frozen. */
function inherit<T extends object | null>(template: T, own: Given): T {
	return { __proto__: template, ...own } as unknown as T;
}

/** @param transport of the broker that is configured */
function readSection(
	root: Section,
	key: string,
	rows: Fields,
	transport: LayeredTransport | undefined,
	onProblem: OnProblem,
): Given {
	const values = readRows(root.section(key), rows, onProblem);
	if (key === "time" && values.server === false) values.server = undefined;
	if (key !== "broker" || values.url === undefined) return values;
	const { url, ...others } = values;
	const address = parseBrokerURL(String(url));
	if (typeof address === "string") return others;
	// An image has the transport that it was built for; TLS could not be verified without its settings.
	if (address.transport !== transport)
		return root.section(key).refuse("url", `has another scheme than ${transport ?? "mqtt"}`, others);
	return { ...others, ...(transport === undefined ? {} : { path: undefined }), ...address };
}

/** The values of the settable rows that an object has. */
function readRows(section: Section, rows: Fields, onProblem: OnProblem): Given {
	const values: Given = {};
	for (const key of section.keys) {
		const row = rowOf(rows, key);
		if (row === undefined || row.settable === undefined || row.kind === "section") {
			refuseRow(section, key, row);
			continue;
		}
		let isWrong = false;
		const single = new Section({ [key]: section.value(key) }, section.path, (text) => {
			isWrong = true;
			onProblem(text);
		});
		const value = readField(single, key, row, undefined, undefined);
		if (!isWrong) values[key] = value;
	}
	return values;
}

function overrideSensors(
	root: Section,
	sensors: readonly SensorSettings[],
	onProblem: OnProblem,
): readonly SensorSettings[] {
	const result = [...sensors];
	for (const entry of root.list("sensors", sensors.length)) {
		const name = entry.value("name");
		const index = sensors.findIndex((sensor) => sensor.name === name);
		if (index < 0) {
			entry.refuse("name", "is not the name of a sensor", undefined);
			continue;
		}
		// Without a prototype, which a key of that name would set instead of being refused
		const rest = inherit<Given | null>(null, {}) as Given;
		for (const key of entry.keys) if (key !== "name") rest[key] = entry.value(key);
		const section = new Section(rest, `${root.path}.sensors.${name}`, onProblem);
		result[index] = inherit(result[index], readRows(section, fireflyFields.sensors.fields, onProblem));
	}
	return result;
}

/** The session has to outlast the gaps that there are now. */
function withSession({ broker, sensors }: Settings): BrokerSettings {
	return inherit(broker, {
		receiveMaximum: commandReceiveMaximum(broker.version),
		sessionExpiry: Math.max(broker.sessionExpiry, sessionExpirySeconds(sensors)),
	});
}

function refuseRow(section: Section, key: string, row: Field | undefined): void {
	section.refuse(key, row === undefined ? "is not a known key" : "cannot be set by a command", undefined);
}

/** The row of a key; undefined: there is none. */
function rowOf(rows: Fields, key: string): Field | undefined {
	return Object.hasOwn(rows, key) ? rows[key] : undefined;
}
