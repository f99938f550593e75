import type { BridgeSettings, BrokerSettings, Settings, WillSettings } from "./types";

/** Properties that distinguish one chip from another. */
export interface DeviceIdentity {
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	readonly chip: string;
}

/**
 * Fills in `{mac}` and `{chip}`. Without either, returns the template itself; otherwise the result has the
 * template as its prototype and holds only the values that differ, as the template lies in flash and a copy
 * would take RAM.
 */
export function settingsForDevice(template: Settings, identity: DeviceIdentity): Settings {
	const { id, topic, broker, bridge } = template;
	const filledBroker = brokerForDevice(broker, identity);
	const filledBridge = bridge && bridgeForDevice(bridge, identity);
	if (
		filledBroker === broker &&
		filledBridge === bridge &&
		!hasDevicePlaceholder(id) &&
		!hasDevicePlaceholder(topic)
	)
		return template;
	return inherit(template, {
		__proto__: template,
		id: fillPlaceholders(id, identity),
		topic: fillPlaceholders(topic, identity),
		broker: filledBroker,
		...(filledBridge === bridge ? {} : { bridge: filledBridge as BridgeSettings }),
	});
}

function bridgeForDevice(template: BridgeSettings, identity: DeviceIdentity): BridgeSettings {
	const { clientId, username, topics } = template;
	const hasPlaceholder =
		hasDevicePlaceholder(clientId) ||
		(username !== undefined && hasDevicePlaceholder(username)) ||
		topics.some(
			({ localPrefix, remotePrefix }) =>
				hasDevicePlaceholder(localPrefix) || hasDevicePlaceholder(remotePrefix),
		);
	if (!hasPlaceholder) return template;
	return inherit(template, {
		__proto__: template,
		clientId: fillPlaceholders(clientId, identity),
		...(username === undefined ? {} : { username: fillPlaceholders(username, identity) }),
		topics: topics.map((topic) => ({
			...topic,
			localPrefix: fillPlaceholders(topic.localPrefix, identity),
			remotePrefix: fillPlaceholders(topic.remotePrefix, identity),
		})),
	});
}

function brokerForDevice(template: BrokerSettings, identity: DeviceIdentity): BrokerSettings {
	const { clientId, username, will } = template;
	let broker = template;
	if (hasDevicePlaceholder(clientId))
		broker = inherit(broker, { __proto__: broker, clientId: fillPlaceholders(clientId, identity) });
	if (username !== undefined && hasDevicePlaceholder(username))
		broker = inherit(broker, { __proto__: broker, username: fillPlaceholders(username, identity) });
	if (will !== undefined && hasDevicePlaceholder(will.topic))
		broker = inherit(broker, { __proto__: broker, will: willForDevice(will, identity) });
	return broker;
}

function willForDevice(template: WillSettings, identity: DeviceIdentity): WillSettings {
	return inherit(template, { __proto__: template, topic: fillPlaceholders(template.topic, identity) });
}

/** `replaceAll` creates no garbage; neither value contains a `$`, which it would interpret. */
function fillPlaceholders(text: string, identity: DeviceIdentity): string {
	return text.replaceAll("{mac}", identity.mac).replaceAll("{chip}", identity.chip);
}

function hasDevicePlaceholder(text: string): boolean {
	return text.includes("{mac}") || text.includes("{chip}");
}

/** Types an object that inherits from `template`. */
function inherit<T extends object>(_template: T, own: { readonly __proto__: T } & Partial<T>): T {
	return own as unknown as T;
}
