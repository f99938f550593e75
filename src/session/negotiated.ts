import { MAXIMUM_REMAINING_LENGTH, type Version } from "../mqtt/constants";
import {
	ASSIGNED_CLIENT_IDENTIFIER,
	MAXIMUM_PACKET_SIZE,
	MAXIMUM_QOS,
	RECEIVE_MAXIMUM,
	RETAIN_AVAILABLE,
	SERVER_KEEP_ALIVE,
	SESSION_EXPIRY_INTERVAL,
	SHARED_SUBSCRIPTION_AVAILABLE,
	SUBSCRIPTION_IDENTIFIER_AVAILABLE,
	TOPIC_ALIAS_MAXIMUM,
	WILDCARD_SUBSCRIPTION_AVAILABLE,
} from "../mqtt/properties";
import type { PropertyReader } from "../mqtt/property-reader";

/** The largest packet that MQTT can express (§2.1.4), in bytes: no limit. */
export const UNLIMITED: number = MAXIMUM_REMAINING_LENGTH + 5;
/** Receive Maximum of a peer that announces none (§3.1.2.11.3, §3.2.2.3.3). */
const DEFAULT_RECEIVE_MAXIMUM = 65_535;

// What a broker may lack besides, as bits
const NO_WILDCARDS = 1;
const NO_SUBSCRIPTION_IDENTIFIERS = 2;
const NO_SHARED_SUBSCRIPTIONS = 4;

/** What each end announces to the other, the client in CONNECT and the broker in CONNACK. */
export interface AnnouncedLimits {
	/** QoS 1 and 2 messages in flight to the end that announces, 1 … 65535. */
	receiveMaximum: number;
	/** Bytes of a packet to it, 1 … {@link UNLIMITED}. */
	maximumPacketSize: number;
	/** Topic aliases in packets to it, 0 … 65535. */
	topicAliasMaximum: number;
}

/**
 * Reads what a client announced in CONNECT; a property that is absent has its default, as all have in MQTT
 * 3.1.1 (§3.1.2.11). A node reads those of CONNACK among the others, in one walk: {@link Negotiated.agree}.
 */
export function readLimits(limits: AnnouncedLimits, properties: PropertyReader): void {
	limits.receiveMaximum = properties.find(RECEIVE_MAXIMUM) ? properties.number : DEFAULT_RECEIVE_MAXIMUM;
	limits.maximumPacketSize = properties.find(MAXIMUM_PACKET_SIZE) ? properties.number : UNLIMITED;
	limits.topicAliasMaximum = properties.find(TOPIC_ALIAS_MAXIMUM) ? properties.number : 0; // [MQTT-3.1.2-27]
}

/**
 * Limits for packets sent before CONNACK, from the last CONNACK of the same broker. Absent: the default of
 * the property.
 */
export interface CachedLimits {
	/** 1 … 65535; 65535 by default. */
	readonly receiveMaximum?: number;
	/** Bytes, 1 … 268435460, the default. */
	readonly maximumPacketSize?: number;
	/** 2 by default. */
	readonly maximumQoS?: number;
	/** True by default. */
	readonly retainAvailable?: boolean;
}

/**
 * What CONNECT and CONNACK fixed for a client's connection. The three limits are those of the broker, which
 * the client's packets respect; the client's own are among its options.
 */
export class Negotiated implements AnnouncedLimits {
	readonly version: Version;
	receiveMaximum = DEFAULT_RECEIVE_MAXIMUM;
	maximumPacketSize: number = UNLIMITED;
	/** 0 until CONNACK has announced another [MQTT-3.2.2-17]. */
	topicAliasMaximum = 0;
	/** 0 … 2. MQTT 3.1.1 has no such property: there it is what the broker's answers have shown. */
	maximumQoS = 2;
	retainAvailable = true;
	/** Seconds, 0 … 65535; 0: off. */
	keepAliveSeconds = 0;
	/** Seconds that the session is kept after the connection, 0 … 2^32 − 1 (no expiry). */
	sessionExpirySeconds = 0;
	/** The broker continues an earlier session. */
	sessionPresent = false;
	/** The client identifier that the broker chose (§3.2.2.3.7), in UTF-8; undefined if it chose none. */
	assignedClientId: Uint8Array | undefined;
	/**
	 * CONNACK of this connection has fixed all this, also after its end; before, the broker's limits are those
	 * of an earlier one.
	 */
	isAgreed = false;
	private missing = 0;

	constructor(version: Version) {
		this.version = version;
	}

	/** Whether topic filters may have wildcards (§3.2.2.3.11). */
	get wildcardAvailable(): boolean {
		return (this.missing & NO_WILDCARDS) === 0;
	}

	/** Whether subscriptions may have identifiers (§3.2.2.3.12). */
	get subscriptionIdentifierAvailable(): boolean {
		return (this.missing & NO_SUBSCRIPTION_IDENTIFIERS) === 0;
	}

	/** Whether subscriptions may be shared (§3.2.2.3.13). */
	get sharedSubscriptionAvailable(): boolean {
		return (this.missing & NO_SHARED_SUBSCRIPTIONS) === 0;
	}

	/**
	 * Begins a connection with what CONNECT asks for.
	 * @param cached the broker's limits until CONNACK; undefined: those of the last connection
	 */
	begin(keepAliveSeconds: number, sessionExpirySeconds: number, cached: CachedLimits | undefined): void {
		this.keepAliveSeconds = keepAliveSeconds;
		this.sessionExpirySeconds = sessionExpirySeconds;
		this.topicAliasMaximum = 0;
		this.assignedClientId = undefined;
		this.isAgreed = this.sessionPresent = false;
		if (cached === undefined) return;
		this.receiveMaximum = cached.receiveMaximum || DEFAULT_RECEIVE_MAXIMUM;
		this.maximumPacketSize = cached.maximumPacketSize || UNLIMITED;
		this.maximumQoS = cached.maximumQoS ?? 2;
		this.retainAvailable = cached.retainAvailable ?? true;
	}

	/**
	 * Applies a successful CONNACK. What it does not say has its default (§3.2.2.3), or is as CONNECT asked.
	 */
	agree(properties: PropertyReader, sessionPresent: boolean): void {
		this.isAgreed = true;
		this.sessionPresent = sessionPresent;
		if (this.version === 5) this.maximumQoS = 2;
		this.retainAvailable = true;
		this.missing = 0;
		this.receiveMaximum = DEFAULT_RECEIVE_MAXIMUM;
		this.maximumPacketSize = UNLIMITED;
		this.topicAliasMaximum = 0;
		properties.rewind();
		while (properties.next()) {
			const value = properties.number;
			switch (properties.id) {
				case RECEIVE_MAXIMUM:
					this.receiveMaximum = value;
					break;
				case MAXIMUM_PACKET_SIZE:
					this.maximumPacketSize = value;
					break;
				case TOPIC_ALIAS_MAXIMUM:
					this.topicAliasMaximum = value;
					break;
				case MAXIMUM_QOS:
					this.maximumQoS = value;
					break;
				case RETAIN_AVAILABLE:
					this.retainAvailable = value !== 0;
					break;
				case SERVER_KEEP_ALIVE: // [MQTT-3.2.2-21] [MQTT-3.1.2-21]
					this.keepAliveSeconds = value;
					break;
				case SESSION_EXPIRY_INTERVAL:
					this.sessionExpirySeconds = value;
					break;
				case ASSIGNED_CLIENT_IDENTIFIER:
					this.assignedClientId = properties.bytes.slice(properties.start, properties.end);
					break;
				case WILDCARD_SUBSCRIPTION_AVAILABLE:
					if (value === 0) this.missing |= NO_WILDCARDS;
					break;
				case SUBSCRIPTION_IDENTIFIER_AVAILABLE:
					if (value === 0) this.missing |= NO_SUBSCRIPTION_IDENTIFIERS;
					break;
				case SHARED_SUBSCRIPTION_AVAILABLE:
					if (value === 0) this.missing |= NO_SHARED_SUBSCRIPTIONS;
					break;
			}
		}
	}
}
