import { defaults } from "../../../src/config/defaults";
import type { ListenSettings } from "../../../src/config/types";

export const MQTT_PORT = 1883;
export const WEB_PORT = 8080;

/** Small pools, but for those whose exhaustion concerns others: the queues hold what all offenders together can bring. */
export const settings: ListenSettings = {
	...defaults.listen,
	port: MQTT_PORT,
	webSocket: WEB_PORT,
	webSockets: 6,
	anonymous: true,
	lastValue: "every",
	retainedTopics: 8,
	retainedBytes: 768,
	keepAliveLimit: 65_535,
	sessionExpiryLimit: 20,
	systemInterval: 600_000,
	sessions: 12,
	queuedPerClient: 3,
	receiveMaximum: 3,
	queuedMessages: 72,
	queuedBytes: 6144,
};
