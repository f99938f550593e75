import { ranges } from "../src/config/ranges";
import { type BrokerSettings, readSettings, type Settings } from "../src/config/settings";
import type { JSONObject } from "./manifest/read";
import { isAddress } from "./network/socket";
import { virtualHash } from "./password";

/** A board that a simulation needs. */
export interface BoardPlan {
	/** Its name in events. */
	readonly name: string;
	readonly role: "sensor" | "broker";
	/** What its firmware reads as `mc/config`. */
	readonly config: JSONObject;
	readonly settings: Settings;
	/** IPv4, on the virtual network. */
	readonly address: string;
	readonly mac: string;
	/** Runs a broker, alone or beside its sensors. */
	readonly serves: boolean;
}

export interface Plan {
	/** In the order in which power comes on. */
	readonly boards: readonly BoardPlan[];
	/** Names on the virtual network and their addresses. */
	readonly names: ReadonlyMap<string, string>;
	/** What the configuration says of itself that the firmware would trace. */
	readonly complaints: readonly string[];
}

export const CHIP = "esp32";
/** Of the desk that looks on. */
export const DESK_ADDRESS = "192.168.4.10";
const SENSOR_MAC = "02f1ef1f0001";
const SENSOR_ADDRESS = "192.168.4.11";
export const BROKER_MAC = "02f1ef1f00b0";
const BROKER_ADDRESS = "192.168.4.2";
/** For WebSocket and the status page, where the configuration names no port. */
const WEB_PORT = 8080;
const BROKER_NAME = "broker";

/**
 * The boards for a configuration: one that runs it, and, where it reports to a broker that nobody else plays, one that runs the
 * firmware as that broker, at the address that the configuration gives.
 * @param outside whether the broker is outside the simulation @param page whether a broker that the simulation adds also serves WebSocket and its status page
 */
export function planBoards(config: JSONObject, outside: boolean, page = false): Plan {
	const complaints: string[] = [];
	const settings = readSettings(config, { mac: SENSOR_MAC, chip: CHIP }, (message) => complaints.push(message));
	const { host, port } = settings.broker;
	const serves = settings.role !== "sensor";
	const brokerAddress = isAddress(host) && host !== SENSOR_ADDRESS && host !== DESK_ADDRESS ? host : BROKER_ADDRESS;
	const names = new Map<string, string>();
	if (host !== "" && !isAddress(host) && !outside) names.set(host, brokerAddress);
	const node: BoardPlan = {
		name: settings.role === "broker" ? BROKER_NAME : settings.id,
		role: settings.role === "broker" ? "broker" : "sensor",
		config,
		settings,
		address: serves && !outside ? brokerAddress : SENSOR_ADDRESS,
		mac: SENSOR_MAC,
		serves,
	};
	if (outside || serves) return { boards: [node], names, complaints };
	const { config: serverConfig, complaint } = withUser(serverOf(config, port, page), settings.broker);
	if (complaint !== undefined) complaints.push(complaint);
	const server: BoardPlan = {
		name: BROKER_NAME,
		role: "broker",
		config: serverConfig,
		settings: readServer(serverConfig),
		address: brokerAddress,
		mac: BROKER_MAC,
		serves: true,
	};
	return { boards: [server, node], names, complaints };
}

/** The same configuration as a broker: wired, without sensors, at the port that the node expects, open to all unless it says otherwise. */
function serverOf(config: JSONObject, port: number, page: boolean): JSONObject {
	const { wifi: _wifi, sensors: _sensors, ...firefly } = objectOf(config.firefly);
	const { wifi_ssid: _ssid, wifi_password: _password, ...rest } = config;
	const open = { anonymous: true, ...(page ? { webSocket: port === WEB_PORT ? WEB_PORT + 1 : WEB_PORT } : {}) };
	return { ...rest, firefly: { ...firefly, role: "broker", sensors: [], listen: { ...open, ...objectOf(firefly.listen), port } } };
}

function readServer(config: JSONObject): Settings {
	return readSettings(config, { mac: BROKER_MAC, chip: CHIP }, () => {});
}

/** It stands for a broker that the node may log in to: where that is not for all, the node's user is one of those who may. */
function withUser(config: JSONObject, { username, password = "" }: BrokerSettings): { config: JSONObject; complaint?: string } {
	const { users, anonymous } = readServer(config).listen;
	if (username === undefined || (anonymous && users.length === 0) || users.some(({ name }) => name === username)) return { config };
	if (users.length === ranges.listen.users)
		return { config, complaint: `the simulated broker has no room in listen.users for ${username}, who reports to it` };
	const firefly = objectOf(config.firefly);
	const listen = objectOf(firefly.listen);
	const known = { ...objectOf(listen.users), [username]: virtualHash(username, password) };
	return { config: { ...config, firefly: { ...firefly, listen: { ...listen, users: known } } } };
}

export function objectOf(value: unknown): JSONObject {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JSONObject) : {};
}
