/** The protocol level of CONNECT (§3.1.2.2): 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type Version = 4 | 5;

// Control packet types (§2.1.2)
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** The packets that carry a message's packet identifier back. */
export type AcknowledgementType = typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP;

/** Quality of Service (§4.3). */
export type QoS = 0 | 1 | 2;

// Flags of PUBLISH: the low nibble of its first byte (§3.3.1)
export const RETAIN = 1;
export const QOS1 = 2;
export const QOS2 = 4;
export const DUP = 8;

// Flags of CONNECT (§3.1.2.3)
export const CLEAN_START = 0x02;
export const WILL = 0x04;
export const WILL_QOS = 0x18;
export const WILL_RETAIN = 0x20;
export const HAS_PASSWORD = 0x40;
export const HAS_USERNAME = 0x80;
/**
 * Of a decoded CONNECT only, in place of the reserved flag: its level is {@link BRIDGE_LEVEL}.
 */
export const IS_BRIDGE = 0x01;

/**
 * Protocol level by which bridges of mosquitto say over MQTT 3.1.1 that they are one: the broker sends them
 * nothing that they have published, and RETAIN as published. No specification has it.
 */
export const BRIDGE_LEVEL = 0x84;

// Subscription options (§3.8.3.1); the two low bits are the maximum QoS, bits 4 and 5 the retain handling
export const NO_LOCAL = 0x04;
export const RETAIN_AS_PUBLISHED = 0x08;
export const RETAIN_HANDLING = 0x30;

/**
 * The largest value of a variable byte integer (§1.5.5), so also of a packet's remaining length, in bytes.
 */
export const MAXIMUM_REMAINING_LENGTH = 268_435_455;

/** The longest string or binary field (§1.5.4, §1.5.6), in bytes. */
export const MAXIMUM_STRING = 65_535;

// Reason codes (§2.4)
export const SUCCESS = 0x00;
export const GRANTED_QOS_0 = 0x00;
export const GRANTED_QOS_1 = 0x01;
export const GRANTED_QOS_2 = 0x02;
export const DISCONNECT_WITH_WILL_MESSAGE = 0x04;
export const NO_MATCHING_SUBSCRIBERS = 0x10;
export const NO_SUBSCRIPTION_EXISTED = 0x11;
export const CONTINUE_AUTHENTICATION = 0x18;
export const RE_AUTHENTICATE = 0x19;
export const UNSPECIFIED_ERROR = 0x80;
export const MALFORMED_PACKET = 0x81;
export const PROTOCOL_ERROR = 0x82;
export const IMPLEMENTATION_SPECIFIC_ERROR = 0x83;
export const UNSUPPORTED_PROTOCOL_VERSION = 0x84;
export const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
export const BAD_USER_NAME_OR_PASSWORD = 0x86;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SERVER_BUSY = 0x89;
export const BANNED = 0x8a;
export const SERVER_SHUTTING_DOWN = 0x8b;
export const BAD_AUTHENTICATION_METHOD = 0x8c;
export const KEEP_ALIVE_TIMEOUT = 0x8d;
export const SESSION_TAKEN_OVER = 0x8e;
export const TOPIC_FILTER_INVALID = 0x8f;
export const TOPIC_NAME_INVALID = 0x90;
export const PACKET_IDENTIFIER_IN_USE = 0x91;
export const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93;
export const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
export const MESSAGE_RATE_TOO_HIGH = 0x96;
export const QUOTA_EXCEEDED = 0x97;
export const ADMINISTRATIVE_ACTION = 0x98;
export const PAYLOAD_FORMAT_INVALID = 0x99;
export const RETAIN_NOT_SUPPORTED = 0x9a;
export const QOS_NOT_SUPPORTED = 0x9b;
export const USE_ANOTHER_SERVER = 0x9c;
export const SERVER_MOVED = 0x9d;
export const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9e;
export const CONNECTION_RATE_EXCEEDED = 0x9f;
export const MAXIMUM_CONNECT_TIME = 0xa0;
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xa1;
export const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xa2;

/** A reason code of 0x80 or above: what was asked for has failed (§2.4). */
export type FailureCode =
	| typeof UNSPECIFIED_ERROR
	| typeof MALFORMED_PACKET
	| typeof PROTOCOL_ERROR
	| typeof IMPLEMENTATION_SPECIFIC_ERROR
	| typeof UNSUPPORTED_PROTOCOL_VERSION
	| typeof CLIENT_IDENTIFIER_NOT_VALID
	| typeof BAD_USER_NAME_OR_PASSWORD
	| typeof NOT_AUTHORIZED
	| typeof SERVER_UNAVAILABLE
	| typeof SERVER_BUSY
	| typeof BANNED
	| typeof SERVER_SHUTTING_DOWN
	| typeof BAD_AUTHENTICATION_METHOD
	| typeof KEEP_ALIVE_TIMEOUT
	| typeof SESSION_TAKEN_OVER
	| typeof TOPIC_FILTER_INVALID
	| typeof TOPIC_NAME_INVALID
	| typeof PACKET_IDENTIFIER_IN_USE
	| typeof PACKET_IDENTIFIER_NOT_FOUND
	| typeof RECEIVE_MAXIMUM_EXCEEDED
	| typeof TOPIC_ALIAS_INVALID
	| typeof PACKET_TOO_LARGE
	| typeof MESSAGE_RATE_TOO_HIGH
	| typeof QUOTA_EXCEEDED
	| typeof ADMINISTRATIVE_ACTION
	| typeof PAYLOAD_FORMAT_INVALID
	| typeof RETAIN_NOT_SUPPORTED
	| typeof QOS_NOT_SUPPORTED
	| typeof USE_ANOTHER_SERVER
	| typeof SERVER_MOVED
	| typeof SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
	| typeof CONNECTION_RATE_EXCEEDED
	| typeof MAXIMUM_CONNECT_TIME
	| typeof SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED
	| typeof WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;

/** Any reason code (§2.4). {@link reasonName} names each. */
export type ReasonCode =
	| typeof SUCCESS
	| typeof GRANTED_QOS_0
	| typeof GRANTED_QOS_1
	| typeof GRANTED_QOS_2
	| typeof DISCONNECT_WITH_WILL_MESSAGE
	| typeof NO_MATCHING_SUBSCRIBERS
	| typeof NO_SUBSCRIPTION_EXISTED
	| typeof CONTINUE_AUTHENTICATION
	| typeof RE_AUTHENTICATE
	| FailureCode;

/** Whether a reason code, or a number that stands beside reason codes, says that something has failed. */
export function isFailure(code: number): code is FailureCode {
	return code >= UNSPECIFIED_ERROR;
}

/** Result of a check: SUCCESS, or the reason code with which what was checked is refused. */
export type CheckResult = typeof SUCCESS | FailureCode;

/** A return code of CONNACK in MQTT 3.1.1 (Table 3.1 there), which has no reason codes. */
export type ConnackReturnCode = 0 | 1 | 2 | 3 | 4 | 5;

/** The specification's name of a reason code (§2.4), for messages. */
export function reasonName(code: ReasonCode): string {
	switch (code) {
		case SUCCESS:
			return "Success";
		case GRANTED_QOS_1:
			return "Granted QoS 1";
		case GRANTED_QOS_2:
			return "Granted QoS 2";
		case DISCONNECT_WITH_WILL_MESSAGE:
			return "Disconnect with Will Message";
		case NO_MATCHING_SUBSCRIBERS:
			return "No matching subscribers";
		case NO_SUBSCRIPTION_EXISTED:
			return "No subscription existed";
		case CONTINUE_AUTHENTICATION:
			return "Continue authentication";
		case RE_AUTHENTICATE:
			return "Re-authenticate";
		case UNSPECIFIED_ERROR:
			return "Unspecified error";
		case MALFORMED_PACKET:
			return "Malformed Packet";
		case PROTOCOL_ERROR:
			return "Protocol Error";
		case IMPLEMENTATION_SPECIFIC_ERROR:
			return "Implementation specific error";
		case UNSUPPORTED_PROTOCOL_VERSION:
			return "Unsupported Protocol Version";
		case CLIENT_IDENTIFIER_NOT_VALID:
			return "Client Identifier not valid";
		case BAD_USER_NAME_OR_PASSWORD:
			return "Bad User Name or Password";
		case NOT_AUTHORIZED:
			return "Not authorized";
		case SERVER_UNAVAILABLE:
			return "Server unavailable";
		case SERVER_BUSY:
			return "Server busy";
		case BANNED:
			return "Banned";
		case SERVER_SHUTTING_DOWN:
			return "Server shutting down";
		case BAD_AUTHENTICATION_METHOD:
			return "Bad authentication method";
		case KEEP_ALIVE_TIMEOUT:
			return "Keep Alive timeout";
		case SESSION_TAKEN_OVER:
			return "Session taken over";
		case TOPIC_FILTER_INVALID:
			return "Topic Filter invalid";
		case TOPIC_NAME_INVALID:
			return "Topic Name invalid";
		case PACKET_IDENTIFIER_IN_USE:
			return "Packet Identifier in use";
		case PACKET_IDENTIFIER_NOT_FOUND:
			return "Packet Identifier not found";
		case RECEIVE_MAXIMUM_EXCEEDED:
			return "Receive Maximum exceeded";
		case TOPIC_ALIAS_INVALID:
			return "Topic Alias invalid";
		case PACKET_TOO_LARGE:
			return "Packet too large";
		case MESSAGE_RATE_TOO_HIGH:
			return "Message rate too high";
		case QUOTA_EXCEEDED:
			return "Quota exceeded";
		case ADMINISTRATIVE_ACTION:
			return "Administrative action";
		case PAYLOAD_FORMAT_INVALID:
			return "Payload format invalid";
		case RETAIN_NOT_SUPPORTED:
			return "Retain not supported";
		case QOS_NOT_SUPPORTED:
			return "QoS not supported";
		case USE_ANOTHER_SERVER:
			return "Use another server";
		case SERVER_MOVED:
			return "Server moved";
		case SHARED_SUBSCRIPTIONS_NOT_SUPPORTED:
			return "Shared Subscriptions not supported";
		case CONNECTION_RATE_EXCEEDED:
			return "Connection rate exceeded";
		case MAXIMUM_CONNECT_TIME:
			return "Maximum connect time";
		case SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED:
			return "Subscription Identifiers not supported";
		case WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED:
			return "Wildcard Subscriptions not supported";
	}
}
