import { deepFreeze } from "./deep-freeze";
import type {
	BackoffSettings,
	BrokerSettings,
	ListenSettings,
	OutboxSettings,
	SensorSettings,
	SleepSettings,
	TimeSettings,
	WillSettings,
} from "./types";

/** Values used where the configuration has none. The JSON Schema takes its defaults from here. */
export const defaults: {
	readonly role: "sensor";
	readonly id: string;
	readonly topic: string;
	readonly payload: "value";
	readonly broker: BrokerSettings;
	readonly will: WillSettings;
	readonly sleep: SleepSettings;
	readonly outbox: OutboxSettings;
	readonly backoff: BackoffSettings;
	readonly sensor: Omit<SensorSettings, "name" | "driver" | "property">;
	readonly listen: ListenSettings;
	readonly time: TimeSettings;
} = deepFreeze({
	role: "sensor",
	id: "firefly-{mac}",
	topic: "firefly/{id}/{sensor}",
	payload: "value",
	broker: {
		host: "",
		port: 1883,
		version: 5,
		keepAlive: 60,
		pipeline: "auto",
		clientId: "{id}",
		cleanStart: true,
		sessionExpiry: 0,
		connectTimeout: 5000,
		acknowledgeTimeout: 5000,
		pingTimeout: 5000,
		sendBuffer: 512,
		receiveBuffer: 512,
		inFlight: 16,
	},
	will: { topic: "firefly/{id}/status", payload: "lost", qos: 0, retain: false, delay: 0 },
	sleep: { mode: "deep", awakeLimit: 8000 },
	outbox: { storage: "rtc", policy: "dropOldest", size: 4096 },
	backoff: { minimum: 5000, maximum: 900_000 },
	sensor: { every: 60_000, grid: false, qos: 1, retain: true },
	listen: {
		port: 1883,
		connections: 8,
		handshakes: 2,
		sessions: 16,
		subscriptions: 32,
		subscriptionsPerClient: 24,
		sessionBytes: 1024,
		filterLevels: 64,
		filterBytes: 768,
		retainedTopics: 32,
		retainedBytes: 3072,
		inFlight: 8,
		receiveMaximum: 16,
		queuedPerClient: 16,
		queuedMessages: 64,
		queuedBytes: 3072,
		packetSize: 512,
		topicAliases: 2,
		aliasBytes: 504,
		assemblyBytes: 512,
		turnPackets: 16,
		turnBytes: 4096,
		connectTimeout: 10_000,
		keepAliveLimit: 300,
		sessionExpiryLimit: 86_400,
		systemInterval: 10_000,
		lastValue: "retained",
		persist: false,
		persistInterval: 600_000,
		anonymous: false,
		users: [],
		acl: [],
		failedAddresses: 16,
		webSockets: 4,
		origins: [],
		hosts: [],
	},
	time: { server: "pool.ntp.org" },
});
