import { deepFreeze } from "../deep-freeze";
import {
	deviceTopicProblem,
	fingerprintProblem,
	hostProblem,
	payloadProblem,
	presenceProblem,
	secretProblem,
	textProblem,
	urlProblem,
} from "../validators";
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

export const brokerTLSFields = deepFreeze({
	ca: {
		kind: "text",
		check: presenceProblem,
		text: "File of the certificate of the authority that signed the broker's; a broker with another one is refused.",
		detail: [
			'The path is relative to the manifest. A chip needs it in DER, and listed under `data` of the manifest too, which makes it a resource of the image: `"data": { "*": ["./ca"] }` for `ca.der`.',
			"Dates of certificates are checked by the clock: until it is set (`time.server`) there is no connection.",
		],
		examples: ["ca.der"],
	},
	fingerprint: {
		kind: "text",
		check: fingerprintProblem,
		text: "SHA-256 of the broker's certificate, 64 hexadecimal digits; a broker with any other one is refused.",
		detail: [
			"Names, dates and signatures are then not checked, and no clock is needed; a renewed certificate needs a new fingerprint. Colons may stand between the bytes, as `openssl x509 -noout -fingerprint -sha256` prints them.",
		],
		examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
	},
	serverName: {
		kind: "text",
		check: hostProblem,
		text: "Name or address that the broker's certificate must have, and that is asked for (SNI); by default that of the url.",
		examples: ["broker.example"],
	},
	certificate: {
		kind: "text",
		check: presenceProblem,
		text: "File of the certificate with which the device identifies itself, if the broker asks for one; as ca.",
		examples: ["node.der"],
	},
	key: {
		kind: "text",
		check: presenceProblem,
		text: "File of its private key; as ca. On a chip RSA in PKCS #8.",
		examples: ["node-key.der"],
	},
} as const satisfies Fields);

/** The broker that the node reports to. */
export const brokerFields = deepFreeze({
	url: {
		kind: "text",
		check: urlProblem,
		override: "broker_url",
		pattern: "^(mqtts?|wss?)://[^@]+$",
		settable: true,
		text: "Where the broker listens: mqtt://host or mqtt://host:port; with mqtts:// over TLS, with ws:// or wss:// and a path over WebSocket.",
		detail: [
			"Without it nothing is reported.",
			"The default ports are 1883, 8883, 80 and 443. All but mqtt:// need an include: `firmware/tls/manifest.json` for mqtts and wss, `firmware/websocket/manifest.json` for ws and wss. Many brokers have WebSocket at the path `/mqtt`.",
			"A node connects over IPv4: check refuses an IPv6 address.",
			"The command `set` changes host and port, not the scheme.",
		],
		examples: ["mqtt://192.168.1.10", "mqtts://broker.example", "wss://broker.example/mqtt"],
	},
	tls: {
		kind: "section",
		fields: brokerTLSFields,
		optional: true,
		text: "How the broker is recognised with mqtts:// and wss://: needs ca, fingerprint or both.",
	},
	version: {
		kind: "choice",
		choices: [4, 5],
		default: 5,
		settable: true,
		text: "Protocol version: 4 for MQTT 3.1.1, 5 for MQTT 5.0.",
	},
	keepAlive: {
		kind: "seconds",
		minimum: 0,
		maximum: 65_535,
		default: 60,
		settable: true,
		text: "Longest silence before the client sends PINGREQ; 0s turns keepalive off.",
	},
	pipeline: {
		kind: "choice",
		choices: ["auto", true, false],
		default: "auto",
		settable: true,
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
		detail: ["With commands it is false."],
	},
	sessionExpiry: {
		kind: "seconds",
		minimum: 0,
		maximum: 4_294_967_295,
		default: 0,
		text: "How long the broker keeps the session after the connection ended.",
		detail: [
			"The maximum, 2^32 − 1 seconds, means no expiry.",
			"With commands the default is three times the longest gap between reports, and a day at least.",
		],
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
		settable: true,
		text: "Time for TCP and CONNACK.",
	},
	acknowledgeTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 5000,
		settable: true,
		text: "Time for the broker to acknowledge a report.",
		detail: ["The same for SUBACK and UNSUBACK."],
	},
	pingTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 5000,
		settable: true,
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
