import Type from "typebox";
import { defaults } from "../defaults";
import { ranges } from "../ranges";
import { hostNameProblem, originProblem } from "../validators";
import { AccessRule, TLSConfig, UsersConfig } from "./access";
import { Choice, Count, Duration, Seconds, strict, Text } from "./kinds";

const values = defaults.listen;
const limits = ranges.listen;

export const ListenConfig = Type.Object(
	{
		port: Type.Optional(Count("TCP port; 0 lets the host choose one.", limits.port, values.port)),
		connections: Type.Optional(Count("Clients connected at once.", limits.connections, values.connections)),
		handshakes: Type.Optional(
			Count(
				"Connections that may wait for their CONNECT at once, on top of these.",
				limits.handshakes,
				values.handshakes,
			),
		),
		sessions: Type.Optional(Count("Sessions kept, connected or not.", limits.sessions, values.sessions)),
		subscriptions: Type.Optional(
			Count("Subscriptions of all sessions together.", limits.subscriptions, values.subscriptions),
		),
		subscriptionsPerClient: Type.Optional(
			Count(
				"Subscriptions of one session, at most; three quarters of all when left out.",
				limits.subscriptionsPerClient,
			),
		),
		sessionBytes: Type.Optional(
			Count("Bytes for the client identifiers and wills of these.", limits.sessionBytes, values.sessionBytes),
		),
		filterLevels: Type.Optional(
			Count(
				"Levels of all topic filters together; filters that begin alike share theirs.",
				limits.filterLevels,
				values.filterLevels,
			),
		),
		filterBytes: Type.Optional(Count("Bytes for the text of these.", limits.filterBytes, values.filterBytes)),
		retainedTopics: Type.Optional(
			Count("Topics whose current value is kept.", limits.retainedTopics, values.retainedTopics),
		),
		retainedBytes: Type.Optional(
			Count("Bytes for these topics and values.", limits.retainedBytes, values.retainedBytes),
		),
		inFlight: Type.Optional(
			Count("Messages of QoS 1 and 2 under way to one client, at most.", limits.inFlight, values.inFlight),
		),
		receiveMaximum: Type.Optional(
			Count(
				"QoS 2 messages that a client may have sent and not released yet.",
				limits.receiveMaximum,
				values.receiveMaximum,
			),
		),
		queuedPerClient: Type.Optional(
			Count(
				"Messages waiting for one client or under way to it, at most.",
				limits.queuedPerClient,
				values.queuedPerClient,
			),
		),
		queuedMessages: Type.Optional(
			Count("Messages waiting, for all clients together.", limits.queuedMessages, values.queuedMessages),
		),
		queuedBytes: Type.Optional(Count("Bytes for these messages.", limits.queuedBytes, values.queuedBytes)),
		packetSize: Type.Optional(
			Count("Largest packet taken or sent, in bytes.", limits.packetSize, values.packetSize),
		),
		topicAliases: Type.Optional(
			Count("Topic aliases of one client in each direction.", limits.topicAliases, values.topicAliases),
		),
		aliasBytes: Type.Optional(
			Count(
				"Bytes for the topics of all of these; an alias that a client may set takes packetSize - 8 of them.",
				limits.aliasBytes,
				values.aliasBytes,
			),
		),
		assemblyBytes: Type.Optional(
			Count(
				"Bytes for what has arrived of incomplete packets, for all clients together.",
				limits.assemblyBytes,
				values.assemblyBytes,
			),
		),
		turnPackets: Type.Optional(
			Count(
				"Packets that one client may have processed before the others get their turn.",
				limits.turnPackets,
				values.turnPackets,
			),
		),
		turnBytes: Type.Optional(
			Count(
				"Bytes that one client may have processed before the others get their turn.",
				limits.turnBytes,
				values.turnBytes,
			),
		),
		connectTimeout: Type.Optional(
			Duration(
				"Time that a new connection has to send CONNECT.",
				limits.connectTimeout,
				values.connectTimeout,
			),
		),
		keepAliveLimit: Type.Optional(
			Seconds(
				"Keepalive given to MQTT 5.0 clients that ask for none or for more; 0s sets no limit.",
				limits.keepAliveLimit,
				values.keepAliveLimit,
			),
		),
		sessionExpiryLimit: Type.Optional(
			Seconds(
				"Longest time that the session of an absent client is kept.",
				limits.sessionExpiryLimit,
				values.sessionExpiryLimit,
			),
		),
		systemInterval: Type.Optional(
			Duration(
				"Time between two messages to each $SYS/broker topic; 0s: there are none.",
				limits.systemInterval,
				values.systemInterval,
			),
		),
		lastValue: Type.Optional(
			Choice(
				'What a new subscriber is handed: "retained" values, or the current value of "every" topic.',
				["retained", "every"],
				values.lastValue,
			),
		),
		persist: Type.Optional(
			Choice(
				"Whether retained values and lasting sessions, with what waits for them, survive a restart: in flash, or on a desk in a directory.",
				[true, false],
				values.persist,
			),
		),
		persistInterval: Type.Optional(
			Duration(
				"Time from a change until it is stored, the most that a power cut takes; flash wears, so rarely is better. 0s: before each acknowledgement.",
				limits.persistInterval,
				values.persistInterval,
			),
		),
		anonymous: Type.Optional(
			Choice("Whether clients without a user name are let in.", [true, false], values.anonymous),
		),
		users: Type.Optional(UsersConfig),
		acl: Type.Optional(
			Type.Array(AccessRule, {
				description:
					"What clients may do: the first rule that fits decides, what no rule fits is denied. Everything is allowed where there is no rule.",
				maxItems: limits.rules,
			}),
		),
		failedAddresses: Type.Optional(
			Count("Addresses whose failed logins are remembered.", limits.failedAddresses, values.failedAddresses),
		),
		tls: Type.Optional(TLSConfig),
		webSocket: Type.Optional(
			Count(
				"TCP port for MQTT over WebSocket and the status page; 0 lets the host choose one. There is none when left out.",
				limits.port,
			),
		),
		webSockets: Type.Optional(
			Count(
				"Clients over WebSocket at once; they count among connections too. One more connection serves the page and handshakes.",
				limits.webSockets,
				values.webSockets,
			),
		),
		origins: Type.Optional(
			Type.Array(Text("An origin.", originProblem, { examples: ["https://panel.example"] }), {
				description: "Origins besides that port's own whose pages may connect to it; * stands for all.",
				maxItems: limits.names,
			}),
		),
		hosts: Type.Optional(
			Type.Array(Text("A host name without port.", hostNameProblem, { examples: ["greenhouse.local"] }), {
				description: "Names besides localhost by which that port may be called; an address always may.",
				maxItems: limits.names,
			}),
		),
	},
	{ ...strict, description: "The broker on this device; every pool has a fixed size." },
);
