import { defaults } from "../../../src/config/defaults";
import type { ListenSettings } from "../../../src/config/types";

export const MQTT_PORT = 1883;
export const WEB_PORT = 8080;

/** Small pools. Their exhaustion by the mutating clients must not affect the reference clients. */
export const settings: ListenSettings = {
	...defaults.listen,
	port: MQTT_PORT,
	webSocket: WEB_PORT,
	webSockets: 6,
	anonymous: true,
	// the password, "p", is in the recordings
	users: [
		{
			name: "u",
			hash: "$pbkdf2-sha256$i=100$AAECAwQFBgcICQoLDA0ODw$QtwhHE1YWrmUNkoMSF0pD/qTuqgf2MFEX2Tmks6UogI",
		},
	],
	acl: [
		{ effect: "deny", action: "publish", topic: "fuzz/a/#", user: "nobody" },
		{ effect: "allow", action: "all", topic: "fuzz/{user}/#" },
		{ effect: "deny", action: "subscribe", topic: "fuzz/b/c", client: "panel" },
		{ effect: "allow", action: "all", topic: "#" },
	],
	lastValue: "every",
	retainedTopics: 8,
	retainedBytes: 768,
	keepAliveLimit: 65_535,
	sessionExpiryLimit: 20,
	systemInterval: 600_000,
	sessions: 12,
	queuedPerClient: 3,
	receiveMaximum: 3,
	queuedMessages: 24,
	queuedBytes: 1536,
};
