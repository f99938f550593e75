import { comesBack } from "../config/bridge";
import type { BridgeTopicSettings } from "../config/types";
import { copyBytes } from "../mqtt/bytes";
import type { QoS } from "../mqtt/constants";
import { matches } from "../mqtt/topics";
import { utf8 } from "../mqtt/utf8";

/** Topics that go one way, and their names at the other side. */
export interface TopicRoute {
	/** Topic filter at the side that they come from, its prefix included. */
	readonly filter: Uint8Array;
	/** Bytes of that prefix. */
	readonly strip: number;
	/** Prefix at the other side. */
	readonly prefix: Uint8Array;
	readonly qos: QoS;
}

/** The routes of one direction, in the order of the configuration. */
export function routesOf(
	topics: readonly BridgeTopicSettings[],
	direction: "in" | "out",
): readonly TopicRoute[] {
	const routes: TopicRoute[] = [];
	for (const topic of topics) {
		if (topic.direction !== direction && topic.direction !== "both") continue;
		const [from, to] =
			direction === "out" ? [topic.localPrefix, topic.remotePrefix] : [topic.remotePrefix, topic.localPrefix];
		routes.push({
			filter: utf8(`${from}${topic.filter}`),
			strip: utf8(from).length,
			prefix: utf8(to),
			qos: topic.qos,
		});
	}
	return routes;
}

/**
 * The routes in by which something that goes out would come back from a broker that does not know bridges, as
 * bits by their index.
 */
export function returningRoutes(topics: readonly BridgeTopicSettings[]): number {
	let bits = 0;
	let index = 0;
	for (const topic of topics) {
		if (topic.direction === "out") continue;
		if (topics.some((other) => comesBack(other, topic))) bits |= 1 << index;
		index++;
	}
	return bits;
}

/** The first route that a topic name, bytes [start, end), takes; undefined: none. */
export function findRoute(
	routes: readonly TopicRoute[],
	bytes: Uint8Array,
	start: number,
	end: number,
): TopicRoute | undefined {
	for (let i = 0; i < routes.length; i++) {
		const route = routes[i];
		const { filter, strip } = route;
		// "a/#" with the prefix "a/" matches the parent "a", which lacks the prefix (§4.7.1.2)
		if (end - start >= strip && matches(filter, 0, filter.length, bytes, start, end)) return route;
	}
	return undefined;
}

/** Bytes of the name at the other side. Zero: there is none, as nothing stands behind the prefix. */
export function mappedLength({ strip, prefix }: TopicRoute, length: number): number {
	return length - strip + prefix.length;
}

/**
 * Writes the name that a topic, bytes [start, end) of `source`, has at the other side; the two may overlap in
 * one array, if the name ends at `end` or behind it. @returns the index after it
 */
export function writeMapped(
	{ strip, prefix }: TopicRoute,
	target: Uint8Array,
	at: number,
	source: Uint8Array,
	start: number,
	end: number,
): number {
	const next = copyBytes(target, at + prefix.length, source, start + strip, end);
	target.set(prefix, at);
	return next;
}

/** How many bytes longer than here a name can be at the other side. */
export function largestGrowth(routes: readonly TopicRoute[]): number {
	let largest = 0;
	for (const { strip, prefix } of routes) largest = Math.max(largest, prefix.length - strip);
	return largest;
}
