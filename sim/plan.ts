import { limits } from "../src/config/limits";
import { type BrokerSettings, readSettings, type Settings } from "../src/config/settings";
import { hostLabelProblem } from "../src/config/validators";
import type { JSONObject } from "./manifest/manifest-reader";
import { isAddress } from "./network/socket";
import { listenFor, nodeIdentities, requireDistinctNodes } from "./node-identities";
import { deterministicHash } from "./password";

/** A board that a simulation needs. */
export interface BoardPlan {
	/** Its name in events. */
	readonly name: string;
	readonly role: "sensor" | "broker";
	/** Content of its firmware's `mc/config`. */
	readonly config: JSONObject;
	readonly settings: Settings;
	/** IPv4, on the virtual network. */
	readonly address: string;
	readonly mac: string;
	/** Whether it runs a broker, alone or beside its sensors. */
	readonly hasBroker: boolean;
}

export interface SimulationPlan {
	/** In power-on order. */
	readonly boards: readonly BoardPlan[];
	/** Names on the virtual network and their addresses. */
	readonly names: ReadonlyMap<string, string>;
	/** Warnings about the configuration that the firmware would trace. */
	readonly warnings: readonly string[];
}

export const CHIP = "esp32";
/** Address of the observer. */
export const OBSERVER_ADDRESS = "192.168.4.10";
export const BROKER_MAC = "02f1ef1f00b0";
const BROKER_ADDRESS = "192.168.4.2";
/** For WebSocket and the status page, if the configuration has no port. */
const DEFAULT_WEB_PORT = 8080;
const BROKER_NAME = "broker";

export interface PlanOptions {
	/** Whether the broker is outside the simulation. */
	readonly externalBroker: boolean;
	/** Whether a broker that the simulation adds also serves WebSocket and its status page. */
	readonly withStatusPage?: boolean;
	/** How many boards run the configuration; default 1. */
	readonly nodes?: number;
}

/**
 * Plans the boards for a configuration: those that run it and, if they report to a broker that is not
 * otherwise present, one that runs the firmware as that broker, at the configured address.
 * @throws {ManifestError} if the configuration is not one for several nodes
 */
export function planBoards(config: JSONObject, options: PlanOptions): SimulationPlan {
	const { externalBroker, withStatusPage = false, nodes: nodeCount = 1 } = options;
	const warnings: string[] = [];
	const first = nodeIdentities(1, OBSERVER_ADDRESS)[0]!;
	const identity = { mac: first.mac, chip: CHIP };
	const configured = readSettings(config, identity, (message) => warnings.push(message));
	const isReplaced = !externalBroker && configured.broker.transport !== undefined;
	if (isReplaced)
		warnings.push(
			`the simulated broker is reached by mqtt:// instead of ${configured.broker.transport}://; --broker takes another one`,
		);
	const nodeConfig = isReplaced ? withPlainURL(config, configured) : config;
	const settings = isReplaced ? readSettings(nodeConfig, identity, () => {}) : configured;
	const { host, port } = settings.broker;
	const hasBroker = settings.role !== "sensor";
	if (settings.role === "both" && !externalBroker && port !== settings.listen.port)
		warnings.push(
			`${host}:${port} is no port of this board's own broker, ${settings.listen.port}, and no other is simulated beside it; --broker takes one`,
		);
	const brokerAddress =
		isAddress(host) && host !== first.address && host !== OBSERVER_ADDRESS ? host : BROKER_ADDRESS;
	const names = new Map<string, string>();
	const hasName = host !== "" && !isAddress(host) && !externalBroker;
	if (hasName && hasBroker) names.set(host, brokerAddress);
	const nodes = nodeIdentities(nodeCount, brokerAddress).map(({ mac, address }): BoardPlan => {
		const own = mac === identity.mac ? settings : readSettings(nodeConfig, { mac, chip: CHIP }, () => {});
		return {
			name: own.role === "broker" ? BROKER_NAME : own.id,
			role: own.role === "broker" ? "broker" : "sensor",
			config: nodeConfig,
			settings: own,
			address: hasBroker && !externalBroker ? brokerAddress : address,
			mac,
			hasBroker,
		};
	});
	const shared = requireDistinctNodes(nodes.map((node) => node.settings));
	if (shared !== undefined) warnings.push(shared);
	if (externalBroker || hasBroker) return { boards: nodes, names, warnings };
	const { config: serverConfig, warning } = withNodeUser(
		brokerConfigOf(nodeConfig, host, port, withStatusPage, listenFor(nodeCount, settings)),
		settings.broker,
	);
	if (warning !== undefined) warnings.push(warning);
	const server: BoardPlan = {
		name: BROKER_NAME,
		role: "broker",
		config: serverConfig,
		settings: readBrokerSettings(serverConfig),
		address: brokerAddress,
		mac: BROKER_MAC,
		hasBroker: true,
	};
	// A broker that announces itself by this name is found as on a real network.
	if (hasName && `${server.settings.listen.mdns}.local` !== host) names.set(host, brokerAddress);
	return { boards: [server, ...nodes], names, warnings };
}

/** Label of a host's name that ends with ".local"; undefined: it is no such name, or none to announce. */
function announcedLabel(host: string): string | undefined {
	const label = host.endsWith(".local") ? host.slice(0, -".local".length) : "";
	return hostLabelProblem(label) === undefined ? label : undefined;
}

/** The same configuration with MQTT over TCP: neither TLS nor WebSocket is simulated. */
function withPlainURL(
	{ broker_url: _url, ...rest }: JSONObject,
	{ role, broker: { host, port: configured }, listen }: Settings,
): JSONObject {
	// A board's own broker has another port for it.
	const port = role === "both" && configured === listen.webSocket ? listen.port : configured;
	const firefly = asObject(rest.firefly);
	const { tls: _tls, ...broker } = asObject(firefly.broker);
	const url = `mqtt://${host.includes(":") ? `[${host}]` : host}:${port}`;
	return { ...rest, firefly: { ...firefly, broker: { ...broker, url } } };
}

/**
 * The same configuration as a broker: wired, without sensors and what belongs to them, at the name and the
 * port that the node expects, open to anonymous clients unless configured otherwise.
 */
function brokerConfigOf(
	config: JSONObject,
	host: string,
	port: number,
	withStatusPage: boolean,
	pools: Readonly<Record<string, number>>,
): JSONObject {
	const mdns = announcedLabel(host);
	const { wifi: _wifi, sensors: _sensors, battery: _battery, ...firefly } = asObject(config.firefly);
	const { wifi_ssid: _ssid, wifi_password: _password, ...rest } = config;
	// The firmware has no TLS for a broker: the node reaches it by MQTT over TCP.
	const { tls: _tls, ...listen } = asObject(firefly.listen);
	const defaultListen = {
		anonymous: true,
		...(mdns === undefined ? {} : { mdns }),
		// Discovery is larger than what a small broker takes: this one stands for that of a house.
		...(firefly.discovery === undefined ? {} : { packetSize: 4096, retainedBytes: 8192 }),
		...pools,
		...(withStatusPage
			? { webSocket: port === DEFAULT_WEB_PORT ? DEFAULT_WEB_PORT + 1 : DEFAULT_WEB_PORT }
			: {}),
	};
	return {
		...rest,
		firefly: {
			...firefly,
			role: "broker",
			sensors: [],
			listen: { ...defaultListen, ...listen, port },
		},
	};
}

function readBrokerSettings(config: JSONObject): Settings {
	return readSettings(config, { mac: BROKER_MAC, chip: CHIP }, () => {});
}

/**
 * Adds the node's user unless anonymous clients are accepted: this board represents a broker that the node
 * can log in to.
 */
function withNodeUser(
	config: JSONObject,
	{ username, password = "" }: BrokerSettings,
): { config: JSONObject; warning?: string } {
	const { users, anonymous } = readBrokerSettings(config).listen;
	if (
		username === undefined ||
		(anonymous && users.length === 0) ||
		users.some(({ name }) => name === username)
	)
		return { config };
	if (users.length === limits.users)
		return {
			config,
			warning: `the simulated broker has no room in listen.users for ${username}, who reports to it`,
		};
	const firefly = asObject(config.firefly);
	const listen = asObject(firefly.listen);
	const known = { ...asObject(listen.users), [username]: deterministicHash(username, password) };
	return { config: { ...config, firefly: { ...firefly, listen: { ...listen, users: known } } } };
}

export function asObject(value: unknown): JSONObject {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JSONObject) : {};
}
