import type { BrokerSettings, SensorSettings } from "./types";

/** Shortest session of a node that takes commands, s: it outlasts an outage of a day. */
const SHORTEST_SESSION_SECONDS = 86_400;
/** A session lasts for this many of the longest gaps between reports: some of them may fail. */
const GAPS = 3;
/** The session does not expire (§3.1.2.11.2). */
const NO_EXPIRY = 0xffff_ffff;
/** Messages in flight to a node that announces it: so many commands it takes in one flight. */
const RECEIVE_MAXIMUM = 8;
/**
 * The same of MQTT 3.1.1, which cannot announce it: more than a broker sends at once, 20 in mosquitto by
 * default. In QoS 2 it bounds the identifiers that are kept.
 */
export const SILENT_RECEIVE_MAXIMUM = 32;

/**
 * The longest time between two reports of a node that can report, ms; Infinity: a deadband may hold back
 * reports for ever.
 */
export function longestReportGap(sensors: readonly SensorSettings[]): number {
	let gap = Infinity;
	for (let i = 0; i < sensors.length; i++) {
		const { every, delta, heartbeat } = sensors[i];
		let own = every;
		if (delta !== undefined && delta > 0)
			own = heartbeat === undefined ? Infinity : Math.ceil(heartbeat / every) * every;
		if (own < gap) gap = own;
	}
	return gap;
}

/** How long the broker has to keep a node's session, s. */
export function sessionExpirySeconds(sensors: readonly SensorSettings[]): number {
	const gap = longestReportGap(sensors);
	if (gap === Infinity) return NO_EXPIRY;
	return Math.max(SHORTEST_SESSION_SECONDS, Math.ceil((GAPS * gap) / 1000));
}

/** Messages in flight from the broker to a node that takes commands. */
export function commandReceiveMaximum(version: 4 | 5): number {
	return version === 4 ? SILENT_RECEIVE_MAXIMUM : RECEIVE_MAXIMUM;
}

/**
 * The broker's settings for a node that takes commands: with a session, in which the broker queues them.
 * @param hasExpiry `sessionExpiry` is configured
 */
export function brokerWithSession(
	broker: BrokerSettings,
	hasExpiry: boolean,
	sensors: readonly SensorSettings[],
): BrokerSettings {
	return {
		...broker,
		cleanStart: false,
		sessionExpiry: hasExpiry ? broker.sessionExpiry : sessionExpirySeconds(sensors),
		receiveMaximum: commandReceiveMaximum(broker.version),
	};
}
