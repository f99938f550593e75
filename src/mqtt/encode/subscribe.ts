import { writeLengthPrefixed } from "../bytes";
import { PROTOCOL_ERROR, TOPIC_FILTER_INVALID, type Version } from "../constants";
import { MQTTError } from "../error";
import type { Subscription } from "../packet-fields";
import { checkSubscriptionOptions } from "../subscription-options";
import { sharedFilterStart, validTopicFilter } from "../topics";

/** Checks the topic filters and options of a SUBSCRIBE and returns their length in bytes. */
export function subscriptionsSize(subscriptions: readonly Subscription[], version: Version): number {
	// [MQTT-3.8.3-2] [MQTT-3.1.1:3.8.3-3]
	if (subscriptions.length === 0) throw new MQTTError(PROTOCOL_ERROR, "no topic filter");
	let size = 0;
	for (let i = 0; i < subscriptions.length; i++) {
		const { filter, options } = subscriptions[i];
		const shared = checkFilter(filter, version); // [MQTT-3.8.3-1]
		const reasonCode =
			options >= 0 && options <= 0xff ? checkSubscriptionOptions(options, shared, version) : PROTOCOL_ERROR;
		if (reasonCode !== 0) throw new MQTTError(reasonCode, "invalid subscription options");
		size += 3 + filter.length;
	}
	return size;
}

/** Writes the payload of a SUBSCRIBE; returns the index after it. */
export function writeSubscriptions(
	bytes: Uint8Array,
	from: number,
	subscriptions: readonly Subscription[],
): number {
	let at = from;
	for (let i = 0; i < subscriptions.length; i++) {
		const { filter, options } = subscriptions[i];
		at = writeLengthPrefixed(bytes, at, filter);
		bytes[at++] = options;
	}
	return at;
}

/** Checks the topic filters of an UNSUBSCRIBE and returns their length in bytes. */
export function filtersSize(filters: readonly Uint8Array[], version: Version): number {
	if (filters.length === 0) throw new MQTTError(PROTOCOL_ERROR, "no topic filter"); // [MQTT-3.10.3-2]
	let size = 0;
	for (let i = 0; i < filters.length; i++) {
		checkFilter(filters[i], version); // [MQTT-3.10.3-1]
		size += 2 + filters[i].length;
	}
	return size;
}

/** Writes the payload of an UNSUBSCRIBE; returns the index after it. */
export function writeFilters(bytes: Uint8Array, from: number, filters: readonly Uint8Array[]): number {
	let at = from;
	for (let i = 0; i < filters.length; i++) at = writeLengthPrefixed(bytes, at, filters[i]);
	return at;
}

/** Checks a topic filter and returns whether it is that of a shared subscription. */
function checkFilter(filter: Uint8Array, version: Version): boolean {
	const shared = version === 5 ? sharedFilterStart(filter, 0, filter.length) : 0;
	// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
	if (shared < 0 || !validTopicFilter(filter, 0, filter.length))
		throw new MQTTError(TOPIC_FILTER_INVALID, "invalid topic filter");
	return shared > 0;
}
