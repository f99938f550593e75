import { AUTHENTICATION_DATA, SUBSCRIPTION_IDENTIFIER, USER_PROPERTY } from "../../src/mqtt/constants";
import type { PropertyReader } from "../../src/mqtt/property-reader";
import { propertyType, TYPE_BINARY, TYPE_STRING } from "../../src/mqtt/property-types";
import { hexText, PAYLOAD_LIMIT, text } from "./payload-text";
import type { TracedProperties, TracedValue } from "./traced-packet";

/** Names of the properties (§2.2.2.2). */
const PROPERTY_NAMES: Readonly<Record<number, string>> = {
	1: "payloadFormatIndicator",
	2: "messageExpiryInterval",
	3: "contentType",
	8: "responseTopic",
	9: "correlationData",
	11: "subscriptionIdentifier",
	17: "sessionExpiryInterval",
	18: "assignedClientIdentifier",
	19: "serverKeepAlive",
	21: "authenticationMethod",
	22: "authenticationData",
	23: "requestProblemInformation",
	24: "willDelayInterval",
	25: "requestResponseInformation",
	26: "responseInformation",
	28: "serverReference",
	31: "reasonString",
	33: "receiveMaximum",
	34: "topicAliasMaximum",
	35: "topicAlias",
	36: "maximumQoS",
	37: "retainAvailable",
	38: "userProperty",
	39: "maximumPacketSize",
	40: "wildcardSubscriptionAvailable",
	41: "subscriptionIdentifierAvailable",
	42: "sharedSubscriptionAvailable",
};

/** Describes the properties of a packet by name, if there are any. */
export function describeProperties(reader: PropertyReader): { properties?: TracedProperties } {
	if (reader.empty) return {};
	const found: Record<string, TracedValue | TracedValue[]> = {};
	reader.rewind();
	while (reader.next()) {
		const name = PROPERTY_NAMES[reader.id] ?? `property ${reader.id}`;
		const value = propertyValue(reader);
		const earlier = found[name];
		if (Array.isArray(earlier)) earlier.push(value);
		else if (earlier !== undefined) found[name] = [earlier, value];
		else found[name] = reader.id === USER_PROPERTY || reader.id === SUBSCRIPTION_IDENTIFIER ? [value] : value;
	}
	return { properties: found };
}

function propertyValue(reader: PropertyReader): TracedValue {
	const { id, bytes, start, end } = reader;
	// Authentication data may hold a password.
	if (id === AUTHENTICATION_DATA) return `${end - start} bytes`;
	if (id === USER_PROPERTY)
		return `${text(bytes, reader.nameStart, reader.nameEnd)}=${text(bytes, start, end)}`;
	switch (propertyType(id)) {
		case TYPE_STRING:
			return text(bytes, start, end);
		case TYPE_BINARY:
			return hexText(bytes.subarray(start, Math.min(end, start + PAYLOAD_LIMIT)));
		default:
			return reader.number;
	}
}
