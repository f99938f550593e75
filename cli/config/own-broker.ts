import { isIP } from "node:net";
import type { Settings } from "../../src/config/types";
import { deriveSettings } from "../../src/sensor/settings/derived-settings";
import { changed } from "../meaning/changed-settings";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import { ownAccessWarnings } from "./own-broker-access";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { announcements, deviceSettings, largestAnnouncement, largestPackets } from "./sizes";

const root: Path = ["config", "firefly"];
/** Names that the status page's port always knows. */
const LOCALHOST = "localhost";
/** Of a chip that opens the network itself. */
const ACCESS_POINT_ADDRESS = "192.168.4.1";

/** Warns of what the broker of a device would refuse its own node. */
export function ownBrokerWarnings(document: ManifestView, overrides: Overrides): readonly Problem[] {
	if (valueAt(document.value, [...root, "role"]) !== "both") return [];
	const settings = deviceSettings(document, overrides);
	if (!hasPort(settings)) return isThisDevice(settings) ? [portWarning(document, settings)] : [];
	// A name and a port of this device: another broker would hardly have both.
	const isNamed = settings.broker.transport === "ws" && isIP(settings.broker.host) === 0;
	if (!isThisDevice(settings) && !isNamed) return [];
	return [
		...announcementWarnings(document, settings),
		...nameWarnings(document, settings),
		...reportWarnings(document, settings),
		...(isThisDevice(settings) ? ownAccessWarnings(document, overrides) : []),
	];
}

/** Whether the broker of the URL is on this device, if it is there at all. */
function isThisDevice({ broker: { host }, listen, wifi }: Settings): boolean {
	return (
		host === LOCALHOST ||
		host.startsWith("127.") ||
		host === `${listen.mdns}.local` ||
		(wifi?.mode === "accessPoint" && host === ACCESS_POINT_ADDRESS)
	);
}

/** Whether the broker of this device has the port of the URL. */
function hasPort({ broker: { port, transport }, listen }: Settings): boolean {
	return port === (transport === undefined ? listen.port : listen.webSocket);
}

function portWarning(document: ManifestView, { broker, listen }: Settings): Problem {
	const { host, port } = broker;
	const { webSocket } = listen;
	const ports = `port ${listen.port}${webSocket === undefined ? "" : `, and ${webSocket} for ws://`}`;
	const url = [...root, "broker", "url"];
	return document.at(
		valueAt(document.value, url) === undefined ? root : url,
		`${host} is this device, whose own broker has ${ports}, not ${broker.transport ?? "mqtt"}:// at ${port}`,
	);
}

/** A report, or its retained value, that has no place in the broker: the node waits for ever. */
function reportWarnings(document: ManifestView, settings: Settings): readonly Problem[] {
	const { listen, sensors } = settings;
	// Reports of several sensors are split before they are too large.
	const report = Math.max(
		0,
		...sensors.map((sensor) => largestPackets(changed(settings, { sensors: [sensor] })).report),
	);
	const retained = retainedTopics(settings);
	const needs = [
		{ key: "packetSize", needed: report, what: `what a report of one sensor takes, up to ${report} bytes` },
		{ key: "retainedTopics", needed: retained, what: `what this node alone retains, ${retained} topics` },
	] as const;
	const path = [...root, "listen"];
	return needs
		.filter(({ key, needed }) => listen[key] < needed)
		.map(({ key, needed, what }) => {
			const isWritten = valueAt(document.value, [...path, key]) !== undefined;
			const place = isWritten ? [...path, key] : valueAt(document.value, path) === undefined ? root : path;
			return document.at(
				place,
				`${isWritten ? listen[key] : `${key}, ${listen[key]},`} is less than ${what}: its own broker refuses that; set ${key} to ${needed} or more`,
			);
		});
}

/** Topics whose values the node's reports and announcements leave with the broker. */
function retainedTopics(settings: Settings): number {
	const { sensors } = settings;
	const names = deriveSettings(settings).topics.map((topic) => topic.map(String).join("\0"));
	const topics = new Set(names.filter((_, index) => sensors[index]!.retain));
	return topics.size + [...announcements(settings)].length;
}

/** A message of discovery that has no place: the node reports as usual, and nobody is told what it has. */
function announcementWarnings(document: ManifestView, settings: Settings): readonly Problem[] {
	const { packet } = largestAnnouncement(settings);
	const listen = [...root, "listen"];
	return (["packetSize", "retainedBytes"] as const)
		.filter((key) => settings.listen[key] < packet)
		.map((key) => {
			const isWritten = valueAt(document.value, [...listen, key]) !== undefined;
			const path = isWritten
				? [...listen, key]
				: valueAt(document.value, listen) === undefined
					? [...root, "discovery"]
					: listen;
			return document.at(
				path,
				`${isWritten ? settings.listen[key] : `${key}, ${settings.listen[key]},`} is less than what this node announces itself with, up to ${packet} bytes: its own broker refuses that; set ${key} to ${packet} or more`,
			);
		});
}

/** A WebSocket by a name that the broker does not know is refused with status 421. */
function nameWarnings(document: ManifestView, { broker, listen }: Settings): readonly Problem[] {
	const { host, transport } = broker;
	const known = [LOCALHOST, `${listen.mdns}.local`, ...listen.hosts];
	if (transport !== "ws" || isIP(host) !== 0 || known.includes(host.toLowerCase())) return [];
	return [
		document.at(
			[...root, "broker", "url"],
			`${JSON.stringify(host)} is no name that this device's own broker answers a WebSocket by; add it to listen.hosts`,
		),
	];
}
