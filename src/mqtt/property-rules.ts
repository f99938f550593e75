import {
	ASSIGNED_CLIENT_IDENTIFIER,
	AUTHENTICATION_DATA,
	AUTHENTICATION_METHOD,
	CONTENT_TYPE,
	CORRELATION_DATA,
	MAXIMUM_PACKET_SIZE,
	MAXIMUM_QOS,
	MESSAGE_EXPIRY_INTERVAL,
	PAYLOAD_FORMAT_INDICATOR,
	REASON_STRING,
	RECEIVE_MAXIMUM,
	REQUEST_PROBLEM_INFORMATION,
	REQUEST_RESPONSE_INFORMATION,
	RESPONSE_INFORMATION,
	RESPONSE_TOPIC,
	RETAIN_AVAILABLE,
	SERVER_KEEP_ALIVE,
	SERVER_REFERENCE,
	SESSION_EXPIRY_INTERVAL,
	SHARED_SUBSCRIPTION_AVAILABLE,
	SUBSCRIPTION_IDENTIFIER,
	SUBSCRIPTION_IDENTIFIER_AVAILABLE,
	TOPIC_ALIAS,
	TOPIC_ALIAS_MAXIMUM,
	USER_PROPERTY,
	WILDCARD_SUBSCRIPTION_AVAILABLE,
	WILL_DELAY_INTERVAL,
} from "./constants";
import { propertyType, TYPE_BYTE } from "./property-types";

/**
 * The bit of a property in a set of identifiers: two words, LOW for those below 32 and HIGH for the others.
 */
export function propertyBit(id: number): number {
	return 1 << (id & 31);
}

// Which properties a packet may carry (Table 2-4)
export const NO_PROPERTIES = 0;
export const CONNECT_LOW =
	propertyBit(SESSION_EXPIRY_INTERVAL) |
	propertyBit(AUTHENTICATION_METHOD) |
	propertyBit(AUTHENTICATION_DATA) |
	propertyBit(REQUEST_PROBLEM_INFORMATION) |
	propertyBit(REQUEST_RESPONSE_INFORMATION);
export const CONNECT_HIGH =
	propertyBit(RECEIVE_MAXIMUM) |
	propertyBit(TOPIC_ALIAS_MAXIMUM) |
	propertyBit(MAXIMUM_PACKET_SIZE) |
	propertyBit(USER_PROPERTY);
export const WILL_LOW =
	propertyBit(PAYLOAD_FORMAT_INDICATOR) |
	propertyBit(MESSAGE_EXPIRY_INTERVAL) |
	propertyBit(CONTENT_TYPE) |
	propertyBit(RESPONSE_TOPIC) |
	propertyBit(CORRELATION_DATA) |
	propertyBit(WILL_DELAY_INTERVAL);
export const WILL_HIGH = propertyBit(USER_PROPERTY);
export const CONNACK_LOW =
	propertyBit(SESSION_EXPIRY_INTERVAL) |
	propertyBit(ASSIGNED_CLIENT_IDENTIFIER) |
	propertyBit(SERVER_KEEP_ALIVE) |
	propertyBit(AUTHENTICATION_METHOD) |
	propertyBit(AUTHENTICATION_DATA) |
	propertyBit(RESPONSE_INFORMATION) |
	propertyBit(SERVER_REFERENCE) |
	propertyBit(REASON_STRING);
export const CONNACK_HIGH =
	propertyBit(RECEIVE_MAXIMUM) |
	propertyBit(TOPIC_ALIAS_MAXIMUM) |
	propertyBit(MAXIMUM_QOS) |
	propertyBit(RETAIN_AVAILABLE) |
	propertyBit(USER_PROPERTY) |
	propertyBit(MAXIMUM_PACKET_SIZE) |
	propertyBit(WILDCARD_SUBSCRIPTION_AVAILABLE) |
	propertyBit(SUBSCRIPTION_IDENTIFIER_AVAILABLE) |
	propertyBit(SHARED_SUBSCRIPTION_AVAILABLE);
export const PUBLISH_LOW =
	propertyBit(PAYLOAD_FORMAT_INDICATOR) |
	propertyBit(MESSAGE_EXPIRY_INTERVAL) |
	propertyBit(CONTENT_TYPE) |
	propertyBit(RESPONSE_TOPIC) |
	propertyBit(CORRELATION_DATA) |
	propertyBit(SUBSCRIPTION_IDENTIFIER);
export const PUBLISH_HIGH = propertyBit(TOPIC_ALIAS) | propertyBit(USER_PROPERTY);
export const TOPIC_ALIAS_BIT = propertyBit(TOPIC_ALIAS);
/** PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK. */
export const ACKNOWLEDGE_LOW = propertyBit(REASON_STRING);
export const ACKNOWLEDGE_HIGH = propertyBit(USER_PROPERTY);
export const SUBSCRIBE_LOW = propertyBit(SUBSCRIPTION_IDENTIFIER);
export const SUBSCRIBE_HIGH = propertyBit(USER_PROPERTY);
export const UNSUBSCRIBE_HIGH = propertyBit(USER_PROPERTY);
export const DISCONNECT_LOW =
	propertyBit(SESSION_EXPIRY_INTERVAL) | propertyBit(SERVER_REFERENCE) | propertyBit(REASON_STRING);
export const DISCONNECT_HIGH = propertyBit(USER_PROPERTY);
export const AUTH_LOW =
	propertyBit(AUTHENTICATION_METHOD) | propertyBit(AUTHENTICATION_DATA) | propertyBit(REASON_STRING);
export const AUTH_HIGH = propertyBit(USER_PROPERTY);

/** Whether the value of an integer property is in its range. */
export function propertyValueAllowed(id: number, value: number): boolean {
	switch (id) {
		case SUBSCRIPTION_IDENTIFIER: // §3.8.2.1.2
		case RECEIVE_MAXIMUM: // §3.1.2.11.3
		case MAXIMUM_PACKET_SIZE: // §3.1.2.11.4
		case TOPIC_ALIAS: // [MQTT-3.3.2-8]
			return value > 0;
		default:
			return propertyType(id) !== TYPE_BYTE || value < 2; // §3.1.2.11.6, §3.1.2.11.7, §3.2.2.3, §3.3.2.3.2
	}
}
