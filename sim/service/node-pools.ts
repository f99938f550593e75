import { listenFields, type PoolKey } from "../../src/config/fields/listen";

/** Default pool sizes of a broker on V8: about 30 MB in total. */
export const nodePools = {
	connections: 1000,
	handshakes: 200,
	sessions: 2000,
	subscriptions: 10_000,
	subscriptionsPerClient: 2000,
	sessionBytes: 524_288,
	filterLevels: 12_000,
	filterBytes: 524_288,
	retainedTopics: 10_000,
	retainedBytes: 4_194_304,
	inFlight: 64,
	receiveMaximum: listenFields.receiveMaximum.default,
	queuedPerClient: 1000,
	queuedMessages: 20_000,
	queuedBytes: 8_388_608,
	packetSize: 65_536,
	topicAliases: listenFields.topicAliases.default,
	aliasBytes: 16 * 65_528,
	assemblyBytes: 1_048_576,
	// Some ms: what a turn sends to a client leaves in one write, which costs more than to compose it
	turnPackets: 8192,
	turnBytes: 65_536,
	failedAddresses: 256,
	webSockets: 500,
} as const satisfies Record<PoolKey, number>;
