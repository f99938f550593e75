import { defaults } from "../../src/config/defaults";
import { bridgeWarnings } from "./bridge";
import { configuredFormats, discoveryWarnings } from "./discovery";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];
/** TCP_WND of ESP-IDF: the bytes that the chip's TCP holds unread. */
const chipReceiveWindow = 5744;

/** What is allowed, but seldom meant: the firmware runs with it. */
export function configWarnings(document: ManifestView, overrides: Overrides): Problem[] {
	const warnings: Problem[] = [];
	const get = (...path: (string | number)[]): unknown => valueAt(document.value, [...root, ...path]);
	const warn = (path: Path, message: string): void => {
		warnings.push(document.at([...root, ...path], message));
	};
	const role = get("role") ?? defaults.role;
	const hasBroker = role === "broker" || role === "both";

	if (get("wifi") === undefined && overrides.wifi_ssid === undefined) {
		if (get() !== undefined) warn([], "has no wifi; a chip reaches nobody without");
	} else if (overrides.wifi_password === undefined && get("wifi", "password") === undefined)
		warn(
			["wifi", "ssid"],
			"has no password: only an open network is joined; put wifi.password in firefly.local.json, or set FIREFLY_WIFI_PASSWORD",
		);
	const takesCommands = get("commands") !== undefined;
	if (get("sleep", "commandWindow") !== undefined && !takesCommands)
		warn(["sleep", "commandWindow"], "has no effect without commands");
	if (takesCommands && get("broker", "cleanStart") === true)
		warn(["broker", "cleanStart"], "has no effect: commands need a session, which the broker keeps");
	if (takesCommands && role === "broker") warn(["commands"], "has no effect: only a node takes commands");

	const sensors = get("sensors");
	const expires = configuredFormats(document)?.includes("homeassistant");
	for (const index of Array.isArray(sensors) ? sensors.keys() : [])
		if (get("sensors", index, "delta") !== undefined && get("sensors", index, "heartbeat") === undefined)
			warn(
				["sensors", index, "delta"],
				`without heartbeat, a value that stays within it is not reported again, however long${expires ? "; so Home Assistant cannot tell a dead node from a steady value" : ""}`,
			);
	discoveryWarnings(document, warn);
	for (const index of Array.isArray(sensors) ? sensors.keys() : [])
		for (const key of ["table", "scale", "offset", "samples"])
			if (get("sensors", index, key) !== undefined && get("sensors", index, "decimals") === undefined) {
				warn(["sensors", index, key], "without decimals, values are published with up to 17 digits");
				break;
			}
	for (const path of [["topic"], ["broker", "will", "topic"]]) {
		const topic = get(...path);
		if (typeof topic === "string" && topic.includes(" "))
			warn(path, `${JSON.stringify(topic)} holds a space, which many tools do not take in a topic`);
	}

	if (!hasBroker) return warnings;
	bridgeWarnings(document, warn);
	const acl = get("listen", "acl");
	if (get("listen", "anonymous") === true && !(Array.isArray(acl) && acl.length > 0))
		warn(["listen", "anonymous"], "lets everybody on the network read and publish everything; acl limits it");
	if (get("listen", "tls") !== undefined)
		warn(
			["listen", "tls"],
			'is served by "firefly broker --engine node" only; the broker on a chip has no TLS and does not start with it',
		);
	const packetSize = get("listen", "packetSize");
	if (typeof packetSize === "number" && packetSize > chipReceiveWindow)
		warn(
			["listen", "packetSize"],
			`${packetSize} is more than a chip's TCP holds, ${chipReceiveWindow}: longer packets never arrive whole`,
		);
	return warnings;
}
