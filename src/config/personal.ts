import type { BrokerSettings, Settings, WillSettings } from "./types";

/** What tells one chip from another. */
export interface Identity {
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	readonly chip: string;
}

/**
 * Fills in `{mac}` and `{chip}`. Nothing is copied where neither occurs; else the result has the template as its prototype and only
 * what differs of its own, as the template lies in flash and every copy would lie in RAM.
 */
export function personalise(template: Settings, identity: Identity): Settings {
	const { id, topic, broker } = template;
	const own = personalBroker(broker, identity);
	if (own === broker && !isPersonal(id) && !isPersonal(topic)) return template;
	return inherit(template, { __proto__: template, id: fill(id, identity), topic: fill(topic, identity), broker: own });
}

function personalBroker(template: BrokerSettings, identity: Identity): BrokerSettings {
	const { clientId, username, will } = template;
	let broker = template;
	if (isPersonal(clientId)) broker = inherit(broker, { __proto__: broker, clientId: fill(clientId, identity) });
	if (username !== undefined && isPersonal(username)) broker = inherit(broker, { __proto__: broker, username: fill(username, identity) });
	if (will !== undefined && isPersonal(will.topic)) broker = inherit(broker, { __proto__: broker, will: personalWill(will, identity) });
	return broker;
}

function personalWill(template: WillSettings, identity: Identity): WillSettings {
	return inherit(template, { __proto__: template, topic: fill(template.topic, identity) });
}

/** `replaceAll`, as neither value holds a `$`, leaves no garbage. */
function fill(text: string, { mac, chip }: Identity): string {
	return text.replaceAll("{mac}", mac).replaceAll("{chip}", chip);
}

function isPersonal(text: string): boolean {
	return text.includes("{mac}") || text.includes("{chip}");
}

/** Gives an object that inherits from `template` its type. */
function inherit<T extends object>(_template: T, own: { readonly __proto__: T } & Partial<T>): T {
	return own as unknown as T;
}
