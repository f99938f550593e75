import {
	ASSIGNED_CLIENT_IDENTIFIER,
	MAXIMUM_PACKET_SIZE,
	MAXIMUM_QOS,
	MAXIMUM_REMAINING_LENGTH,
	RECEIVE_MAXIMUM,
	RETAIN_AVAILABLE,
	SERVER_KEEP_ALIVE,
	SESSION_EXPIRY_INTERVAL,
	TOPIC_ALIAS_MAXIMUM,
	type Version,
} from "../mqtt/constants";
import { variableHeaderSize } from "../mqtt/encode/publish";
import type { Packet } from "../mqtt/packet";
import { packetSize, varintSize } from "../mqtt/varint";

/**
 * Limits for packets sent before CONNACK, from the last CONNACK of the same broker. The caller of `open()`
 * keeps them over deep sleep.
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

/** The largest packet that MQTT can express (§2.1.4), in bytes: no limit. */
export const UNLIMITED: number = MAXIMUM_REMAINING_LENGTH + 5;

/**
 * Limits from CONNACK (§3.2.2); until it arrives, those cached from an earlier one. MQTT 3.1.1 has no limits.
 */
export class BrokerLimits {
	/** Maximum number of QoS 1 and 2 messages in flight to the broker. */
	receiveMaximum = 65_535;
	/** Bytes. */
	maximumPacketSize: number = UNLIMITED;
	maximumQoS = 2;
	retainAvailable = true;
	/** Aliases that may be used; 0 until this connection's CONNACK has arrived. [MQTT-3.2.2-17] */
	topicAliasMaximum = 0;
	/** Seconds; −1: the client's own keep alive applies. */
	serverKeepAliveSeconds = -1;
	/** Seconds that the broker keeps the session; −1: as requested. */
	sessionExpirySeconds = -1;
	/** The broker continues an earlier session. */
	sessionPresent = false;
	/** The client identifier that the broker chose (§3.2.2.3.7), in UTF-8; undefined if it chose none. */
	assignedClientId: Uint8Array | undefined;

	/**
	 * Prepares for a connection before its CONNACK: uses the cached limits, or else those of the last CONNACK.
	 */
	reset(cached: CachedLimits | undefined): void {
		this.topicAliasMaximum = 0;
		this.serverKeepAliveSeconds = -1;
		this.sessionExpirySeconds = -1;
		this.sessionPresent = false;
		this.assignedClientId = undefined;
		if (cached === undefined) return;
		this.receiveMaximum = cached.receiveMaximum || 65_535;
		this.maximumPacketSize = cached.maximumPacketSize || UNLIMITED;
		this.maximumQoS = cached.maximumQoS ?? 2;
		this.retainAvailable = cached.retainAvailable ?? true;
	}

	/** Applies a successful CONNACK; a limit that it omits has its default. */
	applyConnack(connack: Packet): void {
		const { properties, sessionPresent } = connack;
		this.sessionPresent = sessionPresent;
		this.receiveMaximum = 65_535;
		this.maximumPacketSize = UNLIMITED;
		this.maximumQoS = 2;
		this.retainAvailable = true;
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
				case MAXIMUM_QOS:
					this.maximumQoS = value;
					break;
				case RETAIN_AVAILABLE:
					this.retainAvailable = value !== 0;
					break;
				case TOPIC_ALIAS_MAXIMUM:
					this.topicAliasMaximum = value;
					break;
				case SERVER_KEEP_ALIVE:
					this.serverKeepAliveSeconds = value;
					break;
				case SESSION_EXPIRY_INTERVAL:
					this.sessionExpirySeconds = value;
					break;
				case ASSIGNED_CLIENT_IDENTIFIER:
					this.assignedClientId = properties.bytes.slice(properties.start, properties.end);
					break;
			}
		}
	}
}

/** Bytes of a whole PUBLISH (§3.3). */
export function publishSize(
	version: Version,
	topicLength: number,
	payloadLength: number,
	qos: number,
	propertiesLength: number,
): number {
	const properties = version === 5 ? varintSize(propertiesLength) + propertiesLength : 0;
	return packetSize(variableHeaderSize(topicLength, qos << 1, properties) + payloadLength);
}

/**
 * Bytes of the largest payload of a PUBLISH without properties that fits a packet; negative: not even an
 * empty one fits. At some sizes the remaining length takes a byte more or less, and one byte stays unused.
 */
export function maximumPayload(
	version: Version,
	packetSize: number,
	topicLength: number,
	qos: number,
): number {
	const rest = packetSize - 1 - varintSize(packetSize > 2 ? packetSize - 2 : 0);
	return rest - 2 - topicLength - (qos > 0 ? 2 : 0) - (version === 5 ? 1 : 0);
}
