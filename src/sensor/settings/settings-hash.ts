import type { BrokerSettings, SensorSettings, WiFiSettings } from "../../config/types";
import { fnv1aOfText } from "../../text/fnv1a";

/**
 * Changes with every setting that the meaning of the values in the outbox depends on.
 * @param grouped whether one record holds the values of several sensors: as a bare value only the first of
 *   them would be sent
 */
export function sensorsHash(sensors: readonly SensorSettings[], grouped: boolean): number {
	const texts = JSON.stringify(
		sensors.map(({ name, driver, property, unit }) => [name, driver, property, unit ?? null]),
	);
	return fnv1aOfText(grouped ? `${texts}*` : texts);
}

/**
 * Changes with the broker and the network, as the cached CONNACK limits and refusal of pipelining apply to
 * one broker only, and access point and addresses to one network.
 */
export function brokerHash({ host, port, version }: BrokerSettings, wifi: WiFiSettings | undefined): number {
	return fnv1aOfText(`${host}:${port}:${version}:${wifi?.ssid ?? ""}`);
}
