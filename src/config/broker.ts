import type { brokerFields } from "./fields/broker";
import type { Values } from "./fields/field";
import { expand } from "./template";
import type { BrokerSettings } from "./types";
import { parseBrokerURL } from "./url";

/** Address of a node's broker that has none. */
const NO_ADDRESS = Object.freeze({ host: "", port: 1883 });

/**
 * Settings of the broker that a node reports to.
 * @param id replaces `{id}`
 */
export function brokerSettings(
	{ url, clientId, username, will, ...values }: Values<typeof brokerFields>,
	id: string,
): BrokerSettings {
	const address = url === undefined ? NO_ADDRESS : parseBrokerURL(url);
	return {
		...(typeof address === "string" ? NO_ADDRESS : address),
		...values,
		clientId: expand(clientId, { id }),
		...(username === undefined ? {} : { username: expand(username, { id }) }),
		...(will === undefined ? {} : { will: { ...will, topic: expand(will.topic, { id }) } }),
	};
}
