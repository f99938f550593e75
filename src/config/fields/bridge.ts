import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS, limits } from "../limits";
import {
	bridgeFilterProblem,
	bridgePrefixProblem,
	secretProblem,
	textProblem,
	urlProblem,
} from "../validators";
import { brokerTLSFields } from "./broker";
import type { Fields } from "./field";

/** One row of what a bridge forwards. */
export const bridgeTopicFields = deepFreeze({
	filter: {
		kind: "text",
		check: bridgeFilterProblem,
		required: true,
		text: "Topic filter of the messages, without the prefixes. At most 128 bytes.",
		examples: ["sensors/#"],
	},
	direction: {
		kind: "choice",
		choices: ["in", "out", "both"],
		default: "out",
		text: '"out": from this broker to the other one. "in": from the other one to this broker.',
		detail: [
			'Over MQTT 3.1.1 a name that goes out must not come in again: "both", and any "out" and "in" whose names at the other broker overlap, need tryPrivate and a broker that accepts it; at others they bring nothing in. MQTT 5.0 has No Local, and may have both.',
		],
	},
	qos: {
		kind: "choice",
		choices: [0, 1, 2],
		default: 1,
		text: "Highest quality of service with which its messages are forwarded.",
	},
	localPrefix: {
		kind: "text",
		check: bridgePrefixProblem,
		default: "",
		text: "What stands before the filter at this broker. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		examples: ["home/"],
	},
	remotePrefix: {
		kind: "text",
		check: bridgePrefixProblem,
		default: "",
		text: "What stands before the filter at the other broker. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		examples: ["sites/{id}/"],
	},
} as const satisfies Fields);

/** The connection of this device's broker to another one. */
export const bridgeFields = deepFreeze({
	url: {
		kind: "text",
		check: urlProblem,
		override: "bridge_url",
		pattern: "^(mqtts?|wss?)://[^@]+$",
		text: "The other broker: mqtt://host or mqtt://host:port; with mqtts:// over TLS, with ws:// or wss:// and a path over WebSocket.",
		detail: ["Without it nothing is forwarded. Ports and includes are as with broker.url."],
		examples: ["mqtt://192.168.1.10", "mqtts://broker.example", "wss://broker.example/mqtt"],
	},
	tls: {
		kind: "section",
		fields: brokerTLSFields,
		optional: true,
		text: "How the other broker is recognised with mqtts:// and wss://, as in broker.tls: needs ca, fingerprint or both.",
	},
	version: {
		kind: "choice",
		choices: [4, 5],
		default: 5,
		text: "Protocol version to the other broker: 4 for MQTT 3.1.1, 5 for MQTT 5.0.",
		detail: ["Over 3.1.1 messages lose their properties, and their RETAIN flag on the way in."],
	},
	tryPrivate: {
		kind: "choice",
		choices: [true, false],
		default: true,
		text: "Whether the bridge says over MQTT 3.1.1 that it is one, by protocol level 0x84, as mosquitto's does.",
		detail: [
			"A broker that knows it sends back nothing that the bridge has published, and RETAIN as published. Where one refuses it, the bridge connects as any client.",
		],
	},
	clientId: {
		kind: "text",
		check: textProblem,
		default: "{id}-bridge",
		text: "Client identifier at the other broker, and of the bridge's session at this one. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		detail: ["A client of this broker that has it is refused: a bridge from a broker to itself."],
	},
	username: {
		kind: "text",
		check: textProblem,
		override: "bridge_username",
		text: "User name at the other broker; better kept in firefly.local.json. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		examples: ["greenhouse"],
	},
	password: {
		kind: "text",
		check: secretProblem,
		secret: true,
		override: "bridge_password",
		text: "Password there. Not in the manifest: it belongs into firefly.local.json or FIREFLY_BRIDGE_PASSWORD. At most 128 bytes.",
	},
	keepAlive: {
		kind: "seconds",
		minimum: 0,
		maximum: 65_535,
		default: 60,
		text: "Longest silence before PINGREQ; 0s turns keepalive off.",
	},
	sessionExpiry: {
		kind: "seconds",
		minimum: 0,
		maximum: 4_294_967_295,
		default: 604_800,
		text: "How long the other broker keeps the session, with what waits for this one, after the connection ended (MQTT 5.0 only).",
		detail: ["The maximum, 2^32 − 1 seconds, means no expiry."],
	},
	connectTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 10_000,
		text: "Time for TCP, the handshakes of TLS and WebSocket, and CONNACK.",
	},
	acknowledgeTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 10_000,
		text: "Time for the other broker to acknowledge a message; then the bridge connects anew.",
	},
	pingTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 10_000,
		text: "Time for the answer to PINGREQ.",
	},
	retryMinimum: {
		kind: "duration",
		minimum: 10,
		maximum: LONGEST_MS,
		default: 1000,
		text: "Wait before the first new try; it doubles with each failure, and half of it is random.",
	},
	retryMaximum: {
		kind: "duration",
		minimum: 10,
		maximum: LONGEST_MS,
		default: 60_000,
		text: "Longest wait before a new try.",
	},
	inFlight: {
		kind: "count",
		unit: "messages",
		minimum: 1,
		maximum: 64,
		default: 8,
		text: "Messages of QoS 1 and 2 under way to the other broker, at most.",
		detail: [
			"Further limited by listen.inFlight, and by the other broker's Receive Maximum.",
			"Reached: other messages wait in the bridge's queue, which is that of any client: listen.queuedPerClient and what follows there.",
		],
	},
	topics: {
		kind: "list",
		fields: bridgeTopicFields,
		maximum: limits.bridgeTopics,
		item: "Topics that are forwarded, and how.",
		text: "What is forwarded. The first row that fits a message decides its name at the other side.",
		examples: [[{ filter: "sensors/#", direction: "out", qos: 1, remotePrefix: "sites/{id}/" }]],
	},
} as const satisfies Fields);
