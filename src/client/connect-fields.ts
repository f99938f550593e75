import type { Version } from "../mqtt/constants";
import { checkWillTopic, connectLength } from "../mqtt/encode/connect";
import type { ConnectFields } from "../mqtt/packet-fields";
import { PropertyWriter } from "../mqtt/property-writer";
import { utf8 } from "../mqtt/utf8";
import { packetSize } from "../mqtt/varint";
import { type AnnouncedLimits, UNLIMITED } from "../session/negotiated";
import type { ClientOptions, UserProperty, WillOptions } from "./options";

/** Receive maximum sent in CONNECT if none is configured. */
const DEFAULT_RECEIVE_MAXIMUM = 16;

/**
 * Returns the fields of CONNECT, with all strings encoded.
 * @throws RangeError or MQTTError for a value that MQTT does not allow
 */
export function connectFields(options: ClientOptions): ConnectFields {
	const { username, password, will } = options;
	const fields: ConnectFields = {
		clientId: utf8(options.clientId),
		keepAlive: options.keepAlive,
		cleanStart: options.cleanStart,
	};
	if (username !== undefined) fields.username = utf8(username);
	if (password !== undefined) fields.password = binary(password);
	if (will !== undefined) {
		fields.will = {
			topic: utf8(will.topic),
			payload: binary(will.payload),
			qos: will.qos,
			retain: will.retain,
		};
		if (options.version === 5) fields.will.properties = willProperties(will);
	}
	if (options.version === 5) fields.properties = connectProperties(options);
	return fields;
}

/** Binary data, or text as UTF-8. */
function binary(data: string | Uint8Array): Uint8Array {
	return typeof data === "string" ? utf8(data) : data;
}

/** What CONNECT announces; an MQTT 3.1.1 client cannot, and keeps to the same limits. */
export function announcedLimits({ receiveMaximum, maximumPacketSize }: ClientOptions): AnnouncedLimits {
	return {
		receiveMaximum: receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM,
		maximumPacketSize: maximumPacketSize ?? UNLIMITED,
		topicAliasMaximum: 0, // absent in CONNECT [MQTT-3.1.2-27]
	};
}

/**
 * Bytes of the whole packet.
 * @param fields from {@link connectFields}
 * @throws MQTTError for an invalid combination of them, and for a will whose topic is no topic name
 */
export function connectSize(fields: ConnectFields, version: Version): number {
	if (fields.will !== undefined) checkWillTopic(fields.will.topic);
	return packetSize(connectLength(fields, version, true));
}

/** §3.1.2.11 */
function connectProperties(options: ClientOptions): PropertyWriter {
	const {
		sessionExpiry,
		maximumPacketSize,
		requestResponseInformation,
		requestProblemInformation,
		authenticationMethod,
		authenticationData,
	} = options;
	const size =
		FIXED_PROPERTIES_SIZE +
		maximumUserPropertiesSize(options.userProperties) +
		maximumStringSize(authenticationMethod) +
		3 +
		(authenticationData?.length ?? 0);
	const writer = new PropertyWriter(size);
	if (sessionExpiry > 0) writer.sessionExpiryInterval(sessionExpiry);
	writer.receiveMaximum(options.receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM);
	if (maximumPacketSize !== undefined) writer.maximumPacketSize(maximumPacketSize);
	if (requestResponseInformation !== undefined) writer.requestResponseInformation(requestResponseInformation);
	if (requestProblemInformation !== undefined) writer.requestProblemInformation(requestProblemInformation);
	writeUserProperties(options.userProperties, writer);
	if (authenticationMethod !== undefined) writer.authenticationMethod(utf8(authenticationMethod));
	if (authenticationData !== undefined) writer.authenticationData(authenticationData);
	return writer;
}

/** §3.1.3.2 */
function willProperties(will: WillOptions): PropertyWriter {
	const { delay, payloadFormatIndicator, messageExpiry, contentType, responseTopic, correlationData } = will;
	const size =
		FIXED_PROPERTIES_SIZE +
		maximumUserPropertiesSize(will.userProperties) +
		maximumStringSize(contentType) +
		maximumStringSize(responseTopic) +
		3 +
		(correlationData?.length ?? 0);
	const writer = new PropertyWriter(size);
	if (delay > 0) writer.willDelayInterval(delay);
	if (payloadFormatIndicator !== undefined) writer.payloadFormatIndicator(payloadFormatIndicator);
	if (messageExpiry !== undefined) writer.messageExpiryInterval(messageExpiry);
	if (contentType !== undefined) writer.contentType(utf8(contentType));
	if (responseTopic !== undefined) writer.responseTopic(utf8(responseTopic));
	if (correlationData !== undefined) writer.correlationData(correlationData);
	writeUserProperties(will.userProperties, writer);
	return writer;
}

function writeUserProperties(properties: readonly UserProperty[] | undefined, writer: PropertyWriter): void {
	if (properties === undefined) return;
	for (const [name, value] of properties) writer.userProperty(utf8(name), utf8(value));
}

/** Maximum size of all fixed-length properties of CONNECT, or of a will, in bytes. */
const FIXED_PROPERTIES_SIZE = 24;

/** Maximum size of a string property, in bytes: a UTF-16 code unit takes at most 3 bytes in UTF-8. */
function maximumStringSize(text: string | undefined): number {
	return text === undefined ? 0 : 3 + 3 * text.length;
}

function maximumUserPropertiesSize(properties: readonly UserProperty[] | undefined): number {
	let bytes = 0;
	if (properties !== undefined)
		for (const [name, value] of properties) bytes += maximumStringSize(name) + maximumStringSize(value);
	return bytes;
}
