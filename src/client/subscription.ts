import { NO_LOCAL, RETAIN_AS_PUBLISHED } from "../mqtt/constants";
import type { Subscription } from "../mqtt/packet-fields";
import { utf8 } from "../mqtt/utf8";

/** Subscription options (§3.8.3.1). All but the QoS concern MQTT 5.0. */
export interface SubscriptionOptions {
	/** The largest QoS of its messages; 0 by default. */
	readonly qos?: 0 | 1 | 2;
	/** Messages of this client itself are not sent to it. */
	readonly noLocal?: boolean;
	/** Messages keep the RETAIN flag with which they were published. */
	readonly retainAsPublished?: boolean;
	/**
	 * When retained messages are sent: at each SUBSCRIBE (0, the default), only if the subscription is new (1),
	 * never (2).
	 */
	readonly retainHandling?: 0 | 1 | 2;
}

/**
 * One topic filter for `Client.subscribe`, made once: allocates.
 * @throws MQTTError for a filter that is no UTF-8 text; what else MQTT does not allow throws in `subscribe`
 */
export function subscription(filter: string, options?: SubscriptionOptions): Subscription {
	const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options ?? {};
	return {
		filter: utf8(filter),
		options:
			qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (retainHandling << 4),
	};
}
