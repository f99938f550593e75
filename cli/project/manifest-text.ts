import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { CHIP_ITERATIONS, hashPassword } from "../passwd/hash";
import { neededOptions } from "./boards";
import { hasBroker, hasSensors, MDNS_NAME, type Project } from "./project";

const EVERY = "60s";
const HEARTBEAT = "15m";
const PORT = 1883;
const WEB_PORT = 8080;
/** Of a broker that takes what nodes announce: larger packets, and fewer live pages at once. */
const ANNOUNCED = { packetSize: 1280, retainedBytes: 6144, webSockets: 2 };
/** The same beside a node, which needs memory too. */
const OWN_ANNOUNCED = { packetSize: 1280, retainedBytes: 4096, webSockets: 1 };

/** Files of the firmware, by role: an image with one role is half the size. */
const images = { sensor: "manifest_sensor.json", broker: "manifest_broker.json", both: "manifest.json" };

/** `manifest.json` of a project. */
export function manifestText(project: Project): string {
	const { firefly: path, role, driver, name } = project;
	const include = [
		`${path}/firmware/${images[role]}`,
		...(hasBroker(project) ? [`${path}/firmware/mdns/manifest.json`] : []),
		...(driver === undefined ? [] : [`${path}/firmware/drivers/${driver.name}/manifest.json`]),
	];
	const firefly = {
		role,
		id: `${name}-{mac}`,
		...(project.wifi === undefined ? {} : { wifi: { ssid: project.wifi.ssid } }),
		...(hasSensors(project)
			? {
					broker: brokerOf(project),
					...(project.discovery === "none" ? {} : { discovery: project.discovery }),
					// Homie decides where values are.
					...(project.discovery === "homie" ? {} : { topic: "home/{id}/{sensor}" }),
					...(driver?.declaration.awakeOnly === undefined ? {} : { sleep: { mode: "none" } }),
					sensors: sensorsOf(project),
				}
			: {}),
		...(hasBroker(project) ? { listen: listenOf(project) } : {}),
	};
	const manifest = { $schema: `${path}/docs/manifest.schema.json`, include, config: { firefly } };
	return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function brokerOf({ broker, credentials }: Project): object {
	return { url: broker, ...(credentials === undefined ? {} : { username: credentials.user }) };
}

/** Everything that the driver measures. */
function sensorsOf({ driver, board }: Project): readonly object[] {
	if (driver === undefined) return [];
	const { name, declaration } = driver;
	const options = neededOptions(declaration, board);
	return Object.entries(declaration.properties).map(([property, declared]) => ({
		// The Homie convention takes no capital letters.
		name: property.slice(property.lastIndexOf(".") + 1).toLowerCase(),
		driver: name,
		...(Object.keys(options).length === 0 ? {} : { options }),
		property,
		...reportingOf(declared),
	}));
}

function reportingOf({ unit, decimals, delta }: PropertyDeclaration): object {
	return {
		...(unit === undefined ? {} : { unit }),
		every: EVERY,
		decimals,
		...(delta === undefined ? {} : { delta, heartbeat: HEARTBEAT }),
	};
}

function listenOf({ credentials, discovery, role }: Project): object {
	const announced = role === "broker" ? ANNOUNCED : discovery === "none" ? {} : OWN_ANNOUNCED;
	const ports = { port: PORT, webSocket: WEB_PORT, mdns: MDNS_NAME, ...announced };
	if (credentials?.password === undefined) return { ...ports, anonymous: true };
	return { ...ports, users: { [credentials.user]: hashPassword(credentials.password, CHIP_ITERATIONS) } };
}

/** `firefly.local.json`: the secrets; undefined if there are none. */
export function localText({ wifi, credentials, role }: Project): string | undefined {
	const password = role === "broker" ? undefined : credentials?.password;
	if (wifi?.password === undefined && password === undefined) return undefined;
	const local = {
		...(wifi?.password === undefined ? {} : { wifi: { password: wifi.password } }),
		...(password === undefined ? {} : { broker: { password } }),
	};
	return `${JSON.stringify(local, undefined, 2)}\n`;
}
