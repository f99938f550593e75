import { isIP } from "node:net";
import type { Settings } from "../../src/config/types";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { deviceSettings, largestAnnouncement } from "./sizes";

const root: Path = ["config", "firefly"];
/** Names that the status page's port always knows. */
const LOCALHOST = "localhost";
/** Of a chip that opens the network itself. */
const ACCESS_POINT_ADDRESS = "192.168.4.1";

/** Warns of what the broker of a device would refuse its own node. */
export function ownBrokerWarnings(document: ManifestView, overrides: Overrides): readonly Problem[] {
	if (valueAt(document.value, [...root, "role"]) !== "both") return [];
	const settings = deviceSettings(document, overrides);
	return isOwnBroker(settings)
		? [...announcementWarnings(document, settings), ...nameWarnings(document, settings)]
		: [];
}

/** Whether the node reports to the broker beside it, as far as the URL says. */
function isOwnBroker({ broker, listen, wifi }: Settings): boolean {
	const { host, port, transport } = broker;
	if (port !== (transport === undefined ? listen.port : listen.webSocket)) return false;
	return (
		host === LOCALHOST ||
		host.startsWith("127.") ||
		host === `${listen.mdns}.local` ||
		(wifi?.mode === "accessPoint" && host === ACCESS_POINT_ADDRESS) ||
		// A name and a port of this device: another broker would hardly have both.
		(transport === "ws" && isIP(host) === 0)
	);
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
