import {
	AUTH,
	CONNACK,
	CONNECT,
	DISCONNECT,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	SUBACK,
	SUBSCRIBE,
	UNSUBACK,
	UNSUBSCRIBE,
} from "./constants";
import {
	type PropertyType,
	TYPE_BINARY,
	TYPE_BYTE,
	TYPE_STRING,
	TYPE_STRING_PAIR,
	TYPE_UINT16,
	TYPE_UINT32,
	TYPE_VARINT,
	WILL_PROPERTIES,
} from "./property-types";

// What the rows below say, by identifier and by packet. In a preloaded module these lie in flash; never
// written afterwards
const TYPES = new Uint8Array(256);
/** Whether 0 is no value of the property. */
const POSITIVE = new Uint8Array(256);
/**
 * The properties that a packet of each type may carry, and a will (WILL_PROPERTIES): bit n of ALLOWED_LOW is
 * identifier n, of ALLOWED_HIGH n + 32.
 */
export const ALLOWED_LOW = new Int32Array(AUTH + 1);
export const ALLOWED_HIGH = new Int32Array(AUTH + 1);

// Packets, as bits
const IN_WILL = 1 << WILL_PROPERTIES;
const IN_CONNECT = 1 << CONNECT;
const IN_CONNACK = 1 << CONNACK;
const IN_PUBLISH = 1 << PUBLISH;
const IN_SUBSCRIBE = 1 << SUBSCRIBE;
const IN_UNSUBSCRIBE = 1 << UNSUBSCRIBE;
const IN_DISCONNECT = 1 << DISCONNECT;
const IN_AUTH = 1 << AUTH;
/** PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. */
const IN_ACKNOWLEDGEMENTS =
	(1 << PUBACK) | (1 << PUBREC) | (1 << PUBREL) | (1 << PUBCOMP) | (1 << SUBACK) | (1 << UNSUBACK);
/** Every packet that has properties. */
const IN_ALL =
	IN_WILL |
	IN_CONNECT |
	IN_CONNACK |
	IN_PUBLISH |
	IN_SUBSCRIBE |
	IN_UNSUBSCRIBE |
	IN_DISCONNECT |
	IN_AUTH |
	IN_ACKNOWLEDGEMENTS;

/**
 * Adds a row of the table below: identifier, type of the value, packets that may carry it, and whether its
 * value must not be 0.
 * @returns the identifier
 */
function property<Id extends number>(id: Id, type: PropertyType, packets: number, positive = false): Id {
	TYPES[id] = type;
	if (positive) POSITIVE[id] = 1;
	const allowed = id < 32 ? ALLOWED_LOW : ALLOWED_HIGH;
	for (let packet = 0; packet <= AUTH; packet++)
		if (((packets >> packet) & 1) !== 0) allowed[packet] |= propertyBit(id);
	return id;
}

// The properties of MQTT 5.0 (Table 2-4). All other numbers in this project that concern a property, and its
// name in a trace, come from its row; to send one, PropertyWriter has a method of its name.
export const PAYLOAD_FORMAT_INDICATOR = property(0x01, TYPE_BYTE, IN_PUBLISH | IN_WILL);
export const MESSAGE_EXPIRY_INTERVAL = property(0x02, TYPE_UINT32, IN_PUBLISH | IN_WILL);
export const CONTENT_TYPE = property(0x03, TYPE_STRING, IN_PUBLISH | IN_WILL);
export const RESPONSE_TOPIC = property(0x08, TYPE_STRING, IN_PUBLISH | IN_WILL);
export const CORRELATION_DATA = property(0x09, TYPE_BINARY, IN_PUBLISH | IN_WILL);
// §3.8.2.1.2
export const SUBSCRIPTION_IDENTIFIER = property(0x0b, TYPE_VARINT, IN_PUBLISH | IN_SUBSCRIBE, true);
export const SESSION_EXPIRY_INTERVAL = property(0x11, TYPE_UINT32, IN_CONNECT | IN_CONNACK | IN_DISCONNECT);
export const ASSIGNED_CLIENT_IDENTIFIER = property(0x12, TYPE_STRING, IN_CONNACK);
export const SERVER_KEEP_ALIVE = property(0x13, TYPE_UINT16, IN_CONNACK);
export const AUTHENTICATION_METHOD = property(0x15, TYPE_STRING, IN_CONNECT | IN_CONNACK | IN_AUTH);
export const AUTHENTICATION_DATA = property(0x16, TYPE_BINARY, IN_CONNECT | IN_CONNACK | IN_AUTH);
export const REQUEST_PROBLEM_INFORMATION = property(0x17, TYPE_BYTE, IN_CONNECT);
export const WILL_DELAY_INTERVAL = property(0x18, TYPE_UINT32, IN_WILL);
export const REQUEST_RESPONSE_INFORMATION = property(0x19, TYPE_BYTE, IN_CONNECT);
export const RESPONSE_INFORMATION = property(0x1a, TYPE_STRING, IN_CONNACK);
export const SERVER_REFERENCE = property(0x1c, TYPE_STRING, IN_CONNACK | IN_DISCONNECT);
export const REASON_STRING = property(
	0x1f,
	TYPE_STRING,
	IN_CONNACK | IN_ACKNOWLEDGEMENTS | IN_DISCONNECT | IN_AUTH,
);
export const RECEIVE_MAXIMUM = property(0x21, TYPE_UINT16, IN_CONNECT | IN_CONNACK, true); // §3.1.2.11.3
export const TOPIC_ALIAS_MAXIMUM = property(0x22, TYPE_UINT16, IN_CONNECT | IN_CONNACK);
export const TOPIC_ALIAS = property(0x23, TYPE_UINT16, IN_PUBLISH, true); // [MQTT-3.3.2-8]
export const MAXIMUM_QOS = property(0x24, TYPE_BYTE, IN_CONNACK);
export const RETAIN_AVAILABLE = property(0x25, TYPE_BYTE, IN_CONNACK);
export const USER_PROPERTY = property(0x26, TYPE_STRING_PAIR, IN_ALL);
export const MAXIMUM_PACKET_SIZE = property(0x27, TYPE_UINT32, IN_CONNECT | IN_CONNACK, true); // §3.1.2.11.4
export const WILDCARD_SUBSCRIPTION_AVAILABLE = property(0x28, TYPE_BYTE, IN_CONNACK);
export const SUBSCRIPTION_IDENTIFIER_AVAILABLE = property(0x29, TYPE_BYTE, IN_CONNACK);
export const SHARED_SUBSCRIPTION_AVAILABLE = property(0x2a, TYPE_BYTE, IN_CONNACK);

/** The type of a property's value; TYPE_NONE for a byte that is no identifier of the specification. */
export function propertyType(id: number): PropertyType {
	return TYPES[id] as PropertyType;
}

/** The bit of a property in a set of identifiers: two words, for those below 32 and for the others. */
export function propertyBit(id: number): number {
	return 1 << (id & 31);
}

/** Whether the value of a property is in its range, if it is an integer. */
export function propertyValueAllowed(id: number, value: number): boolean {
	if (value === 0) return POSITIVE[id] === 0;
	return value === 1 || TYPES[id] !== TYPE_BYTE; // §3.1.2.11.6, §3.1.2.11.7, §3.2.2.3, §3.3.2.3.2
}
