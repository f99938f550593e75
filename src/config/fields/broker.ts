import { deepFreeze } from "../deep-freeze";
import { deviceTopicProblem, payloadProblem, secretProblem, textProblem, urlProblem } from "../validators";
import type { Fields } from "./field";

export const willFields = deepFreeze({
	topic: {
		kind: "text",
		check: deviceTopicProblem,
		default: "firefly/{id}/status",
		text: "Topic of the will. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
	},
	payload: {
		kind: "text",
		check: payloadProblem,
		default: "lost",
		text: "What the broker publishes. At most 128 bytes.",
	},
	qos: {
		kind: "choice",
		choices: [0, 1, 2],
		default: 0,
		text: "Quality of service of the will.",
	},
	retain: {
		kind: "choice",
		choices: [true, false],
		default: false,
		text: "Whether the broker keeps the will as the topic's retained value.",
	},
	delay: {
		kind: "seconds",
		minimum: 0,
		maximum: 4_294_967_295,
		default: 0,
		text: "Time the broker waits before it publishes the will (MQTT 5.0 only).",
	},
} as const satisfies Fields);

/** The broker that the node reports to. */
export const brokerFields = deepFreeze({
	url: {
		kind: "text",
		check: urlProblem,
		override: "broker_url",
		pattern: "^mqtt://[^@]+$",
		text: "Where the broker listens: mqtt://host or mqtt://host:port; the port is 1883 when none is given.",
		detail: ["Without it nothing is reported."],
		examples: ["mqtt://192.168.1.10"],
	},
	version: {
		kind: "choice",
		choices: [4, 5],
		default: 5,
		text: "Protocol version: 4 for MQTT 3.1.1, 5 for MQTT 5.0.",
	},
	keepAlive: {
		kind: "seconds",
		minimum: 0,
		maximum: 65_535,
		default: 60,
		text: "Longest silence before the client sends PINGREQ; 0s turns keepalive off.",
	},
	pipeline: {
		kind: "choice",
		choices: ["auto", true, false],
		default: "auto",
		text: 'Whether reports leave together with CONNECT, before the broker has answered; "auto" stops doing so for a day after a broker has refused three times in a row.',
	},
	clientId: {
		kind: "text",
		check: textProblem,
		default: "{id}",
		text: "Client identifier. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
	},
	username: {
		kind: "text",
		check: textProblem,
		override: "broker_username",
		text: "User name; better kept in firefly.local.json. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
		examples: ["greenhouse"],
	},
	password: {
		kind: "text",
		check: secretProblem,
		secret: true,
		override: "broker_password",
		text: "Password. Not in the manifest: it belongs into firefly.local.json or FIREFLY_BROKER_PASSWORD. At most 128 bytes.",
	},
	cleanStart: {
		kind: "choice",
		choices: [true, false],
		default: true,
		text: "Whether each connection begins a new session.",
	},
	sessionExpiry: {
		kind: "seconds",
		minimum: 0,
		maximum: 4_294_967_295,
		default: 0,
		text: "How long the broker keeps the session after the connection ended.",
		detail: ["The maximum, 2^32 − 1 seconds, means no expiry."],
	},
	will: {
		kind: "section",
		fields: willFields,
		optional: true,
		text: "Published by the broker when the connection ends without a DISCONNECT.",
	},
	connectTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 5000,
		text: "Time for TCP and CONNACK.",
	},
	acknowledgeTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 5000,
		text: "Time for the broker to acknowledge a report.",
		detail: ["The same for SUBACK and UNSUBACK."],
	},
	pingTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 5000,
		text: "Time for the answer to PINGREQ.",
	},
	sendBuffer: {
		kind: "count",
		unit: "bytes",
		minimum: 128,
		maximum: 8192,
		default: 512,
		text: "Bytes for packets to send.",
		detail: ["The largest packet, except for streamed payloads; check says what the reports need."],
	},
	receiveBuffer: {
		kind: "count",
		unit: "bytes",
		minimum: 128,
		maximum: 8192,
		default: 512,
		text: "Bytes for a packet received.",
		detail: ["The largest packet, except for streamed payloads."],
	},
	inFlight: {
		kind: "count",
		unit: "messages",
		minimum: 1,
		maximum: 64,
		default: 16,
		text: "Reports sent and not yet acknowledged, at most.",
	},
} as const satisfies Fields);
