import { PROTOCOL_ERROR, PUBLISH, TOPIC_ALIAS_INVALID } from "../mqtt/constants";
import { propertiesSize } from "../mqtt/encode/properties";
import { MQTTError } from "../mqtt/error";
import { propertyBit, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS } from "../mqtt/properties";
import type { PropertyWriter } from "../mqtt/property-writer";

/**
 * Checks the properties that an application gives a message (§3.3.2.3): payload format, message expiry,
 * content type, response topic, correlation data and user properties.
 * @throws MQTTError 0x94 for a topic alias, which only the client may assign; 0x82 for any other property
 */
export function checkMessageProperties(properties: PropertyWriter): void {
	if ((properties.idsHigh & propertyBit(TOPIC_ALIAS)) !== 0)
		throw new MQTTError(TOPIC_ALIAS_INVALID, "topic aliases are the client's: see its option topicAliases");
	// [MQTT-3.3.4-6]
	if ((properties.idsLow & propertyBit(SUBSCRIPTION_IDENTIFIER)) !== 0)
		throw new MQTTError(PROTOCOL_ERROR, "a client sends no subscription identifier");
	propertiesSize(properties, 5, PUBLISH);
}
