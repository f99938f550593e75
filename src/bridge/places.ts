import type { BridgeSettings, ListenSettings } from "../config/types";
import { utf8 } from "../mqtt/utf8";
import { routesOf } from "./topic-routes";

/**
 * The pools of a broker with a bridge: what the bridge takes as a client is added to those that are
 * configured, so that it takes nothing from others, and always finds it.
 */
export function withBridgePlaces(listen: ListenSettings, bridge: BridgeSettings): ListenSettings {
	const routes = routesOf(bridge.topics, "out");
	let bytes = 0;
	let levels = 0;
	for (const { filter } of routes) {
		bytes += filter.length;
		levels++;
		for (const byte of filter) if (byte === 0x2f) levels++;
	}
	const { subscriptions, subscriptionsPerClient } = listen;
	const added = {
		// So that only what differs is in RAM
		__proto__: listen,
		connections: listen.connections + 1,
		sessions: listen.sessions + 1,
		subscriptions: subscriptions + routes.length,
		subscriptionsPerClient: Math.max(subscriptionsPerClient, routes.length),
		sessionBytes: listen.sessionBytes + utf8(bridge.clientId).length,
		filterLevels: listen.filterLevels + levels,
		filterBytes: listen.filterBytes + bytes,
	};
	return added as unknown as ListenSettings;
}
