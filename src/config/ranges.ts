import { deepFreeze } from "./deep-freeze";

export interface Range {
	readonly minimum: number;
	readonly maximum: number;
}

/** Longest duration: the timer of {@link ../device.ts#Sleep.deep} takes 2^31 − 1 ms. */
const longestMs = 24 * 86_400_000;

/**
 * Ranges of the numbers that the firmware accepts, in the units of {@link Settings}. The JSON Schema takes
 * its limits from here.
 */
export const ranges = deepFreeze({
	broker: {
		keepAlive: { minimum: 0, maximum: 65_535 },
		sessionExpiry: { minimum: 0, maximum: 4_294_967_295 },
		willDelay: { minimum: 0, maximum: 4_294_967_295 },
		connectTimeout: { minimum: 100, maximum: 120_000 },
		acknowledgeTimeout: { minimum: 100, maximum: 120_000 },
		pingTimeout: { minimum: 100, maximum: 120_000 },
		sendBuffer: { minimum: 128, maximum: 8192 },
		receiveBuffer: { minimum: 128, maximum: 8192 },
		inFlight: { minimum: 1, maximum: 64 },
	},
	sleep: {
		awakeLimit: { minimum: 1000, maximum: 600_000 },
	},
	outbox: { size: { minimum: 256, maximum: 6000 } },
	backoff: {
		minimum: { minimum: 100, maximum: longestMs },
		maximum: { minimum: 100, maximum: longestMs },
	},
	sensor: {
		every: { minimum: 100, maximum: longestMs },
		heartbeat: { minimum: 100, maximum: longestMs },
		delta: { minimum: 0, maximum: 1e9 },
		decimals: { minimum: 0, maximum: 6 },
	},
	listen: {
		port: { minimum: 0, maximum: 65_535 },
		connections: { minimum: 1, maximum: 64 },
		handshakes: { minimum: 1, maximum: 16 },
		sessions: { minimum: 1, maximum: 256 },
		subscriptions: { minimum: 1, maximum: 1024 },
		subscriptionsPerClient: { minimum: 1, maximum: 1024 },
		sessionBytes: { minimum: 64, maximum: 65_536 },
		filterLevels: { minimum: 1, maximum: 8192 },
		filterBytes: { minimum: 16, maximum: 65_536 },
		retainedTopics: { minimum: 0, maximum: 1024 },
		retainedBytes: { minimum: 0, maximum: 1_048_576 },
		inFlight: { minimum: 1, maximum: 64 },
		receiveMaximum: { minimum: 1, maximum: 4096 },
		queuedPerClient: { minimum: 1, maximum: 4096 },
		queuedMessages: { minimum: 1, maximum: 4096 },
		queuedBytes: { minimum: 128, maximum: 1_048_576 },
		packetSize: { minimum: 128, maximum: 65_536 },
		topicAliases: { minimum: 0, maximum: 64 },
		aliasBytes: { minimum: 0, maximum: 65_536 },
		assemblyBytes: { minimum: 0, maximum: 65_536 },
		turnPackets: { minimum: 1, maximum: 65_536 },
		turnBytes: { minimum: 1, maximum: 1_048_576 },
		connectTimeout: { minimum: 100, maximum: 120_000 },
		keepAliveLimit: { minimum: 0, maximum: 65_535 },
		systemInterval: { minimum: 0, maximum: 3_600_000 },
		persistInterval: { minimum: 0, maximum: 3_600_000 },
		sessionExpiryLimit: { minimum: 0, maximum: 4_294_967_295 },
		webSockets: { minimum: 1, maximum: 64 },
		failedAddresses: { minimum: 1, maximum: 256 },
		/** Maximum number of users. */
		users: 64,
		/** Maximum number of origins, and of host names, of the WebSocket port. */
		names: 16,
		/** Maximum number of access rules. */
		rules: 64,
		/** Iterations of a password hash; an ESP32 needs minutes for far fewer than the maximum. */
		iterations: { minimum: 100, maximum: 10_000_000 },
		/** Maximum bytes of a user name, and of the client identifier in a rule. */
		userLength: 64,
		clientLength: 256,
	},
	/** Maximum number of sensors of one node. */
	sensors: 16,
	/** Maximum characters of an id. */
	idLength: 64,
	/** Maximum characters of a sensor's name. */
	nameLength: 32,
	/** Maximum bytes of the path to a value in a driver's sample. */
	propertyLength: 64,
	/** Maximum bytes of a topic template. */
	topicLength: 128,
	/** Maximum bytes of user name, password and will payload, each. */
	textLength: 128,
} as const);
