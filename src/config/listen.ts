import { readRules, readTLS, readUsers } from "./access";
import { defaults } from "./defaults";
import { ranges } from "./ranges";
import type { Section } from "./section";
import type { ListenSettings } from "./types";
import { hostNameProblem, originProblem } from "./validators";

export function readListen(section: Section): ListenSettings {
	const values = defaults.listen;
	const limits = ranges.listen;
	const tls = readTLS(section);
	const subscriptions = section.integer("subscriptions", values.subscriptions, limits.subscriptions);
	const webSocket = section.integer("webSocket", undefined, limits.port);
	return {
		port: section.integer("port", values.port, limits.port),
		connections: section.integer("connections", values.connections, limits.connections),
		handshakes: section.integer("handshakes", values.handshakes, limits.handshakes),
		sessions: section.integer("sessions", values.sessions, limits.sessions),
		subscriptions,
		subscriptionsPerClient: section.integer(
			"subscriptionsPerClient",
			Math.ceil((subscriptions * values.subscriptionsPerClient) / values.subscriptions),
			limits.subscriptionsPerClient,
		),
		sessionBytes: section.integer("sessionBytes", values.sessionBytes, limits.sessionBytes),
		filterLevels: section.integer("filterLevels", values.filterLevels, limits.filterLevels),
		filterBytes: section.integer("filterBytes", values.filterBytes, limits.filterBytes),
		retainedTopics: section.integer("retainedTopics", values.retainedTopics, limits.retainedTopics),
		retainedBytes: section.integer("retainedBytes", values.retainedBytes, limits.retainedBytes),
		inFlight: section.integer("inFlight", values.inFlight, limits.inFlight),
		receiveMaximum: section.integer("receiveMaximum", values.receiveMaximum, limits.receiveMaximum),
		queuedPerClient: section.integer("queuedPerClient", values.queuedPerClient, limits.queuedPerClient),
		queuedMessages: section.integer("queuedMessages", values.queuedMessages, limits.queuedMessages),
		queuedBytes: section.integer("queuedBytes", values.queuedBytes, limits.queuedBytes),
		packetSize: section.integer("packetSize", values.packetSize, limits.packetSize),
		topicAliases: section.integer("topicAliases", values.topicAliases, limits.topicAliases),
		aliasBytes: section.integer("aliasBytes", values.aliasBytes, limits.aliasBytes),
		assemblyBytes: section.integer("assemblyBytes", values.assemblyBytes, limits.assemblyBytes),
		turnPackets: section.integer("turnPackets", values.turnPackets, limits.turnPackets),
		turnBytes: section.integer("turnBytes", values.turnBytes, limits.turnBytes),
		connectTimeout: section.duration("connectTimeout", values.connectTimeout, limits.connectTimeout),
		keepAliveLimit: section.seconds("keepAliveLimit", values.keepAliveLimit, limits.keepAliveLimit),
		sessionExpiryLimit: section.seconds(
			"sessionExpiryLimit",
			values.sessionExpiryLimit,
			limits.sessionExpiryLimit,
		),
		systemInterval: section.duration("systemInterval", values.systemInterval, limits.systemInterval),
		lastValue: section.choice("lastValue", values.lastValue, ["retained", "every"]),
		persist: section.choice("persist", values.persist, [true, false]),
		persistInterval: section.duration("persistInterval", values.persistInterval, limits.persistInterval),
		anonymous: section.choice("anonymous", values.anonymous, [true, false]),
		users: readUsers(section),
		acl: readRules(section),
		webSockets: section.integer("webSockets", values.webSockets, limits.webSockets),
		origins: section.strings("origins", limits.names, originProblem),
		hosts: section.strings("hosts", limits.names, hostNameProblem),
		failedAddresses: section.integer("failedAddresses", values.failedAddresses, limits.failedAddresses),
		...(webSocket === undefined ? {} : { webSocket }),
		...(tls === undefined ? {} : { tls }),
	};
}
