import { withBridgePlaces } from "../../src/bridge/places";
import { connectFields, connectSize } from "../../src/client/connect-fields";
import { defaults } from "../../src/config/defaults";
import type { PoolKey } from "../../src/config/fields/listen";
import type { ListenSettings, Settings } from "../../src/config/settings";
import { MQTTError } from "../../src/mqtt/error";
import { extensionOf } from "../../src/sensor/settings/extension";

// The figures of this file are bytes on an ESP32, whose slots take 16; chunks are counted as the simulator
// measures them, which is never less. test/memory compares them with what the firmware takes on XS.

/** Default arena of the firmware: `creation.static` of firmware/manifest.json. */
export const DEFAULT_ARENA = 94_208;
/** Its stack: `creation.stack` slots. */
export const DEFAULT_STACK = 512;
export const SLOT_SIZE = 16;

/** What the firmware takes without any role, and what growing in steps and garbage may take at its worst. */
const FIRMWARE = 2600;
const SLACK = 1536;
/** The broker without its pools, and the rest of the last block of its tables. */
const BROKER = 16_700;
/** Checking passwords, without the pools for it. */
const LOGIN = 6400;
/** Access rules without users. */
const ACCESS = 1200;
/** Storing state, without the flags of the records. */
const PERSISTENCE = 3400;
/** The second port with its page, and a connection to it besides its place and its store. */
const PAGES = 3500;
const WEB_CONNECTION = 1430;
/** Smallest store of such a connection, for its request. */
const REQUEST_STORE = 512;
/** Multicast DNS, with a message of a neighbour that is being read. */
const ANNOUNCEMENT = 6500;
/** The bridge with its client, without its place; and its buffers, in packets of the largest size. */
const BRIDGE = 12_500;
const BRIDGE_PACKETS = 6;
/** A connection, in use or waiting for its CONNECT, with its socket and its row of the tables. */
const PLACE = 704;
/** A topic alias of one connection, in both directions. */
const TOPIC_ALIAS = 22;
/** A packet identifier of a received QoS 2 message, for which every session has room. */
export const INCOMING_IDENTIFIER = 2;
const USER = 100;
const RULE = 72;
/** A sensor node without its buffers; one of its sensors, and one of their drivers; a message in flight. */
const NODE = 5300;
const SENSOR = 96;
const DRIVER = 390;
/** What is left of a driver that a node in deep sleep has closed before its exchange. */
const CLOSED_DRIVER = 64;
/** Least that is counted and not in use while drivers are open: the exchange, or what `set` takes in it. */
const NO_EXCHANGE = 3000;
/** The view of the retained extension; the windows of values with several samples. */
const EXTENSION = 128;
const WINDOWS = 96;
const BATTERY = 96;
/** Messages about the node itself, and their buffer. */
const DIAGNOSTICS = 900;
/** Reports that share a message, without their buffer and table; a row of it. */
const HISTORY = 500;
const SHARED_MESSAGE = 12;
/** Outbox in flash, while it is read after a loss of power. */
const FLASH_OUTBOX = 3400;
/** Pins that wake the node. */
const WAKE_PINS = 400;
/** A value in a JSON report: its key and its digits, in a record and in the message. */
const JSON_SENSOR = 70;
const IN_FLIGHT = 24;
/** Discovery, while the node announces itself; in the Homie convention also in every other wake. */
const DISCOVERY = 500;
const HOMIE = 300;
/** What commands take, while `set` is executed. */
const COMMANDS = 4600;
/** A connection over WebSocket, and what its opening leaves to be collected. */
const WEBSOCKET = 4400;
/**
 * A connection over TLS while its handshake runs, with a certificate of the node: 15,000 bytes in mcsim (XS
 * 17.7, slots of 16 bytes) with a chain of one certificate of RSA 2048; two more of them take the rest.
 * 4,800 are held afterwards.
 */
const TLS = 18_000;
/** Texts of CONNECT are kept as configured, filled in, and as bytes. */
const CONNECT_BYTE = 4;

interface UnitCost {
	readonly bytes: number;
	/** Bytes in addition with `persist`. */
	readonly persisted?: number;
	/** Bytes in addition with users. */
	readonly login?: number;
	/** Bytes in addition with the second port. */
	readonly web?: number;
}

/** A limit within other pools. */
const FREE: UnitCost = { bytes: 0 };
/** What it takes depends on other settings, too: see {@link brokerNeeds}. */
const WITH_OTHERS: UnitCost = { bytes: 0 };

/** What one unit of a pool takes. */
export const unitCosts: Readonly<Record<PoolKey, UnitCost>> = {
	connections: WITH_OTHERS,
	handshakes: WITH_OTHERS,
	sessions: { bytes: 114, persisted: 17 },
	subscriptions: { bytes: 23, persisted: 5 },
	subscriptionsPerClient: FREE,
	sessionBytes: { bytes: 1 },
	filterLevels: { bytes: 29 },
	filterBytes: { bytes: 1 },
	retainedTopics: { bytes: 36, persisted: 5 },
	retainedBytes: { bytes: 1 },
	inFlight: FREE,
	receiveMaximum: WITH_OTHERS,
	queuedPerClient: FREE,
	queuedMessages: { bytes: 42, persisted: 7 },
	queuedBytes: { bytes: 1 },
	packetSize: { bytes: 3, login: 1, web: 1 },
	topicAliases: WITH_OTHERS,
	aliasBytes: { bytes: 1 },
	assemblyBytes: { bytes: 1 },
	turnPackets: FREE,
	turnBytes: FREE,
	failedAddresses: { bytes: 0, login: 110 },
	webSockets: WITH_OTHERS,
};

/** A part of the memory. */
export interface Need {
	/** Key of `listen` or another key that sizes it; absent if nothing does. */
	readonly key?: string;
	readonly bytes: number;
	/** Value of the key, what one unit takes, and the default. */
	readonly value?: number;
	readonly unit?: number;
	readonly fallback?: number;
}

/**
 * What the firmware takes in the arena of XS with these settings, at its worst: all places and pools full.
 */
export function memoryNeeds(settings: Settings): readonly Need[] {
	const needs: Need[] = [{ bytes: FIRMWARE + SLACK }];
	const { listen, bridge } = settings;
	if (settings.role !== "sensor") needs.push(...brokerNeeds(listen));
	if (settings.role !== "sensor" && bridge !== undefined) {
		// Apart from the pools, whose sizes are reported as they are configured
		const places = totalOf(brokerNeeds(withBridgePlaces(listen, bridge))) - totalOf(brokerNeeds(listen));
		needs.push(
			{ bytes: BRIDGE + places + transportBytes(bridge.transport) },
			{ key: "packetSize", bytes: BRIDGE_PACKETS * listen.packetSize },
		);
	}
	if (settings.role !== "broker") needs.push(...nodeNeeds(settings));
	return needs;
}

/** Sum of {@link memoryNeeds}. */
export function memoryNeeded(settings: Settings): number {
	return totalOf(memoryNeeds(settings));
}

function totalOf(needs: readonly Need[]): number {
	return needs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of an arena that slots and chunks can take: XS takes the stack from it. */
export function memoryAvailable(arena = DEFAULT_ARENA, stack = DEFAULT_STACK): number {
	return arena - stack * SLOT_SIZE;
}

function brokerNeeds(listen: ListenSettings): Need[] {
	const { users, acl, persist, topicAliases } = listen;
	const login = users.length > 0;
	const web = listen.webSocket !== undefined;
	const needs: Need[] = [
		{ bytes: BROKER + (login ? LOGIN : acl.length > 0 || !listen.anonymous ? ACCESS : 0) },
	];
	for (const [key, cost] of Object.entries(unitCosts) as [PoolKey, UnitCost][]) {
		const unit =
			cost.bytes +
			(persist ? (cost.persisted ?? 0) : 0) +
			(login ? (cost.login ?? 0) : 0) +
			(web ? (cost.web ?? 0) : 0);
		if (unit > 0) needs.push(poolNeed(listen, key, unit));
	}
	const { sessions } = listen;
	needs.push(poolNeed(listen, "receiveMaximum", INCOMING_IDENTIFIER * sessions));
	const place = PLACE + TOPIC_ALIAS * topicAliases;
	needs.push(poolNeed(listen, "connections", place), poolNeed(listen, "handshakes", place));
	if (persist) needs.push({ key: "persist", bytes: PERSISTENCE });
	if (typeof listen.mdns === "string") needs.push({ key: "mdns", bytes: ANNOUNCEMENT });
	if (web) {
		const store = Math.max(listen.packetSize, REQUEST_STORE);
		const slots = listen.connections + listen.handshakes;
		const count = Math.min(listen.webSockets, slots);
		const unit = WEB_CONNECTION + store;
		// one more connection than clients
		needs.push(
			{ key: "webSocket", bytes: PAGES + (count < slots ? unit : 0) },
			{ key: "webSockets", bytes: count * unit, value: count, unit, fallback: defaults.listen.webSockets },
		);
	}
	const userBytes = users.reduce((sum, { name }) => sum + USER + Buffer.byteLength(name), 0);
	if (login)
		needs.push({
			key: "users",
			bytes: userBytes,
			value: users.length,
			unit: userBytes / users.length,
			fallback: 1,
		});
	const ruleBytes = acl.reduce(
		(sum, { topic, client }) => sum + RULE + Buffer.byteLength(topic) + Buffer.byteLength(client ?? ""),
		0,
	);
	if (acl.length > 0)
		needs.push({
			key: "acl",
			bytes: ruleBytes,
			value: acl.length,
			unit: ruleBytes / acl.length,
			fallback: 0,
		});
	return needs;
}

function poolNeed(listen: ListenSettings, key: PoolKey, unit: number): Need {
	return { key, bytes: listen[key] * unit, value: listen[key], unit, fallback: defaults.listen[key] };
}

function nodeNeeds(settings: Settings): Need[] {
	const { broker, sensors, topic, battery, discovery, commands, payload, outbox } = settings;
	const { size, counts, windows, diagnostics, wakePins } = extensionOf(settings);
	const drivers = new Set(sensors.map(({ driver, options = {} }) => `${driver} ${JSON.stringify(options)}`));
	const json = payload === "value" ? 0 : sensors.length * JSON_SENSOR;
	const openDrivers = drivers.size * DRIVER;
	const driverBytes =
		settings.sleep.mode === "deep" && settings.role === "sensor"
			? Math.max(drivers.size * CLOSED_DRIVER, openDrivers - NO_EXCHANGE)
			: openDrivers;
	return [
		{
			bytes:
				size * 8 +
				(size > counts ? EXTENSION : 0) +
				(windows.length > 0 ? WINDOWS : 0) +
				(battery === undefined ? 0 : BATTERY) +
				(diagnostics > 0 ? DIAGNOSTICS : 0) +
				(wakePins > 0 ? WAKE_PINS : 0),
		},
		{
			bytes: discovery === undefined ? 0 : DISCOVERY + (discovery.formats.includes("homie") ? HOMIE : 0),
		},
		{ bytes: NODE + connectBytes(broker) * CONNECT_BYTE },
		{ bytes: broker.sendBuffer + broker.receiveBuffer + broker.inFlight * IN_FLIGHT },
		{ bytes: sensors.length * SENSOR + driverBytes + topic.length + json },
		{ bytes: payload === "history" ? HISTORY + broker.sendBuffer + broker.inFlight * SHARED_MESSAGE : 0 },
		{ bytes: outbox.storage === "flash" ? FLASH_OUTBOX : 0 },
		...(commands === undefined ? [] : [{ bytes: COMMANDS }]),
		{ bytes: transportBytes(broker.transport) },
	];
}

/** What a connection takes besides TCP. */
function transportBytes(transport: Settings["broker"]["transport"]): number {
	const webSocket = transport === "ws" || transport === "wss" ? WEBSOCKET : 0;
	return webSocket + (transport === "mqtts" || transport === "wss" ? TLS : 0);
}

/** Size of the node's CONNECT; 0 if none can be made, which is reported elsewhere. */
function connectBytes(broker: Settings["broker"]): number {
	try {
		return connectSize(connectFields(broker), broker.version);
	} catch (error) {
		if (error instanceof MQTTError) return 0;
		throw error;
	}
}

/** A shortage of memory. */
export interface Shortage {
	/** Key of `listen` at which it is best reported; undefined: none is larger than its default. */
	readonly key: string | undefined;
	readonly message: string;
}

/** Says what the settings take in the arena of a chip, if that is more than it has. */
export function memoryShortage(settings: Settings, arena?: number, stack?: number): Shortage | undefined {
	const available = memoryAvailable(arena, stack);
	const needed = memoryNeeded(settings);
	if (needed <= available) return undefined;
	const sentence = `this device takes up to ${needed} bytes of memory, but has ${available}`;
	const enlarged = memoryNeeds(settings)
		.filter(({ value, fallback }) => value !== undefined && value > fallback!)
		.sort((a, b) => excessOf(b) - excessOf(a));
	const [largest] = enlarged;
	const excess = enlarged.reduce((sum, need) => sum + excessOf(need), 0);
	// What is larger than its default is not the reason.
	if (largest === undefined || excess < needed - available) {
		const optional = settings.bridge === undefined ? "persist or webSocket" : "persist, webSocket or bridge";
		return { key: undefined, message: `${sentence}; lessen the pools of listen, or leave out ${optional}` };
	}
	const fitting = Math.floor(largest.value! - (needed - available) / largest.unit!);
	const advice =
		fitting >= largest.fallback!
			? `${largest.key} may be ${fitting} at most`
			: `lessen ${enlarged.map(({ key, value, fallback }) => `${key} (${value}, by default ${fallback})`).join(", ")}`;
	return { key: largest.key, message: `${sentence}; ${advice}` };
}

/** Bytes that a pool takes beyond its default. */
function excessOf({ value, unit, fallback }: Need): number {
	return (value! - fallback!) * unit!;
}
