import { comesBack, joinedProblem, loopProblem } from "../../src/config/bridge";
import { defaults } from "../../src/config/defaults";
import { parseDuration } from "../../src/config/duration";
import { bridgeFields, bridgeTopicFields } from "../../src/config/fields/bridge";
import { filtersOverlap } from "../../src/config/filter-overlap";
import type { BridgeTopicSettings } from "../../src/config/settings";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];
type Warn = (path: Path, message: string) => void;

/** What of a bridge cannot work as it is configured. Values that the schema rejects are skipped. */
export function bridgeProblems(document: ManifestView, overrides: Overrides): Problem[] {
	const problems: Problem[] = [];
	const get = (...path: Path): unknown => valueAt(document.value, [...root, ...path]);
	const refuse = (path: Path, message: string): void => {
		problems.push(document.at([...root, ...path], message));
	};
	if (get("bridge") === undefined) return problems;
	if ((get("role") ?? defaults.role) === "sensor")
		refuse(["bridge"], 'needs "role": "broker" or "both": it joins the broker on this device to another one');
	if (get("bridge", "url") === undefined && overrides.bridge_url === undefined)
		refuse(["bridge"], 'lacks "url", the other broker');
	const topics = writtenTopics(get("bridge", "topics"));
	if (topics.length === 0) refuse(["bridge"], 'lacks "topics": a bridge forwards nothing without');
	const refusesLoops = isOldVersion(document) && !triesPrivate(document);
	for (const [index, topic] of topics.entries()) {
		const problem =
			joinedProblem(topic) ?? (refusesLoops ? loopProblem(topics.slice(0, index + 1)) : undefined);
		if (problem !== undefined)
			refuse(["bridge", "topics", index, "filter"], `${JSON.stringify(topic.filter)} ${problem}`);
	}
	const minimum = parseDuration(String(get("bridge", "retryMinimum") ?? "1s"));
	const maximum = parseDuration(String(get("bridge", "retryMaximum") ?? "60s"));
	if (minimum !== undefined && maximum !== undefined && maximum < minimum)
		refuse(
			["bridge", get("bridge", "retryMaximum") === undefined ? "retryMinimum" : "retryMaximum"],
			"makes retryMaximum less than retryMinimum",
		);
	return problems;
}

/** What of a bridge is allowed, but seldom meant. */
export function bridgeWarnings(document: ManifestView, warn: Warn): void {
	const get = (...path: Path): unknown => valueAt(document.value, [...root, ...path]);
	const topics = writtenTopics(get("bridge", "topics"));
	const isKept =
		get("listen", "persist") === true && parseDuration(String(get("listen", "persistInterval"))) === 0;
	if (!isKept) warnOfRestarts(topics, warn);
	if (isOldVersion(document) && triesPrivate(document)) warnOfReturns(topics, warn);
	for (const [index, topic] of topics.entries()) {
		const other = topics.slice(0, index).findIndex((earlier) => comesTwice(earlier, topic));
		if (other >= 0)
			warn(
				["bridge", "topics", index, "filter"],
				`${JSON.stringify(topic.filter)} overlaps topics[${other}] at the other broker: one that sends a message once for each subscription sends what both have twice, and it is published here twice`,
			);
	}
}

function isOldVersion(document: ManifestView): boolean {
	return (valueAt(document.value, [...root, "bridge", "version"]) ?? bridgeFields.version.default) === 4;
}

function triesPrivate(document: ManifestView): boolean {
	return (
		(valueAt(document.value, [...root, "bridge", "tryPrivate"]) ?? bridgeFields.tryPrivate.default) === true
	);
}

/** Rows whose messages would come back, over MQTT 3.1.1, from a broker that does not know bridges. */
function warnOfReturns(topics: readonly BridgeTopicSettings[], warn: Warn): void {
	for (const [index, topic] of topics.entries()) {
		const out = topics.findIndex((other) => comesBack(other, topic));
		if (out < 0) continue;
		const names = out === index ? "what it sends out" : `what topics[${out}] sends out`;
		warn(
			["bridge", "topics", index, "filter"],
			`${JSON.stringify(topic.filter)} has the names of ${names}: over MQTT 3.1.1 it comes in only from a broker that knows bridges by protocol level 0x84, such as mosquitto; with version 5 from any`,
		);
	}
}

/** QoS 2 over restarts of a device that does not keep its state at once. */
function warnOfRestarts(topics: readonly BridgeTopicSettings[], warn: Warn): void {
	const out = topics.findIndex(({ qos, direction }) => qos === 2 && direction !== "in");
	const index = out >= 0 ? out : topics.findIndex(({ qos }) => qos === 2);
	if (index < 0) return;
	const otherwise =
		out >= 0
			? "a restart ends the session at the other broker, with what waits there"
			: "a message that a restart interrupts may be published here twice";
	warn(
		["bridge", "topics", index, "qos"],
		`2 is exactly once over a restart of this device only with "persist": true and "persistInterval": "0s" in listen; without, ${otherwise}`,
	);
}

/** Whether two subscriptions at the other broker have topics in common (MQTT 5.0 §3.3.4, 3.1.1 §3.3.5). */
function comesTwice(one: BridgeTopicSettings, other: BridgeTopicSettings): boolean {
	if (one.direction === "out" || other.direction === "out") return false;
	return filtersOverlap(`${one.remotePrefix}${one.filter}`, `${other.remotePrefix}${other.filter}`);
}

/** The rows as they are written, with their defaults. */
function writtenTopics(value: unknown): BridgeTopicSettings[] {
	const rows: readonly unknown[] = Array.isArray(value) ? value : [];
	const { direction, qos, localPrefix, remotePrefix } = bridgeTopicFields;
	return rows.map((row) => ({
		filter: "",
		direction: direction.default,
		qos: qos.default,
		localPrefix: localPrefix.default,
		remotePrefix: remotePrefix.default,
		...(row as Partial<BridgeTopicSettings>),
	}));
}
